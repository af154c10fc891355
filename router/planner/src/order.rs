//! Finds which earlier line a line speaks of.
//!
//! The model is asked to name things in full; so a line that uses what an earlier one makes shares its name or value with it, or
//! says "the bucket" after "a bucket". Not asked of the model: it puts an order everywhere (PARTS.md: needless edges).

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

static MAKES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(create|make|add|launch|start|allocate|register|set up|new|build|open|generate|provision|spin up|run|request|issue|write)\b")
        .expect("a constant pattern")
});
static PRONOUN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(it|its|them|their|her|his|him|there|this|that one|the same)\b").expect("a constant pattern")
});
/// What an article introduces: the words after it, as far as the name or the next part of the sentence.
static INDEFINITE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:an?|new|another)\s+((?:[\w.-]+\s+){0,5}?[\w-]+)\s*(?:$|["'`(,;:.]|\s(?:in|on|for|with|from|of|to|at|by|as|and|that|which|named|called|into|inside|under|using|via|["'`(]|\S*[\d./@:_=-]\S*)(?:\s|$|['"`]))"#)
        .expect("a constant pattern")
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:called|named|name|for)\s+["'`]?([\w.@:/-]{2,})"#).expect("a constant pattern")
});

/// Words that lines about different things share.
const COMMON: &[&str] = &[
    "with", "from", "that", "this", "into", "name", "named", "called", "show", "list", "tell", "give", "create",
    "make", "what", "which", "then", "please", "there", "their", "about",
];

/// Indices of the earlier lines whose making this line builds upon.
pub fn depends_on(line: &str, earlier: &[String]) -> Vec<usize> {
    let words = words(line);
    let mut found: Vec<usize> = earlier
        .iter()
        .enumerate()
        .filter(|(_, before)| MAKES.is_match(before) && made_things(before).iter().any(|thing| words.contains(thing)))
        .map(|(index, _)| index)
        .collect();
    if found.is_empty() && PRONOUN.is_match(line) && !earlier.is_empty() {
        found.push(earlier.len() - 1);
    }
    found
}

/// Does the line speak of something without naming it?
pub fn has_pronoun(line: &str) -> bool {
    PRONOUN.is_match(line)
}

/// The latest earlier line that shares a telling word with this one.
pub fn alike(line: &str, earlier: &[String]) -> Option<usize> {
    let telling =
        |line: &str| words(line).into_iter().filter(|word| word.len() > 3 && !COMMON.contains(&word.as_str()));
    let own: BTreeSet<String> = telling(line).collect();
    earlier.iter().rposition(|before| telling(before).any(|word| own.contains(&word)))
}

/// Names, values and nouns by which a later line may speak of what this one makes.
fn made_things(line: &str) -> BTreeSet<String> {
    // The last word is the thing: "a cognito user pool" is a pool.
    let head = |found: regex::Captures<'_>| found[1].split_whitespace().last().map(str::to_lowercase);
    let nouns = INDEFINITE.captures_iter(line).filter_map(head).filter(|noun| noun.len() > 1);
    let names = NAMED.captures_iter(line).map(|found| found[1].trim_matches('.').to_lowercase());
    let values = words(line)
        .into_iter()
        .filter(|word| word.len() > 2 && word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@'));
    nouns.chain(names).chain(values).collect()
}

fn words(line: &str) -> BTreeSet<String> {
    line.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).trim_end_matches("'s").to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lines: &[&str]) -> Vec<usize> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let (last, earlier) = lines.split_last().unwrap();
        depends_on(last, earlier)
    }

    #[test]
    fn a_line_waits_for_what_it_names() {
        assert_eq!(order(&["Create a VPC 10.0.0.0/16", "Create a subnet 10.0.1.0/24 in the VPC 10.0.0.0/16"]), [0]);
        assert_eq!(
            order(&["Create a Stripe customer for jane@example.com", "Charge jane@example.com 25 dollars"]),
            [0]
        );
        assert_eq!(
            order(&["Create a topic called alerts", "List pods", "Subscribe ops@acme.io to the topic alerts"]),
            [0]
        );
        assert_eq!(order(&["Make a bucket logs-7", "Put it under lock"]), [0]);
    }

    #[test]
    fn a_thing_is_the_last_of_its_words() {
        let twice = |one, two| order(&[one, two]);
        assert_eq!(twice("Create a 100 GB disk in eu-central-1a", "Attach the disk to i-0data1"), [0]);
        assert_eq!(twice("Create a cognito user pool 'members'", "Create an app client in the pool 'members'"), [0]);
        assert_eq!(twice("Create a payment intent of 75 eur", "Confirm the payment intent with pm_1"), [0]);
        assert_eq!(twice("Make a network 172.16.0.0/12", "Make a gateway for the network"), [0]);
        assert_eq!(twice("Create a new topic", "Publish to the topic"), [0]);
    }

    #[test]
    fn neighbours_without_a_common_thing_run_side_by_side() {
        assert_eq!(order(&["Stop instance i-0abc123", "Terminate instance i-0def456"]), Vec::<usize>::new());
        assert_eq!(
            order(&["Scale the web deployment to 5", "Create an S3 bucket for logs in eu-west-1"]),
            Vec::<usize>::new()
        );
        assert_eq!(order(&["Restart the deployment api", "List the S3 buckets"]), Vec::<usize>::new());
    }
}
