//! Cuts text and identifiers into words and says which of them carry no meaning of their own.
//!
//! Knows no operation. Stems are Porter's (English), from `rust-stemmers`; they make `charged` and `charge` one word.

use std::collections::HashSet;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// A run of letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Byte offset of its first letter.
    pub start: usize,
    /// Byte offset after its last letter.
    pub end: usize,
    pub lower: String,
    pub stem: String,
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| list(COMMON_WORDS));

/// Everyday nouns: these may be a thing's name where the sentence says so ("the web deployment").
static NOUNS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let after = COMMON_WORDS.split_once("# trade nouns").map_or("", |(_, rest)| rest);
    list(after.split_once('#').map_or(after, |(nouns, _)| nouns))
});

/// Inflections of everyday words are everyday words: `launches`, `associated`.
static COMMON_STEMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| COMMON.iter().filter(|word| word.len() > 3).map(|word| stem(word)).collect());

/// Names that people give their environments, although they are words.
const ENVIRONMENTS: &[&str] = &["prod", "production", "staging", "stage", "dev", "development", "qa", "uat", "sandbox"];

const COMMON_WORDS: &str = include_str!("../data/common_words.txt");

/// Words that never name or mean a thing.
static STOP: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    list(
        "a an the this that these those it its they them their he him his she her hers we us our i me my you your and or but \
         if then else so as at by for from in into of off on onto out over to up with within without via per about after \
         before between through until since is are was were be been being am do does did done has have had having will \
         would shall should can could may might must not no nor yes please let lets there here who whom whose which what \
         when where why how all any both each every few more most other some such only own same than too very just also \
         again once now new use using get got make made want wants need needs give gives like called named name call everything something anything nothing everyone somebody anybody everybody",
    )
});

/// Words of letters and digits, with offsets. A possessive `'s` is dropped.
pub(crate) fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                push_word(&mut words, text, begin, at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Lower-case words of an identifier: `CidrBlock`, `cidr-block`, `cidr_block` and `cidr.block` are `cidr block`;
/// `VPCId` is `vpc id`, `InstanceIds` is `instance ids`.
pub(crate) fn split_identifier(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().take(256).collect();
    let mut words = vec![String::new()];
    for (index, c) in chars.iter().enumerate() {
        let previous = index.checked_sub(1).map(|before| chars[before]);
        let next = chars.get(index + 1);
        let starts_word = c.is_uppercase()
            && previous.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || next.is_some_and(|next| next.is_lowercase() && !is_plural_s(&chars, index))
            });
        if starts_word || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Stem of a lower-case word.
pub(crate) fn stem(lower: &str) -> String {
    match lower {
        // Porter makes "new" of "news" and "ident" of both "identity" and "identical".
        "news" | "status" | "address" | "access" | "dns" | "sns" | "sqs" | "aws" | "ecs" | "eks" | "rds" | "kms"
        | "tags" => lower.strip_suffix('s').filter(|_| lower == "tags").unwrap_or(lower).to_owned(),
        _ => STEMMER.stem(lower).into_owned(),
    }
}

/// A word without a meaning of its own: an article, preposition, pronoun.
pub(crate) fn is_stop(lower: &str) -> bool {
    STOP.contains(lower)
}

/// An everyday English or trade word, which is not by itself the name of somebody's thing.
pub(crate) fn is_common(lower: &str) -> bool {
    if ENVIRONMENTS.contains(&lower) {
        return false;
    }
    is_stop(lower) || COMMON.contains(lower) || (lower.len() > 4 && COMMON_STEMS.contains(&stem(lower)))
}

/// An everyday word that describes rather than names: "private" of "a private bucket".
pub(crate) fn is_modifier(lower: &str) -> bool {
    is_common(lower)
        && !NOUNS.contains(lower)
        && !lower.strip_suffix('s').is_some_and(|singular| NOUNS.contains(singular))
}

/// Longest prefix of at most `limit` bytes that does not cut a character.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

// === private ===

fn list(text: &'static str) -> HashSet<&'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

fn push_word(words: &mut Vec<Word>, text: &str, start: usize, end: usize) {
    let lower = text[start..end].to_lowercase();
    let after_apostrophe = text[..start].ends_with(['\'', '’']) && text[..start].len() > 1;
    if after_apostrophe && matches!(lower.as_str(), "s" | "t" | "re" | "ll" | "ve" | "d") {
        return;
    }
    let stem = stem(&lower);
    words.push(Word { start, end, lower, stem });
}

/// `VPCs`, `ARNs`: the `s` does not begin a word.
fn is_plural_s(chars: &[char], index: usize) -> bool {
    chars.get(index + 1) == Some(&'s') && chars.get(index + 2).is_none_or(|after| !after.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_cut_at_case_and_punctuation() {
        let cut = |name| split_identifier(name).join(" ");
        assert_eq!(cut("CidrBlock"), "cidr block");
        assert_eq!(cut("VPCId"), "vpc id");
        assert_eq!(cut("InstanceIds"), "instance ids");
        assert_eq!(cut("all-namespaces"), "all namespaces");
        assert_eq!(cut("payment_intent"), "payment intent");
        assert_eq!(cut("ListARNs"), "list arns");
        assert_eq!(cut("t3.micro"), "t3 micro");
        assert_eq!(cut(""), "");
    }

    #[test]
    fn words_keep_their_place_and_lose_the_possessive() {
        let text = "Meta's kube-system";
        let words: Vec<_> = split(text).into_iter().map(|word| (word.lower, word.start)).collect();
        assert_eq!(words, [("meta".into(), 0), ("kube".into(), 7), ("system".into(), 12)]);
    }

    #[test]
    fn inflections_share_a_stem() {
        assert_eq!(stem("charged"), stem("charge"));
        assert_eq!(stem("namespaces"), stem("namespace"));
        assert_eq!(stem("status"), "status");
    }

    #[test]
    fn a_modifier_is_no_noun() {
        assert!(["private", "new", "encrypted", "launched"].iter().all(|word| is_modifier(word)));
        assert!(["web", "logs", "default", "orders"].iter().all(|word| !is_modifier(word)));
    }

    #[test]
    fn everyday_words_are_no_names() {
        for word in ["bucket", "logs", "deployment", "please", "everything"] {
            assert!(is_common(word), "{word}");
        }
        for word in ["checkout", "nginx", "alice"] {
            assert!(!is_common(word), "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut_at_character_borders(text in "\\PC{0,80}", limit in 0usize..90) {
            for word in split(&text) {
                prop_assert_eq!(text[word.start..word.end].to_lowercase(), word.lower);
            }
            split_identifier(&text);
            prop_assert!(clip(&text, limit).len() <= limit);
        }
    }
}
