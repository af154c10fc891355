//! What users say when they want an operation: `data/phrases/*.tsv`, one operation a line, its phrases behind it.
//!
//! Data that is shipped with the program and becomes vectors when a pack is built. Who wrote them, and which services have none
//! on purpose, says `data/README.md`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::operation::Operation;

/// The vendor whose operations are told apart by service.
const BY_SERVICE: &str = "aws";

const FILES: [(&str, &str); 4] = [
    ("aws", include_str!("../../data/phrases/aws.tsv")),
    ("kubernetes", include_str!("../../data/phrases/kubernetes.tsv")),
    ("openbb", include_str!("../../data/phrases/openbb.tsv")),
    ("stripe", include_str!("../../data/phrases/stripe.tsv")),
];

type Phrases = HashMap<&'static str, HashMap<&'static str, Vec<&'static str>>>;

static PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| FILES.into_iter().map(|(name, text)| (name, read(text))).collect());

/// Phrases for an operation, as the file has them; none for most.
pub(crate) fn phrases(operation: &Operation) -> &'static [&'static str] {
    let Some(of_vendor) = PHRASES.get(operation.provider.as_str()) else { return &[] };
    let found = match operation.provider.as_str() {
        BY_SERVICE => of_vendor.get(format!("{}/{}", operation.service, operation.name).as_str()),
        _ => of_vendor.get(operation.name.as_str()),
    };
    found.map_or(&[], Vec::as_slice)
}

fn read(text: &'static str) -> HashMap<&'static str, Vec<&'static str>> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(name, phrases)| (name, phrases.split('\t').collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_name_of_its_own_and_phrases() {
        for (vendor, text) in FILES {
            let lines = text.lines().count();
            assert_eq!(PHRASES[vendor].len(), lines, "{vendor}: a name stands twice or without phrases");
            assert!(lines >= 90, "{vendor}: {lines}");
            for phrase in PHRASES[vendor].values().flatten() {
                assert!(!phrase.trim().is_empty() && phrase.len() < 200, "{vendor}: {phrase:?}");
            }
        }
    }
}
