//! What an operation says about itself, as one short text for an encoder.

use std::fmt::Write as _;

use serde_json::Value;

use super::fields::GENERIC_TITLE_WORDS;
use super::words::split_name;
use crate::operation::Operation;

/// Bytes of a summary that are read: encoders average, and the first clause says what is done.
const MAX_SUMMARY: usize = 160;
/// Bytes of users' words and example titles.
const MAX_WORDS: usize = 120;
/// Bytes of the names of what has to be given, and of what may be.
const MAX_NEEDS: usize = 80;
const MAX_TAKES: usize = 100;

/// `Lambda: create function`; `title` is what people call its service.
pub(crate) fn heading(operation: &Operation, title: &str) -> String {
    let is_telling = |word: &&str| !GENERIC_TITLE_WORDS.contains(&word.to_lowercase().as_str());
    let mut text = title.split_whitespace().filter(is_telling).collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        text.push_str(": ");
    }
    text.push_str(&split_name(&operation.name).join(" "));
    text
}

/// `Lambda: create function. Creates a Lambda function. add a lambda, deploy code`
pub(crate) fn sentence(operation: &Operation, title: &str) -> String {
    let mut text = heading(operation, title);
    if !operation.summary.is_empty() {
        let _ = write!(text, ". {}", clause(&operation.summary, MAX_SUMMARY));
    }
    let mut room = MAX_WORDS;
    for words in &operation.words {
        if words.len() > room {
            break;
        }
        room -= words.len();
        let _ = write!(text, ". {words}");
    }
    text
}

/// The same with what has to be given and what may be: `…; needs function name, role; takes runtime, handler`.
pub(crate) fn portrait(operation: &Operation, title: &str) -> String {
    let mut text = sentence(operation, title);
    let open = |schema: &Value| schema.get("x-never").is_none();
    let names = |required: bool| {
        let of_kind = move |(name, _): &(&str, &Value)| operation.is_required(name) == required;
        operation.properties().filter(|(_, schema)| open(schema)).filter(of_kind).map(|(name, _)| name)
    };
    for (heading, required, mut room) in [("needs", true, MAX_NEEDS), ("takes", false, MAX_TAKES)] {
        let mut separator = format!("; {heading} ");
        for name in names(required) {
            let name = split_name(name).join(" ");
            if name.len() > room {
                break;
            }
            room -= name.len();
            let _ = write!(text, "{separator}{name}");
            ", ".clone_into(&mut separator);
        }
    }
    text
}

/// The first sentence, cut at a word when it is long.
fn clause(text: &str, limit: usize) -> &str {
    let text = text.split_inclusive(". ").next().unwrap_or(text).trim_end_matches(['.', ' ']);
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].rsplit_once(' ').map_or(&text[..end], |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::clause;

    #[test]
    fn a_summary_ends_with_its_first_sentence_or_at_a_word() {
        assert_eq!(clause("Creates a table. It may take long.", 99), "Creates a table");
        assert_eq!(clause("Creates a very long table", 17), "Creates a very");
        assert_eq!(clause("ÄÖÜäöü", 3), "Ä");
    }
}
