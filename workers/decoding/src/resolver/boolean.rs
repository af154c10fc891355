//! Decides whether a request asks for something, or for its absence: `without deletion protection` is `false`.

use std::ops::Range;

use super::Found;
use crate::words::{self, Word};

/// Words that turn the sense around when they stand shortly before a word.
const NEGATIONS: &[&str] = &[
    "no",
    "not",
    "never",
    "without",
    "disable",
    "disabled",
    "disabling",
    "don",
    "dont",
    "doesn",
    "skip",
    "off",
    "deactivate",
    "remove",
    "exclude",
    "excluding",
    "stop",
    "isn",
    "non",
    "un",
    "prevent",
    "except",
    "omit",
    "ignoring",
    "deny",
];

/// How many words before the sign a negation may stand.
const REACH: usize = 4;

/// Whether the words at `sign` are asked for or ruled out.
pub fn read(text: &str, sign: Range<usize>) -> Found<bool> {
    let words = words::split(text);
    let first = words.iter().position(|word| word.end > sign.start).unwrap_or(words.len());
    let from = first.saturating_sub(REACH);
    let before = &words[from..first];
    let negates = |word: &Word| NEGATIONS.contains(&word.lower.as_str()) && same_clause(text, word, sign.start);
    let negated = before.iter().any(negates);
    let switched_off = words.iter().find(|word| word.start >= sign.end).is_some_and(|word| word.lower == "off");
    Found { range: sign, value: !(negated || switched_off) }
}

// === private ===

/// A comma or "and" ends what a negation reaches.
fn same_clause(text: &str, negation: &Word, to: usize) -> bool {
    let between = text.get(negation.end..to).unwrap_or("");
    !between.contains([',', ';', '.', ':'])
        && !words::split(between).iter().any(|word| matches!(word.lower.as_str(), "and" | "but"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, sign: &str) -> bool {
        let start = text.find(sign).expect("the sign is in the text");
        read(text, start..start + sign.len()).value
    }

    #[test]
    fn a_sign_is_a_yes() {
        assert!(asked("create it with deletion protection", "deletion protection"));
        assert!(asked("delete the stack, not the bucket, force it", "force"));
        assert!(asked("no pods and force", "force"));
    }

    #[test]
    fn a_negation_before_it_is_a_no() {
        assert!(!asked("create it without deletion protection", "deletion protection"));
        assert!(!asked("disable multi-AZ", "multi-AZ"));
        assert!(!asked("don't encrypt it", "encrypt"));
        assert!(!asked("turn versioning off", "versioning"));
    }
}
