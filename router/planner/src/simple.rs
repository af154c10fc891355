//! Tells whether a request is plainly one action, so that planning it would only cost time.

use std::sync::LazyLock;

use regex::Regex;

/// Words and marks that may join two actions. A comma before a word that only limits what was said joins nothing.
static JOINTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(and|then|also|afterwards|plus|as well as|finally|next|before|after|while|once|with (?:an?|two|three|its own))\b|[;\n]|[.?!]\s+\S|,\s*")
        .expect("a constant pattern")
});
static LIMITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i),\s*(?:but\s+)?(only|but|except|without|excluding|including|ignoring|using|in|on|for|from|to|at|of|with the|which|that|please)\b")
        .expect("a constant pattern")
});

/// Does this line only limit the one before it, so that it is no action of its own? One word alone is none either ("decrypted").
pub fn is_fragment(line: &str) -> bool {
    if line.split_whitespace().count() == 1 {
        return true;
    }
    static FRAGMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^(only|but|except|without|excluding|including|ignore|ignoring|using|use only|skip|with|in the|in namespace|for the)\b")
            .expect("a constant pattern")
    });
    FRAGMENT.is_match(line.trim())
}

/// Is there nothing in the text that could join two actions? Errs towards `false`: the planner decides then.
pub fn is_one_action(text: &str) -> bool {
    !JOINTS.is_match(&LIMITS.replace_all(text.trim(), " $1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_sentence_is_one_action() {
        assert!(is_one_action("Restart the checkout deployment in the prod namespace."));
        assert!(is_one_action("Which pods in kube-system are not running?"));
        assert!(is_one_action("Tell me the price of BRK.B"));
        assert!(is_one_action("Copy everything from s3://raw to s3://clean, only csv files."));
    }

    #[test]
    fn what_only_limits_is_no_action() {
        assert!(is_fragment("Only copy csv files from s3://raw to s3://clean"));
        assert!(is_fragment("Ignore daemon sets"));
        assert!(is_fragment("decrypted"));
        assert!(!is_fragment("Include the user in the group"));
    }

    #[test]
    fn whatever_may_join_two_actions_goes_to_the_planner() {
        for text in [
            "Stop i-1 and terminate i-2.",
            "Make a bucket; list it",
            "Scale web. Restart api.",
            "a, b",
            "a VPC with a subnet",
        ] {
            assert!(!is_one_action(text), "{text}");
        }
    }
}
