//! Tells whether a wish that the model says in full is still that wish: nothing lost, nothing added, no other wish in it.

use std::collections::BTreeSet;

/// Words that turn a wish into another when they are lost or added.
const LIMITING: &[&str] =
    &["no", "not", "never", "without", "except", "excluding", "only", "all", "but", "don't", "dont", "unless"];

/// Letters of a word that tells something.
const LEAST_TELLING: usize = 4;

/// Share of a wish's telling words that must be there when it is said in full; the others stood for something ("that", "theirs").
const LEAST_KEPT: f64 = 0.7;

/// Telling words of another wish from which on a line that holds most of them says that one too.
const LEAST_OF_ANOTHER: usize = 3;

/// Longest line, in characters: the model's lines end there, whatever is missing.
pub const MAX_LINE: usize = 600;

/// Does the line say this wish of the request, and it alone?
pub fn is_faithful(line: &str, wish: &str, wishes: &[&str]) -> bool {
    let (said, own) = (words(line), words(wish));
    let request: BTreeSet<String> = wishes.iter().flat_map(|wish| words(wish)).collect();
    let limits = |words: &BTreeSet<String>| -> BTreeSet<String> {
        words.iter().filter(|word| LIMITING.contains(&word.as_str())).cloned().collect()
    };
    let values = |words: &BTreeSet<String>| -> BTreeSet<String> {
        words.iter().filter(|word| word.chars().any(|letter| letter.is_ascii_digit())).cloned().collect()
    };
    // A name may be said again from an earlier wish; a bare number means nothing elsewhere.
    let may_be_said = |value: &String| own.contains(value) || request.contains(value) && !is_bare_number(value);
    line.chars().count() <= MAX_LINE
        && values(&own).is_subset(&said)
        && values(&said).iter().all(may_be_said)
        && limits(&said) == limits(&own)
        && holds_most(&said, &telling(&own))
        && !wishes.iter().any(|other| *other != wish && says_too(&said, &own, other))
}

fn says_too(said: &BTreeSet<String>, own: &BTreeSet<String>, other: &str) -> bool {
    let further: Vec<String> = telling(&words(other)).into_iter().filter(|word| !own.contains(word)).collect();
    further.len() >= LEAST_OF_ANOTHER && holds_most(said, &further)
}

fn holds_most(said: &BTreeSet<String>, telling: &[String]) -> bool {
    let kept = telling.iter().filter(|word| said.contains(*word)).count();
    kept as f64 >= LEAST_KEPT * telling.len() as f64
}

fn telling(words: &BTreeSet<String>) -> Vec<String> {
    words.iter().filter(|word| word.chars().count() >= LEAST_TELLING).cloned().collect()
}

fn is_bare_number(word: &str) -> bool {
    word.chars().all(|letter| letter.is_ascii_digit() || ".,%$€£".contains(letter))
}

fn words(text: &str) -> BTreeSet<String> {
    let trimmed = |word: &str| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric() && !"/$€£%*+-".contains(letter));
        word.trim_end_matches("'s").to_lowercase().replace('’', "'")
    };
    text.split_whitespace().map(trimmed).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISHES: [&str; 2] =
        ["make a 100 GB disk in eu-central-1a, no encryption", "attach it to i-0data1 as /dev/xvdb"];

    fn says(index: usize, line: &str) -> bool {
        is_faithful(line, WISHES[index], &WISHES)
    }

    #[test]
    fn what_it_stands_for_may_be_said() {
        assert!(says(1, "Attach the disk to i-0data1 as /dev/xvdb"));
        assert!(says(1, "Attach the disk in eu-central-1a to i-0data1 as /dev/xvdb"));
        assert!(says(0, WISHES[0]));
    }

    #[test]
    fn nothing_is_lost() {
        assert!(!says(1, "Attach the disk to i-0data1"));
        assert!(!says(0, "Make a 100 GB disk in eu-central-1a with encryption"));
        assert!(!says(0, "100 GB eu-central-1a no"));
    }

    #[test]
    fn nothing_is_added() {
        assert!(!says(1, "Attach the 100 GB disk to i-0data1 as /dev/xvdb"), "a bare number");
        assert!(!says(1, "Attach the disk vol-0abc1 to i-0data1 as /dev/xvdb"));
        assert!(!says(1, "Only attach the disk to i-0data1 as /dev/xvdb"));
        assert!(!says(0, &format!("{} {}", WISHES[0], "x".repeat(MAX_LINE))));
    }

    #[test]
    fn two_wishes_in_one_line_are_not_one() {
        let wishes = ["pause the rollout of deployment feed", "put image acme/feed on the rollout container web"];
        let both = "Pause the rollout of deployment feed and put image acme/feed on the rollout container web";
        assert!(!is_faithful(both, wishes[0], &wishes));
        assert!(is_faithful(wishes[1], wishes[1], &wishes));
    }
}
