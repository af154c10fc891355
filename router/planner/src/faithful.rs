//! Tells whether a wish that the model says in full is still that wish: nothing lost, nothing added, no other wish in it.

use std::collections::BTreeSet;

use crate::order;

/// Words that turn a wish into another when they are lost or added.
const LIMITING: &[&str] =
    &["no", "not", "never", "without", "except", "excluding", "only", "all", "but", "don't", "dont", "unless"];

/// Letters of a word that tells something.
const LEAST_TELLING: usize = 4;

/// Share of a wish's telling words that must be there when it is said in full; the others stood for something ("that", "theirs").
const LEAST_KEPT: f64 = 0.7;

/// The same of a wish with a pronoun: "subscribe her to that price" is said with other words, and read alone it says nothing.
const LEAST_OF_MEANT: f64 = 0.5;

/// Words that stand for something, which is named instead when a wish is said in full, and words that only join.
const UNTELLING: &[&str] = &[
    "that", "this", "those", "these", "them", "they", "their", "theirs", "there", "here", "same", "with", "from",
    "into", "onto", "also", "then", "please", "just", "once", "after", "when",
];

/// Longest line, in characters: the model's lines end there, whatever is missing.
pub const MAX_LINE: usize = 600;

/// Does the line say the wish of this index, and it alone?
pub fn is_faithful(line: &str, index: usize, wishes: &[&str]) -> bool {
    let wish = wishes[index];
    let (said, own) = (words(line), words(wish));
    let request: BTreeSet<String> = wishes.iter().flat_map(|wish| words(wish)).collect();
    let limits = |words| only(words, |word| LIMITING.contains(&word));
    let values = |words| only(words, |word| word.chars().any(is_of_values));
    // A name may be said again from an earlier wish; a bare number means nothing elsewhere.
    let may_be_said = |value: &String| own.contains(value) || request.contains(value) && !is_bare_number(value);
    line.chars().count() <= MAX_LINE
        && values(&own).is_subset(&said)
        && values(&said).iter().all(may_be_said)
        && limits(&said) == limits(&own)
        && holds_most(&said, &only(&own, is_telling), if order::has_pronoun(wish) { LEAST_OF_MEANT } else { LEAST_KEPT })
        // What comes before may be named whole, what comes after has a line of its own.
        && !wishes[index + 1..].iter().any(|later| line.to_lowercase().contains(&later.to_lowercase()))
}

/// Those of the words.
fn only(words: &BTreeSet<String>, is_one: impl Fn(&str) -> bool) -> BTreeSet<String> {
    words.iter().filter(|word| is_one(word)).cloned().collect()
}

fn holds_most(said: &BTreeSet<String>, telling: &BTreeSet<String>, least: f64) -> bool {
    let kept = telling.iter().filter(|word| said.contains(*word)).count();
    kept as f64 >= least * telling.len() as f64
}

fn is_telling(word: &str) -> bool {
    word.chars().count() >= LEAST_TELLING && !UNTELLING.contains(&word)
}

/// Words with such a letter can only be values: `i-0abc`, `/dev/xvdb`, `me@example.com`, `LOG_LEVEL`.
fn is_of_values(letter: char) -> bool {
    letter.is_ascii_digit() || "/:@_=".contains(letter)
}

fn is_bare_number(word: &str) -> bool {
    word.chars().all(|letter| letter.is_ascii_digit() || ".,%$€£".contains(letter))
}

fn words(text: &str) -> BTreeSet<String> {
    let trimmed = |word: &str| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric() && !"/$€£%*+-".contains(letter));
        word.trim_end_matches("'s").to_lowercase().replace('’', "'")
    };
    text.split(|letter: char| letter.is_whitespace() || letter == ',')
        .map(trimmed)
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISHES: [&str; 2] =
        ["make a 100 GB disk in eu-central-1a, no encryption", "attach it to i-0data1 as /dev/xvdb"];

    fn says(index: usize, line: &str) -> bool {
        is_faithful(line, index, &WISHES)
    }

    #[test]
    fn what_it_stands_for_may_be_said() {
        assert!(says(1, "Attach the disk to i-0data1 as /dev/xvdb"));
        assert!(says(1, "Attach the disk in eu-central-1a to i-0data1 as /dev/xvdb"));
        assert!(says(0, WISHES[0]));
        let wishes = ["Create a VPC 10.0.0.0/16", "with a subnet 10.0.1.0/24 in it."];
        assert!(is_faithful("Create a subnet 10.0.1.0/24 in the VPC 10.0.0.0/16", 1, &wishes));
        let wishes = ["an internet gateway", "attach that one to the vpc, cpu=500m,memory=1Gi"];
        assert!(is_faithful("Attach the internet gateway to the VPC, cpu=500m, memory=1Gi", 1, &wishes));
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
        assert!(!is_faithful(both, 0, &wishes));
        assert!(is_faithful(wishes[1], 1, &wishes));
        let earlier = "Put image acme/feed on the rollout container web, pause the rollout of deployment feed";
        assert!(is_faithful(earlier, 1, &wishes), "what comes before may be named");
    }
}
