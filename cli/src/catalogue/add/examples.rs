//! Requests that shall be routed to an added catalogue, made of what its operations say of themselves.
//!
//! They are data from outside: one clean line each, and only compared with requests as sentences, never put into a prompt as an
//! order.

use std::collections::BTreeSet;

use silverback_catalogue::{Operation, import::Imported};

/// Most examples: a card holds 256 and 32 KiB; each costs about 15 ms once.
const MAX_EXAMPLES: usize = 60;
/// Longest example, in letters.
const MAX_CHARS: usize = 120;

/// The user's own examples, then one for operations spread over all services.
pub fn of(imported: &Imported, own: &[String]) -> Vec<String> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut examples: Vec<String> = own.iter().map(|text| text.trim().to_owned()).collect();
    let longest = imported.services.iter().map(|service| service.operations.len()).max().unwrap_or(0);
    // Each service says one thing before any says a second: a big one must not hide the others.
    let spread =
        (0..longest).flat_map(|at| imported.services.iter().filter_map(move |service| service.operations.get(at)));
    for operation in spread {
        if examples.len() >= MAX_EXAMPLES {
            break;
        }
        let example = example(operation, &imported.provider, examples.len());
        if !example.trim().is_empty() && seen.insert(example.clone()) {
            examples.push(example);
        }
    }
    examples.truncate(MAX_EXAMPLES);
    examples
}

/// The summary as a request; every other one names the provider, as people do when several could be meant.
fn example(operation: &Operation, provider: &str, number: usize) -> String {
    let is_telling = operation.summary.split_whitespace().count() > 1 && !operation.summary.contains(" /");
    let said = if is_telling { operation.summary.clone() } else { words(&operation.name) };
    let said = line(said.trim_end_matches('.'));
    if number % 2 == 1 { format!("{said} in {provider}") } else { said }
}

/// `getPetById` → `get pet by id`.
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (was_lower && letter.is_uppercase()) {
            words.push(' ');
        }
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words
}

/// One line without control characters, cut at a length that cards take.
pub fn line(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(MAX_CHARS).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        assert_eq!(words("getPetById"), "get pet by id");
        assert_eq!(words("read_text-file"), "read text file");
        assert_eq!(line("a\n\u{1b}b").len(), 3);
    }
}
