//! Judges a single value: a choice, a switch, a number, a string.

use std::ops::Range;

use serde_json::Value;

use super::structure::schema_proof;
use super::{Grounded, Proof, Source, Verdict, compose, leaf, placeholder};
use crate::calendar::Date;
use crate::candidate::{Candidate, candidates, naming, proof_by, within_bounds};
use crate::evidence::{Evidence, Kind, Naming, Passage, Place, Span};
use crate::reading::readings;
use crate::referent;
use crate::resolver::quantity::parse_number;
use crate::resolver::region;
use crate::sign::{self, place_preposition};
use crate::slot::{Shape, Slot};
use crate::want::Want;

/// A draft's own choice of a word needs less than an offer's: it has the model's judgement behind it. An everyday word that is
/// said without being a purpose ("for logs") or the verb scores 0.
const DRAFT_THRESHOLD: f32 = 0.0;

/// A shorter name of a switch, run together, may stand in the request by chance.
const MIN_JOINED: usize = 10;

pub(super) fn ground_scalar(slot: &Slot<'_>, value: &Value, evidence: &Evidence) -> Verdict {
    if let Some(found) = referent::find(slot, value, evidence) {
        return Ok(leaf(referent::value_of(found), referent::proof_of(slot, found)));
    }
    match slot.want() {
        Want::Choice(values) => ground_choice(slot, &values, value, evidence),
        Want::Boolean => ground_boolean(slot, value, evidence),
        want if slot.shape() == Shape::String => ground_string(slot, &want, value, evidence),
        want => ground_number(slot, &want, value, evidence),
    }
}

// === private ===

fn ground_choice(slot: &Slot<'_>, values: &[Value], proposed: &Value, evidence: &Evidence) -> Verdict {
    let Some(known) = values.iter().find(|known| same_value(known, proposed)) else {
        return Err(slot.refuse(format!("{proposed} is not one of the possible values")));
    };
    if values.len() == 1 {
        return Ok(leaf(known.clone(), schema_proof(slot)));
    }
    if slot.has_word(&["sort"]) && !sign::asks_for_order(evidence) {
        return Err(slot.refuse("nobody asked for an order"));
    }
    let said = candidates(slot, evidence);
    if let Some(candidate) = said.iter().find(|candidate| candidate.value == *known) {
        return Ok(leaf(known.clone(), candidate.proof.clone()));
    }
    match (slot.required, said.as_slice()) {
        (true, [only]) => Ok(leaf(only.value.clone(), only.proof.clone())),
        // The choice is closed and must be made: the model's own reading of the request decides.
        (true, []) => Ok(leaf(known.clone(), draft_proof(slot))),
        _ => Err(slot.refuse(format!("nobody asked for {proposed}"))),
    }
}

fn draft_proof(slot: &Slot<'_>) -> Proof {
    Proof { source: Source::Resolver, resolver: "draft".to_owned(), ..schema_proof(slot) }
}

fn same_value(known: &Value, proposed: &Value) -> bool {
    match (known, proposed) {
        (Value::String(known), Value::String(proposed)) => known.eq_ignore_ascii_case(proposed.trim()),
        (Value::Number(known), Value::String(proposed)) => known.to_string() == *proposed,
        (Value::String(known), Value::Number(proposed)) => proposed.to_string() == *known,
        _ => known == proposed,
    }
}

fn ground_boolean(slot: &Slot<'_>, proposed: &Value, evidence: &Evidence) -> Verdict {
    let is_switch = proposed.is_boolean() || matches!(proposed.as_str(), Some("true" | "false" | ""));
    if !is_switch {
        return Err(slot.refuse("true or false is wanted here"));
    }
    let on = proposed.as_bool().unwrap_or(proposed != "false");
    let said = candidates(slot, evidence);
    // Where both are possible the draft decides.
    if let Some(candidate) = said.iter().find(|candidate| candidate.value == on).or(said.first()) {
        return Ok(leaf(candidate.value.clone(), candidate.proof.clone()));
    }
    match said_apart(slot.name, evidence.step()) {
        Some(span) if on => Ok(leaf(Value::Bool(true), proof_by(slot, &span, "boolean"))),
        _ => Err(slot.refuse(format!("nobody asked for {}", slot.name))),
    }
}

/// "ignore daemon sets" for `ignore-daemonsets`: the same letters, spaced otherwise.
fn said_apart(name: &str, step: &Passage) -> Option<Span> {
    let wanted: Vec<u8> =
        name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect();
    if wanted.len() < MIN_JOINED {
        return None;
    }
    let letters: Vec<(usize, u8)> = step
        .text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_alphanumeric())
        .map(|(at, byte)| (at, byte.to_ascii_lowercase()))
        .collect();
    let found = letters.windows(wanted.len()).find(|window| window.iter().map(|(_, byte)| byte).eq(wanted.iter()))?;
    let (start, end) = (found.first()?.0, found.last()?.0 + 1);
    Some(step.span(start..end, Kind::Name))
}

fn ground_number(slot: &Slot<'_>, want: &Want, proposed: &Value, evidence: &Evidence) -> Verdict {
    let number =
        proposed.as_f64().or_else(|| proposed.as_str().and_then(|text| parse_number(text.trim_start_matches('$'))));
    let Some(number) = number else {
        return Err(slot.refuse("a number is wanted here"));
    };
    let said = candidates(slot, evidence);
    if let Some(candidate) = said.iter().find(|candidate| candidate.value.as_f64() == Some(number)) {
        return Ok(leaf(candidate.value.clone(), candidate.proof.clone()));
    }
    // Cents, seconds, days: the resolver's arithmetic is trusted over the model's.
    let is_converted = matches!(want, Want::Amount | Want::UnixTime(_) | Want::DurationIn(_) | Want::SizeIn(_));
    match said.as_slice() {
        [only] if is_converted => Ok(leaf(only.value.clone(), only.proof.clone())),
        _ => amount_by_name(slot, want, number, evidence).ok_or_else(|| slot.refuse(format!("nobody said {proposed}"))),
    }
}

/// "amount 2500": said as the parameter itself, so it is in the parameter's own unit.
fn amount_by_name(slot: &Slot<'_>, want: &Want, number: f64, evidence: &Evidence) -> Option<Grounded> {
    if *want != Want::Amount || number.fract() != 0.0 {
        return None;
    }
    let step = evidence.step();
    let nouns = slot.nouns();
    let naming = Naming { heads: nouns, near: slot.near_nouns(), ..Naming::default() };
    let is_it =
        |span: &&Span| span.kind == Kind::Number(number) && naming.is_beside_noun(step, &(span.start..span.end));
    let span = step.spans.iter().find(is_it)?;
    Some(leaf((number as i64).into(), proof_by(slot, span, "")))
}

fn ground_string(slot: &Slot<'_>, want: &Want, proposed: &Value, evidence: &Evidence) -> Verdict {
    let text = match proposed {
        Value::String(text) => unquoted(text).to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(slot.refuse("a string is wanted here")),
    };
    if text.trim().is_empty() {
        return Err(slot.refuse("the value is empty"));
    }
    let said = candidates(slot, evidence);
    if let Some(candidate) = said.iter().find(|candidate| means_same(&candidate.value, &text)) {
        return Ok(leaf(candidate.value.clone(), candidate.proof.clone()));
    }
    if let Some(found) = ground_span(slot, want, &text, evidence) {
        return Ok(found);
    }
    if let Some(found) = compose::compose(slot, want, &text, evidence) {
        return Ok(found);
    }
    if let Some(only) = correction(want, &said, &text) {
        return Ok(leaf(only.value.clone(), only.proof.clone()));
    }
    if placeholder::is_placeholder(&text) {
        return Err(slot.refuse(format!("{text:?} is a placeholder")));
    }
    Err(slot.refuse(format!("nobody said {text:?}")))
}

/// Dates and times are compared by day, everything else by letters.
fn means_same(candidate: &Value, text: &str) -> bool {
    let Some(candidate) = candidate.as_str() else { return false };
    candidate == text
        || (candidate.eq_ignore_ascii_case(text))
        || (candidate.contains('T') && candidate.get(..10) == text.get(..10) && Date::parse_iso(text).is_some())
}

/// For kinds that can be told by their form the request's only such value is what was meant.
fn correction<'a>(want: &Want, said: &'a [Candidate], text: &str) -> Option<&'a Candidate> {
    let typed = want.is_distinctive() || matches!(want, Want::DurationText | Want::Currency);
    // Another pattern takes other files: "everything" does not set "*.csv" right.
    if !typed || *want == Want::Glob {
        return None;
    }
    if let Want::Date { .. } = want {
        let drafted = Date::parse_iso(text)?;
        let same_day = |candidate: &&Candidate| {
            candidate
                .value
                .as_str()
                .and_then(Date::parse_iso)
                .is_some_and(|day| (day.month(), day.day()) == (drafted.month(), drafted.day()))
        };
        let mut matching = said.iter().filter(same_day);
        return matching.next().or(if said.len() == 1 { said.first() } else { None });
    }
    match said {
        [only] if only.place == Place::Step => Some(only),
        _ => None,
    }
}

/// The value stands in the request as it is; the request's spelling wins.
fn ground_span(slot: &Slot<'_>, want: &Want, text: &str, evidence: &Evidence) -> Option<Grounded> {
    if !fits_form(want, text) {
        return None;
    }
    for passage in evidence.passages() {
        if passage.place == Place::Request && want.is_name_like() && !is_unmistakable(text) {
            continue;
        }
        let range = passage.locate(text).into_iter().find(|range| is_meant(slot, want, (passage, range), evidence));
        let Some(range) = range else { continue };
        let span = passage.span(range, Kind::Name);
        let value = Value::String(span.text.clone());
        if within_bounds(slot, &value) {
            return Some(leaf(value, proof_by(slot, &span, "")));
        }
    }
    None
}

fn is_unmistakable(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '/' | ':' | '@' | '.'))
}

fn is_meant(slot: &Slot<'_>, want: &Want, (passage, range): (&Passage, &Range<usize>), evidence: &Evidence) -> bool {
    if !want.is_name_like() && *want != Want::PortText {
        return true;
    }
    let covers = |span: &&Span| span.start <= range.start && range.end <= span.end && is_another_kind(&span.kind);
    let typed = passage.spans.iter().find(covers);
    if typed.is_some_and(|span| readings(slot, want, span, evidence).is_empty()) {
        return false;
    }
    if sign::is_namespace_of_another(slot, passage, range.start) {
        return false;
    }
    // "the last 30 lines of pod cart-0": a bare number is a name only right behind the noun of its thing.
    let is_bare = passage.text[range.clone()].bytes().all(|byte| byte.is_ascii_digit());
    if is_bare && !naming(slot, evidence).is_right_behind_noun(passage, range) {
        return false;
    }
    // The first word says what to do.
    let is_verb = range.start == 0 && range.end < passage.text.len() && !is_unmistakable(&passage.text[range.clone()]);
    !is_verb
        && naming(slot, evidence).score(passage, range) + place_preposition(slot, passage, range) >= DRAFT_THRESHOLD
}

/// A region, a date, an amount is not the name of a thing.
fn is_another_kind(kind: &Kind) -> bool {
    use Kind::{Cidr, Date, Duration, Email, Ip, Money, Number, Region, Size};
    matches!(kind, Cidr | Date(_) | Duration(_) | Email | Ip | Money(_) | Number(_) | Region(_) | Size(_))
}

/// Kinds that are told by form are refused in another form: an e-mail address is no customer id.
fn fits_form(want: &Want, text: &str) -> bool {
    match want {
        Want::Id(prefixes) if !prefixes.is_empty() => prefixes.iter().any(|prefix| text.starts_with(prefix)),
        Want::Arn => text.starts_with("arn:"),
        Want::Email => text.contains('@') && !text.contains(' '),
        Want::Cidr => text.contains('/'),
        Want::Ip => text.contains(['.', ':']),
        Want::Url => text.contains("://"),
        Want::Region => !region::find(text).is_empty(),
        Want::Date { .. } => Date::parse_iso(text).is_some(),
        // Only resolvers write these.
        Want::Ticker | Want::CurrencyPair | Want::Currency | Want::Protocol | Want::DurationText => false,
        Want::Schedule { .. } => text.contains(['*', '(']),
        _ => true,
    }
}

fn unquoted(text: &str) -> &str {
    let trimmed = text.trim();
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`')];
    let inner = pairs.iter().find_map(|(open, close)| trimmed.strip_prefix(*open)?.strip_suffix(*close));
    inner.unwrap_or(trimmed)
}
