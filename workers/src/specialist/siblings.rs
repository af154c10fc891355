//! One call for each of the things that a step names side by side, where the operation takes one: "delete the stacks demo-a and demo-b".
//!
//! Where it takes several the grounding has them all in one list; what is left here would be dropped in silence.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;
use silverback_catalogue::check;
use silverback_decoding::{Evidence, GroundedCall, Offers, Proof, Source};

use super::judge::Proposal;

/// Most calls of one step; more is a batch job, not a request.
const MAX_CALLS: usize = 16;

/// Names with a mark or a digit in them, joined by commas and "and".
static SERIES: LazyLock<Regex> = LazyLock::new(|| {
    let name = r#"["'`]?[A-Za-z0-9][\w.:/-]*[\w]["'`]?"#;
    Regex::new(&format!(r"(?i){name}(?:\s*,\s*{name})*\s*,?\s+(?:and|&)\s+{name}")).expect("a constant pattern")
});
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9][\w.:/-]*\w").expect("a constant pattern"));

/// The same call for the other things, in the order of the step; empty when there is one thing.
pub fn siblings(proposal: &Proposal, evidence: &Evidence) -> Vec<Proposal> {
    let step = evidence.step_text();
    let called = proposal.grounded.proofs.iter().find_map(|proof| Some((proof, others(proposal, proof, step)?)));
    let Some((proof, others)) = called else { return Vec::new() };
    let name = proof.pointer.trim_start_matches('/').to_owned();
    let made = others.into_iter().take(MAX_CALLS).map(|range| {
        let mut grounded: GroundedCall = proposal.grounded.clone();
        grounded.kept.insert(name.clone(), step[range.clone()].into());
        for own in grounded.proofs.iter_mut().filter(|own| own.pointer == proof.pointer) {
            *own = Proof { start: range.start, end: range.end, text: step[range.clone()].to_owned(), ..own.clone() };
        }
        let operation = proposal.operation.clone();
        Proposal {
            reference: proposal.reference,
            operation,
            grounded,
            offers: Offers::default(),
            score: proposal.score,
        }
    });
    let is_lawful =
        |one: &Proposal| check(&one.operation, &serde_json::Value::Object(one.grounded.kept.clone())).is_empty();
    made.filter(is_lawful).collect()
}

/// Other names in the series that this proof's span is in; `None` when it is in none or they are said elsewhere in the call.
fn others(proposal: &Proposal, proof: &Proof, step: &str) -> Option<Vec<Range<usize>>> {
    let name = proof.pointer.trim_start_matches('/');
    let is_plain = proof.source == Source::Request && proof.resolver.is_empty() && proof.start < proof.end;
    if !is_plain || !proposal.operation.is_required(name) || !proposal.grounded.kept.get(name)?.is_string() {
        return None;
    }
    let series = SERIES.find_iter(step).find(|series| series.start() <= proof.start && proof.end <= series.end())?;
    let said = serde_json::Value::Object(proposal.grounded.kept.clone()).to_string();
    let names =
        NAME.find_iter(&step[series.range()]).map(|name| series.start() + name.start()..series.start() + name.end());
    let is_telling =
        |range: &Range<usize>| step[range.clone()].contains(|c: char| c.is_ascii_digit() || "-_.:/".contains(c));
    let own = proof.start..proof.end;
    let others: Vec<Range<usize>> = names.filter(|range| *range != own && is_telling(range)).collect();
    let is_new = others.iter().all(|range| !said.contains(&step[range.clone()]));
    (is_telling(&own) && is_new && !others.is_empty()).then_some(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_names_joined_by_and() {
        let series = |text: &str| SERIES.find(text).map(|found| found.as_str().to_owned());
        assert_eq!(
            series("delete the stacks demo-a, demo-b and demo-c now").as_deref(),
            Some("demo-a, demo-b and demo-c")
        );
        assert_eq!(series("scale web-1 to 5"), None);
    }
}
