//! Decides which lines of the planner are wishes of their own, and which only say more about one.
//!
//! A small model makes lines of reasons ("Worker-12 is fixed"), details ("No public IP") and of one wish said twice. No single sign tells
//! these from wishes; a logistic regression over a few does.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    order,
    refusal::{self, is_foreign},
    sense::Sense,
    shape::{self, Shape},
};

/// Probability from which a line is a wish of its own. Smaller: details become steps; bigger: wishes hang on to the step before.
const WISH_FROM: f64 = 0.43;

/// Weights, fitted on 486 lines of the tune parts of `tests/requests` (2026-11-27). In eight-fold cross-validation 93 of 114 new requests
/// for one call stay one step (34 were each line one), and 30 of 32 compound ones keep theirs.
const BASE: f64 = -1.90;
const ACTION: f64 = 0.80;
const DETAIL: f64 = 0.57;
const PIECE: f64 = 0.53;
const FITS: f64 = 0.35;
const PHRASE: f64 = 1.23;
const HAS_VALUE: f64 = 0.48;
const SAME_OPERATION: f64 = -2.25;
const SAME_THING: f64 = -1.19;
const OTHER_CAPABILITY: f64 = 0.38;
const SHORT: f64 = -0.88;
const LIMITS: f64 = -0.99;
const FIRST: f64 = 2.04;
const JOINED: f64 = 1.83;
const FOREIGN: f64 = 0.68;

/// Beyond this the odds of a fit say nothing more.
const LEAST_FIT: f64 = 1e-3;
/// What a line fits, and its likeness to a phrase, that no capability is for.
const FOREIGN_FIT: (f64, f64) = (0.01, 0.0);
/// The same where no specialist could say: as an ordinary wish has it.
const UNKNOWN_FIT: (f64, f64) = (0.9, 0.75);

static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(don't|do not|dont|no|not|never|nothing|only|just|leave|keep|but)\b").expect("a constant pattern")
});
static JOINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(then|also|and|plus|after that|afterwards)\b|;").expect("a constant pattern"));

/// What is remembered of a line for those after it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    operation: Option<String>,
    capability: Option<String>,
    values: Vec<String>,
}

// === impl Heard ===

impl Heard {
    /// Of a line with what is known of it.
    pub fn of(line: &str, sense: &Sense) -> Self {
        Self {
            operation: sense.operation().map(str::to_owned),
            capability: refusal::best(&sense.scores).map(str::to_owned),
            values: literals(line).map(str::to_owned).collect(),
        }
    }
}

/// Is a line of this request a wish of its own? `own` is what is remembered of it, `earlier` of the lines before it.
pub fn is_wish(request: &str, line: &str, sense: &Sense, own: &Heard, earlier: &[Heard]) -> bool {
    1.0 / (1.0 + (-sum(request, line, sense, own, earlier)).exp()) >= WISH_FROM
}

fn sum(request: &str, line: &str, sense: &Sense, own: &Heard, earlier: &[Heard]) -> f64 {
    let found = own.capability.as_ref().and_then(|name| sense.recognised.get(name));
    let shape = shape::of(line);
    let (fits, phrase) = match found {
        Some(found) => (found.fits.clamp(LEAST_FIT, 1.0 - LEAST_FIT), found.phrase),
        None if sense.recognised.is_empty() => UNKNOWN_FIT,
        None => FOREIGN_FIT,
    };
    let same: Vec<&Heard> =
        earlier.iter().filter(|heard| own.operation.is_some() && heard.operation == own.operation).collect();
    let shares =
        |heard: &&Heard| order::has_pronoun(line) || heard.values.iter().any(|value| own.values.contains(value));
    let before = earlier.last().and_then(|heard| heard.capability.as_ref());
    let is_elsewhere = before.zip(own.capability.as_ref()).is_some_and(|(before, own)| before != own);
    let signs = [
        (shape == Shape::Action, ACTION),
        (shape == Shape::Detail, DETAIL),
        (shape == Shape::Piece, PIECE),
        (!own.values.is_empty(), HAS_VALUE),
        (!same.is_empty(), SAME_OPERATION),
        (same.iter().any(shares), SAME_THING),
        (is_elsewhere, OTHER_CAPABILITY),
        (line.split_whitespace().count() <= 3, SHORT),
        (LIMIT.is_match(line), LIMITS),
        (earlier.is_empty(), FIRST),
        (JOINT.is_match(request), JOINED),
        (shape == Shape::Action && is_foreign(&sense.scores), FOREIGN),
    ];
    let said: f64 = signs.iter().filter(|(is_so, _)| *is_so).map(|(_, weight)| weight).sum();
    BASE + said + FITS * (fits / (1.0 - fits)).ln() + PHRASE * phrase
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
    use std::collections::BTreeMap;

    use silverback_proto::v1::Recognition;

    use super::*;

    fn sense(capability: &str, fits: f64, operation: &str) -> Sense {
        let found =
            Recognition { fits, phrase: 0.4 + fits / 2.0, operation: operation.to_owned(), ..Recognition::default() };
        Sense {
            scores: BTreeMap::from([(capability.to_owned(), 0.9)]),
            recognised: BTreeMap::from([(capability.to_owned(), found)]),
        }
    }

    /// Which of the lines are wishes.
    fn wishes(request: &str, lines: &[(&str, Sense)]) -> Vec<bool> {
        let mut earlier = Vec::new();
        let decide = |(line, sense): &(&str, Sense)| {
            let own = Heard::of(line, sense);
            let is_wish = is_wish(request, line, sense, &own, &earlier);
            earlier.push(own);
            is_wish
        };
        lines.iter().map(decide).collect()
    }

    #[test]
    fn two_orders_are_two_wishes() {
        let lines = [
            ("Stop the instance i-0abc1", sense("aws", 0.97, "aws/ec2/StopInstances")),
            ("Scale the deployment web to 3", sense("kubernetes", 0.95, "kubernetes/kubectl/scale")),
        ];
        assert_eq!(wishes("stop i-0abc1 and scale deployment web to 3", &lines), [true, true]);
    }

    #[test]
    fn orders_are_wishes_also_where_no_specialist_could_say() {
        let silent = || Sense { scores: BTreeMap::from([("aws".to_owned(), 0.9)]), ..Sense::default() };
        let lines = [("Stop the instance i-0abc1", silent()), ("Delete the bucket logs-eu", silent())];
        assert_eq!(wishes("Stop the instance i-0abc1, delete the bucket logs-eu", &lines), [true, true]);
    }

    #[test]
    fn details_and_reasons_hang_on_to_their_wish() {
        let lines = [
            ("Resize the volume vol-0d4c to 500 GB", sense("aws", 0.95, "aws/ec2/ModifyVolume")),
            ("Change the volume vol-0d4c to gp3", sense("aws", 0.9, "aws/ec2/ModifyVolume")),
            ("No public IP", sense("aws", 0.4, "aws/ec2/AllocateAddress")),
            ("Someone found a bug", sense("kubernetes", 0.05, "kubernetes/kubectl/debug")),
        ];
        let request = "vol-0d4c is full, take it to 500 GB, make it gp3, no public ip, someone found a bug";
        assert_eq!(wishes(request, &lines), [true, false, false, false]);
    }

    #[test]
    fn only_words_that_can_be_nothing_but_values_are_literals() {
        let text = "Stop i-0abc123, mail jane@example.com and copy s3://raw to the well-known place, 25 times.";
        assert_eq!(literals(text).collect::<Vec<_>>(), ["i-0abc123", "jane@example.com", "s3://raw"]);
    }
}
