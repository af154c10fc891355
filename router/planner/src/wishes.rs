//! Cuts a request into its wishes, at the words where a model says that a new one begins.

use std::sync::LazyLock;

use regex::Regex;
use silverback_proto::v1::Beginning;

/// Probability from which a word begins a new wish. Smaller: details become steps; bigger: two wishes become one.
const BEGINS_FROM: f64 = 0.5;

/// What joins a wish to the one before and says nothing of its own.
static JOINT: LazyLock<Regex> = LazyLock::new(|| {
    // A mark counts before a blank only: ".env", "+47…" and "-5%" are values.
    Regex::new(r"(?i)^(?:[\s,;&]+|[.+–—•*-]+\s+|\(?\d{1,2}[.)]\s+|(?:and|then|also|plus|finally|after that|afterwards|oh|lastly)(?:\s|,)|next,)+")
        .expect("a constant pattern")
});
/// What is left of the wish after, at the end of one.
static TRAIL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(?:[\s,;&]+(?:\(?\d{1,2}\)|and|then|plus)?)+$").expect("a constant pattern"));

/// The wishes of a text, each in its own words.
pub fn wishes<'a>(text: &'a str, beginnings: &[Beginning]) -> Vec<&'a str> {
    let begins = beginnings.iter().filter(|word| word.probability >= BEGINS_FROM);
    // What is quoted is one value, and a place inside a letter or beyond the text is none.
    let is_open = |at: &usize| text.get(..*at).is_some_and(|before| before.matches('"').count() % 2 == 0);
    let cuts = begins.map(|word| word.at as usize).filter(is_open);
    let (mut wishes, mut from) = (Vec::new(), 0);
    for at in cuts.chain([text.len()]) {
        // A piece that says nothing ("1.", "and") belongs to what follows.
        if at > from && says_something(&text[from..at]) {
            wishes.push(without_joint(&text[from..at]));
            from = at;
        }
    }
    // Of one wish even the joining words may mean something.
    if wishes.len() < 2 { vec![text.trim()] } else { wishes }
}

fn says_something(piece: &str) -> bool {
    without_joint(piece).chars().any(char::is_alphanumeric)
}

fn without_joint(piece: &str) -> &str {
    let said = &piece[JOINT.find(piece).map_or(0, |joint| joint.end())..];
    &said[..TRAIL.find(said).map_or(said.len(), |trail| trail.start())]
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
        assert_eq!(cut("stop i-1 and 2) start i-2", &[("start", 0.9)]), ["stop i-1", "start i-2"]);
        let dated = "stop i-1 on April 21. tell me the price on May 3";
        assert_eq!(cut(dated, &[("tell", 0.9)]), ["stop i-1 on April 21.", "tell me the price on May 3"]);
        assert_eq!(cut("and stop i-1", &[("stop", 0.9)]), ["and stop i-1"]);
        assert_eq!(cut("  ", &[]), [""]);
    }

    #[test]
    fn marks_of_values_stay() {
        let text = "page ops and +4790012345, -5% on p_1, *.log to s3://x, .env too, next.js down";
        let found = cut(text, &[("and +", 0.9), ("-5%", 0.9), ("*.log", 0.9), (".env", 0.9), ("next.js", 0.9)]);
        assert_eq!(found, ["page ops", "+4790012345", "-5% on p_1", "*.log to s3://x", ".env too", "next.js down"]);
        assert_eq!(cut("Next earnings of AAPL", &[]), ["Next earnings of AAPL"]);
    }

    #[test]
    fn what_is_quoted_is_not_cut() {
        let text = "send \"text-1\" to q, then stop";
        assert_eq!(cut(text, &[("text-1", 0.9), ("then", 0.9)]), ["send \"text-1\" to q", "stop"]);
    }

    #[test]
    fn places_outside_the_text_are_left_out() {
        let beyond = Beginning { at: 99, probability: 1.0 };
        let inside = Beginning { at: 1, probability: 1.0 };
        assert_eq!(wishes("ä b", &[inside, beyond]), ["ä b"]);
    }
}
