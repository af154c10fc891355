//! Grounds values that are put together of several said parts: `s3://raw` of "bucket raw", `deployment/web`, `app=web`.
//!
//! Each composition is a named resolver with a fixed form; every part that could have been invented must be said.

use serde_json::Value;

use super::{Grounded, Proof, Source, leaf};
use crate::evidence::{Evidence, Kind, Place};
use crate::resolver::{s3_uri, selector};
use crate::slot::Slot;
use crate::want::Want;
use crate::words;

/// The first composition that explains the text.
pub(super) fn compose(slot: &Slot<'_>, want: &Want, text: &str, evidence: &Evidence) -> Option<Grounded> {
    match want {
        Want::Path | Want::Url => compose_s3(slot, text, evidence),
        Want::Pair => compose_selector(slot, text, evidence).or_else(|| compose_pair(slot, text, evidence)),
        Want::FieldSelector => compose_selector(slot, text, evidence),
        Want::PortText => compose_ports(slot, text, evidence),
        Want::SizeText => compose_size(slot, text, evidence),
        Want::Name | Want::Id(_) => compose_typed_name(slot, text, evidence)
            .or_else(|| compose_selector_word(slot, text, evidence))
            .or_else(|| compose_image(slot, text, evidence)),
        _ => None,
    }
}

// === private ===

/// Parts of the step that were used; the proof's span reaches over all of them.
struct Parts<'a> {
    evidence: &'a Evidence,
    start: usize,
    end: usize,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        Parts { evidence, start: usize::MAX, end: 0 }
    }

    /// Is this part said? Its place is remembered.
    fn says(&mut self, part: &str) -> bool {
        let Some((passage, range)) = self.evidence.locate(part) else { return false };
        if passage.place == Place::Step {
            self.start = self.start.min(range.start);
            self.end = self.end.max(range.end);
        }
        true
    }

    /// Is this word said in any inflection?
    fn says_word(&mut self, word: &str) -> bool {
        let stem = words::stem(&word.to_lowercase());
        let Some(found) = self.evidence.step().words.iter().find(|known| known.stem == stem) else { return false };
        self.start = self.start.min(found.start);
        self.end = self.end.max(found.end);
        true
    }

    fn proof(&self, slot: &Slot<'_>, resolver: &str) -> Proof {
        let (start, end) = if self.start < self.end { (self.start, self.end) } else { (0, 0) };
        let text = self.evidence.step_text()[start..end].to_owned();
        Proof {
            pointer: slot.pointer.clone(),
            source: Source::Resolver,
            start,
            end,
            text,
            resolver: resolver.to_owned(),
        }
    }
}

fn grounded(slot: &Slot<'_>, text: &str, parts: &Parts<'_>, resolver: &str) -> Grounded {
    leaf(Value::String(text.to_owned()), parts.proof(slot, resolver))
}

/// `s3://raw/2024/` when "raw" is said to be a bucket and the key is said too.
fn compose_s3(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let uri = s3_uri::parse(text)?;
    let mut parts = Parts::new(evidence);
    let step = evidence.step();
    let bucket = step.locate(uri.bucket).into_iter().find(|range| s3_uri::is_called_bucket(&step.text, range));
    let known = bucket.is_some() || words::split_identifier(uri.bucket).len() > 1;
    if !known || !s3_uri::is_bucket_name(uri.bucket) || !parts.says(uri.bucket) {
        return None;
    }
    let key = uri.key.trim_end_matches('/');
    (key.is_empty() || parts.says(key)).then(|| grounded(slot, text, &parts, "s3-uri"))
}

/// `status.phase!=Running`: the field is known, the value and the negation are said.
fn compose_selector(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let conditions = selector::parse(text)?;
    let mut parts = Parts::new(evidence);
    for condition in conditions {
        let negation_right = (condition.operator == "!=") == selector::says_not(evidence.step_text());
        let field = selector::is_field(condition.key) && slot.has_word(&["field"]);
        let said = if field { parts.says_word(condition.value) } else { parts.says(condition.value) };
        if !said || !negation_right || !(field || parts.says(condition.key)) {
            return None;
        }
    }
    Some(grounded(slot, text, &parts, "selector"))
}

/// Parameters called `filter` or `query` take selectors too.
fn compose_selector_word(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    slot.has_word(&["selector"]).then(|| compose_selector(slot, text, evidence)).flatten()
}

/// `LOG_LEVEL=debug` of "set LOG_LEVEL to debug"; `app-` removes a label.
fn compose_pair(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let mut parts = Parts::new(evidence);
    let said = match text.split_once('=') {
        Some((key, value)) => {
            let (value, effect) = value.split_once(':').unwrap_or((value, ""));
            parts.says(key) && parts.says(value.trim_matches(['"', '\''])) && (effect.is_empty() || parts.says(effect))
        }
        None => text.strip_suffix('-').is_some_and(|key| parts.says(key)),
    };
    said.then(|| grounded(slot, text, &parts, "pair"))
}

/// `8080:80`: both numbers are said, or the same twice.
fn compose_ports(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let mut parts = Parts::new(evidence);
    let ports: Vec<&str> = text.split([':', '/']).collect();
    let is_port = |part: &&str| part.parse::<u16>().is_ok() || matches!(*part, "tcp" | "udp");
    let all = (2..=3).contains(&ports.len()) && ports.iter().all(is_port) && ports.iter().all(|part| parts.says(part));
    all.then(|| grounded(slot, text, &parts, "port"))
}

/// `20Gi` of "20 GB": the amount and the unit's letter are said.
fn compose_size(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (amount, unit) = (text[..digits].parse::<f64>().ok()?, text[digits..].chars().next()?.to_ascii_lowercase());
    let power = "kmgtp".find(unit)? as i32 + 1;
    let matches = |kind: &Kind| matches!(kind, Kind::Size(quantity) if quantity.amount == amount && quantity.unit == 1024f64.powi(power));
    let span = evidence.step().spans.iter().find(|span| matches(&span.kind))?;
    Some(leaf(Value::String(text.to_owned()), crate::candidate::proof_by(slot, span, "quantity")))
}

/// `deployment/web`: a kind and a name.
fn compose_typed_name(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    let (kind, name) = text.split_once('/')?;
    if slot.operation.provider != "kubernetes" || kind.is_empty() || name.is_empty() || name.contains('/') {
        return None;
    }
    let mut parts = Parts::new(evidence);
    let known_kind = parts.says_word(kind)
        || crate::choice::said_kinds(slot.operation, evidence).contains(&words::stem(&kind.to_lowercase()));
    (known_kind && parts.says(name) && !words::is_stop(&name.to_lowercase()))
        .then(|| grounded(slot, text, &parts, "typed-name"))
}

/// `nginx:1.27`: an image and its tag, said apart; `web=nginx:1.27` names the container too.
fn compose_image(slot: &Slot<'_>, text: &str, evidence: &Evidence) -> Option<Grounded> {
    if !slot.has_word(&["image", "images", "container", "containers"]) {
        return None;
    }
    let mut parts = Parts::new(evidence);
    let pieces: Vec<&str> = text.split([':', '=']).collect();
    let said = (2..=3).contains(&pieces.len())
        && pieces.iter().all(|piece| !piece.is_empty() && !words::is_stop(&piece.to_lowercase()) && parts.says(piece));
    said.then(|| grounded(slot, text, &parts, "image"))
}
