//! Tells whether a request is plainly one action, so that planning it would only cost time.

use std::sync::LazyLock;

use regex::Regex;

/// Words and marks that may join two actions.
static JOINTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(and|then|also|afterwards|plus|as well as|finally|next|before|after|while|once)\b|[;,\n]|[.?!]\s+\S")
        .expect("a constant pattern")
});

/// Is there nothing in the text that could join two actions? Errs towards `false`: the planner decides then.
pub fn is_one_action(text: &str) -> bool {
    !JOINTS.is_match(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_sentence_is_one_action() {
        assert!(is_one_action("Restart the checkout deployment in the prod namespace."));
        assert!(is_one_action("Which pods in kube-system are not running?"));
        assert!(is_one_action("Tell me the price of BRK.B"));
    }

    #[test]
    fn whatever_may_join_two_actions_goes_to_the_planner() {
        for text in ["Stop i-1 and terminate i-2.", "Make a bucket; list it", "Scale web. Restart api.", "a, b"] {
            assert!(!is_one_action(text), "{text}");
        }
    }
}
