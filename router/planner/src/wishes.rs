//! Cuts a request into its wishes, at the words where a model says that a new one begins.

use std::sync::LazyLock;

use regex::Regex;
use silverback_proto::v1::Beginning;

/// Probability from which a word begins a new wish. Smaller: details become steps; bigger: two wishes become one.
const BEGINS_FROM: f64 = 0.5;

/// What joins a wish to the one before and says nothing of its own.
static JOINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:[\s,;.&+–—•*-]+|\(?\d{1,2}[.)]\s|(?:and|then|also|plus|next|finally|after that|afterwards|oh|lastly)\b)+")
        .expect("a constant pattern")
});

/// The wishes of a text, each in its own words.
pub fn wishes<'a>(text: &'a str, beginnings: &[Beginning]) -> Vec<&'a str> {
    let begins = beginnings.iter().filter(|word| word.probability >= BEGINS_FROM);
    let cuts = begins.map(|word| word.at as usize).filter(|at| text.is_char_boundary(*at));
    let (mut wishes, mut from) = (Vec::new(), 0);
    for at in cuts.chain([text.len()]) {
        // A piece that says nothing ("1.", "and") belongs to what follows.
        if at > from && says_something(&text[from..at]) {
            wishes.push(without_joint(&text[from..at]));
            from = at;
        }
    }
    if wishes.is_empty() { vec![text.trim()] } else { wishes }
}

fn says_something(piece: &str) -> bool {
    without_joint(piece).chars().any(char::is_alphanumeric)
}

fn without_joint(piece: &str) -> &str {
    let said = &piece[JOINT.find(piece).map_or(0, |joint| joint.end())..];
    said.trim_end_matches(|letter: char| letter.is_whitespace() || ",;&".contains(letter))
}

/// Words of a request that can only be values: they hold a digit beside another sign, or an `@`, `/`, `:` or `_` inside.
pub fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '$'))
        .map(|word| word.strip_suffix("'s").unwrap_or(word))
        .filter(|word| word.len() >= 4)
        .filter(|word| {
            let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
            let has_mark = word.bytes().any(|byte| b"@/:_-.".contains(&byte));
            has_digit && has_mark || word.contains('@') || word.contains("://")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut<'a>(text: &'a str, words: &[(&str, f64)]) -> Vec<&'a str> {
        let at = |word: &str| u32::try_from(text.find(word).unwrap()).unwrap();
        let beginnings: Vec<_> =
            words.iter().map(|(word, probability)| Beginning { at: at(word), probability: *probability }).collect();
        wishes(text, &beginnings)
    }

    #[test]
    fn a_wish_goes_from_its_first_word_to_the_next() {
        let text = "stop i-0abc1, and then scale web to 3; list the buckets.";
        let found = cut(text, &[("and then", 0.9), ("list", 0.8)]);
        assert_eq!(found, ["stop i-0abc1", "scale web to 3", "list the buckets."]);
    }

    #[test]
    fn an_unlikely_beginning_cuts_nothing() {
        assert_eq!(cut("make a volume, use gp3", &[("use", 0.4)]), ["make a volume, use gp3"]);
    }

    #[test]
    fn numbers_of_a_list_and_blanks_are_no_wishes() {
        assert_eq!(cut("1. stop i-1\n2. start i-2", &[("1.", 0.9), ("2.", 0.9)]), ["stop i-1", "start i-2"]);
        assert_eq!(cut("and stop i-1", &[("stop", 0.9)]), ["stop i-1"]);
        assert_eq!(cut("  ", &[]), [""]);
    }

    #[test]
    fn places_outside_the_text_are_left_out() {
        let beyond = Beginning { at: 99, probability: 1.0 };
        let inside = Beginning { at: 1, probability: 1.0 };
        assert_eq!(wishes("ä b", &[inside, beyond]), ["ä b"]);
    }

    #[test]
    fn only_words_that_can_be_nothing_but_values_are_literals() {
        let text = "Stop i-0abc123, mail jane@example.com and copy s3://raw to the well-known place, 25 times.";
        assert_eq!(literals(text).collect::<Vec<_>>(), ["i-0abc123", "jane@example.com", "s3://raw"]);
    }
}
