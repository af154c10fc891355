//! Fills lists of filters (`Filters` of EC2): nobody says `instance-state-name`, people say "stopped".
//!
//! The vendor's text lists the names and many of their values (`x-filters`); a value that one of them has is said, an identifier tells its
//! kind by its form, a pair is a tag.

use serde_json::{Map, Value, json};

use crate::candidate::proof_by;
use crate::evidence::{Evidence, Kind, Passage, Place, Span};
use crate::grounding::{Grounded, Proof, Source, Verdict};
use crate::sign::pairs;
use crate::slot::Slot;
use crate::want::{Want, prefixes_of};
use crate::words;

/// Filters by tags, whose keys are the user's.
const TAG: &str = "tag:";
/// Values that say nothing alone.
const EVERYDAY: &[&str] =
    &["true", "false", "yes", "no", "all", "any", "default", "on", "off", "enabled", "disabled", "instance"];
/// Filters that are meant before others of the same value.
const MEANT: &[&str] = &["state", "status"];

/// A filter that the step asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    name: String,
    span: Span,
    value: String,
}

/// The vendor's filters of a list; `None` for a list of anything else.
fn known<'a>(slot: &Slot<'a>) -> Option<&'a Map<String, Value>> {
    slot.schema.get("x-filters").and_then(Value::as_object)
}

/// Names of the members that hold a filter's name and its values.
fn members(slot: &Slot<'_>) -> Option<(String, String)> {
    let inner = slot.element()?.members();
    let named = |wanted: &str| inner.iter().find(|member| member.name.eq_ignore_ascii_case(wanted));
    Some((named("name")?.name.to_owned(), named("values")?.name.to_owned()))
}

/// The filters that a step asks for, as elements of the list.
pub(crate) fn entries(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Value> {
    let Some((name, values)) = members(slot) else { return Vec::new() };
    said(slot, evidence).into_iter().map(|filter| json!({&name: filter.name, &values: [filter.value]})).collect()
}

/// Judges a proposed element: a name that the vendor lists, values that are said.
pub(crate) fn ground(list: &Slot<'_>, element: &Slot<'_>, proposed: &Value, evidence: &Evidence) -> Option<Verdict> {
    let (filters, (name, values)) = (known(list)?, members(list)?);
    let said = said(list, evidence);
    let Some(wanted) = proposed.get(&name).and_then(Value::as_str) else {
        return Some(Err(element.refuse("a filter needs a name")));
    };
    let is_known = filters.contains_key(wanted)
        || (filters.contains_key(TAG) && wanted.strip_prefix(TAG).is_some_and(|key| evidence.locate(key).is_some()));
    if !is_known {
        return Some(Err(element.refuse(format!("there is no filter {wanted:?}"))));
    }
    let given: Vec<&Value> = match proposed.get(&values) {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut kept = Vec::new();
    let mut proofs = Vec::new();
    for value in given.into_iter().filter_map(Value::as_str) {
        let by_rule = said.iter().find(|filter| filter.name == wanted && filter.value.eq_ignore_ascii_case(value));
        let span = by_rule.map(|filter| filter.span.clone()).or_else(|| {
            let (passage, range) = evidence.locate(value)?;
            Some(passage.span(range, Kind::Name))
        });
        let Some(span) = span else { continue };
        let pointer = format!("{}/{values}/{}", element.pointer, kept.len());
        kept.push(Value::String(by_rule.map_or_else(|| value.to_owned(), |filter| filter.value.clone())));
        proofs.push(Proof { pointer, ..proof_by(element, &span, "") });
    }
    let Some(first) = proofs.first().cloned() else {
        return Some(Err(element.refuse(format!("nobody said a value for {wanted}"))));
    };
    proofs.push(Proof {
        pointer: format!("{}/{name}", element.pointer),
        resolver: "filter".into(),
        source: Source::Resolver,
        ..first
    });
    Some(Ok(Grounded { value: json!({name: wanted, values: kept}), proofs, dropped: Vec::new() }))
}

/// Does a step ask for filters?
pub(crate) fn is_asked(slot: &Slot<'_>, evidence: &Evidence) -> bool {
    !said(slot, evidence).is_empty()
}

// === private ===

fn said(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Filter> {
    let Some(filters) = known(slot) else { return Vec::new() };
    let step = evidence.step();
    let mut found: Vec<Filter> = Vec::new();
    for (name, values) in filters {
        if let Some(filter) = by_value(name, values, step).or_else(|| by_form(slot, name, step)) {
            found.push(filter);
        }
    }
    if filters.contains_key(TAG) {
        found.extend(tags(evidence));
    }
    // One word says one thing.
    let rank = |filter: &Filter| {
        let own = words::split_identifier(&filter.name);
        let is_said = own.iter().filter(|word| step.words.iter().any(|said| said.stem == words::stem(word))).count();
        (own.iter().any(|word| MEANT.contains(&word.as_str())), is_said, std::cmp::Reverse(own.len()))
    };
    found.sort_by_key(|filter| std::cmp::Reverse(rank(filter)));
    let mut kept: Vec<Filter> = Vec::new();
    for filter in found {
        let overlaps = |other: &Filter| filter.span.start < other.span.end && other.span.start < filter.span.end;
        if !kept.iter().any(overlaps) {
            kept.push(filter);
        }
    }
    kept.sort_by_key(|filter| filter.span.start);
    kept
}

/// "stopped" is a value that the vendor lists for `instance-state-name`.
fn by_value(name: &str, values: &Value, step: &Passage) -> Option<Filter> {
    let values = values.as_array()?.iter().filter_map(Value::as_str);
    let telling = values.filter(|value| value.len() > 2 && !EVERYDAY.contains(value));
    for value in telling {
        let spellings = [value.to_owned(), value.replace(['-', '_'], " ")];
        let place = spellings.iter().find_map(|spelling| step.locate(spelling).into_iter().next());
        // The first word of a step says what to do.
        if let Some(range) = place.filter(|range| range.start > 0) {
            let span = step.span(range, Kind::Name);
            return Some(Filter { name: name.to_owned(), span, value: value.to_owned() });
        }
    }
    None
}

/// `vpc-0abc` can be nothing but a `vpc-id`, unless the operation has a parameter for it.
fn by_form(slot: &Slot<'_>, name: &str, step: &Passage) -> Option<Filter> {
    let prefixes = prefixes_of(&slot.operation.provider, &words::split_identifier(name))?;
    let has_own_place = Slot::all(slot.operation).iter().any(|other| {
        let place = other.element().unwrap_or_else(|| other.clone());
        matches!(place.want(), Want::Id(own) if own == prefixes)
    });
    let fits = |span: &&Span| span.place == Place::Step && prefixes.iter().any(|prefix| span.text.starts_with(prefix));
    let span = step.spans.iter().filter(|span| span.kind == Kind::Id).find(fits).filter(|_| !has_own_place)?;
    Some(Filter { name: name.to_owned(), value: span.text.clone(), span: span.clone() })
}

/// "tagged env=prod"
fn tags(evidence: &Evidence) -> Vec<Filter> {
    let step = evidence.step();
    let filter = |(key, value): (String, String)| {
        let place = [format!("{key}={value}"), value.clone()];
        let range = place.iter().find_map(|text| step.locate(text).into_iter().next())?;
        Some(Filter { name: format!("{TAG}{key}"), span: step.span(range, Kind::Pair), value })
    };
    pairs(evidence).into_iter().filter_map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grounding::ground_arguments;
    use crate::offer::offers;
    use crate::testing::{evidence, operation};
    use silverback_catalogue::operation::Operation;

    fn describe() -> Operation {
        let filter = json!({"type": "object", "properties": {
            "Name": {"type": "string"}, "Values": {"type": "array", "items": {"type": "string"}}}});
        let names = json!({"instance-state-name": ["running", "stopped"], "vpc-id": [], "tag:": []});
        operation(
            "aws/ec2/DescribeInstances",
            json!({"properties": {"Filters": {"type": "array", "items": filter, "x-filters": names}}}),
        )
    }

    fn filled(text: &str) -> Vec<Value> {
        let describe = describe();
        entries(&Slot::of(&describe, "Filters").expect("there"), &evidence(text))
    }

    #[test]
    fn states_identifiers_and_tags_become_filters() {
        let state = json!({"Name": "instance-state-name", "Values": ["stopped"]});
        assert_eq!(filled("which machines are stopped?"), std::slice::from_ref(&state));
        let network = json!({"Name": "vpc-id", "Values": ["vpc-0abc123"]});
        assert_eq!(filled("show the stopped ones in vpc-0abc123"), [state, network]);
        assert_eq!(filled("instances tagged env=prod"), [json!({"Name": "tag:env", "Values": ["prod"]})]);
        assert!(filled("list my instances").is_empty());
    }

    #[test]
    fn they_are_offered_and_a_drafted_one_stands_only_with_known_names_and_said_values() {
        let (describe, evidence) = (describe(), evidence("which machines are stopped?"));
        assert_eq!(offers(&describe, &evidence, &Map::new()).parameters[0].name, "Filters");
        let kept = |filters: Value| {
            let drafted = json!({ "Filters": filters });
            ground_arguments(&describe, drafted.as_object().expect("an object"), &evidence).kept
        };
        let right = json!([{"Name": "instance-state-name", "Values": ["stopped"]}]);
        assert_eq!(kept(right.clone()), json!({"Filters": right}).as_object().expect("an object").clone());
        assert!(kept(json!([{"Name": "instance-state-name", "Values": ["running"]}])).is_empty());
        assert!(kept(json!([{"Name": "colour", "Values": ["stopped"]}])).is_empty());
    }
}
