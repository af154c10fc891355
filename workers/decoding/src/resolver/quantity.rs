//! Reads numbers, sizes and durations: `5`, `three`, `a dozen`, `1,250.5`, `512Mi`, `20 GB`, `30 minutes`, `1h30m`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, stands_alone};

/// How much of which unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The number as said.
    pub amount: f64,
    /// Value of one unit: bytes for sizes, seconds for durations.
    pub unit: f64,
}

/// A minute, an hour, a day in seconds.
pub const MINUTE: f64 = 60.0;
/// Seconds of an hour.
pub const HOUR: f64 = 3600.0;
/// Seconds of a day.
pub const DAY: f64 = 86_400.0;

const ONES: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] = &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: &[(&str, f64)] =
    &[("dozen", 12.0), ("hundred", 100.0), ("thousand", 1e3), ("million", 1e6), ("billion", 1e9)];

const DIGITS: &str = r"(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,9})?";

/// Pattern of a number in digits or words, without groups; case-insensitive where it is used.
pub(crate) fn number_pattern() -> String {
    let ones = ONES.join("|");
    let tens = TENS.join("|");
    let scales = SCALES.map_names();
    let small = format!(r"(?:(?:{tens})(?:[ -](?:{ones}))?|(?:{ones}))");
    format!(r"(?:half a dozen|(?:{DIGITS}|an?|{small})\s+(?:{scales})|{DIGITS}|{small})")
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(&number_pattern()));

static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    let number = number_pattern();
    let unit = "seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?";
    pattern(&format!(
        r"(?P<number>half an?|{number}|an?|last|past|previous)[ -]?\s*(?P<unit>{unit})\b|(?P<short>(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+)\b"
    ))
});

static SIZE: LazyLock<Regex> = LazyLock::new(|| {
    let words = "bytes?|kilobytes?|megabytes?|gigabytes?|terabytes?|petabytes?|gigs?|megs?";
    // Case matters in the short forms: 5m is minutes, 5M is megabytes.
    let short = r"(?-i:[KMGTP]i?B?|[kmgt]b|B)";
    pattern(&format!(r"(?P<number>{})[ -]?(?P<unit>{words}|{short})\b", number_pattern()))
});

static SHORT_PART: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+(?:\.\d+)?)(ms|[smhdw])"));

/// Reads one number, in digits with or without thousands separators, or in words.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    if text == "half a dozen" {
        return Some(6.0);
    }
    if let Ok(number) = text.replace(',', "").parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let (scale, words) = match words.split_last() {
        Some((last, rest)) => match SCALES.iter().find(|(name, _)| name == last) {
            Some((_, scale)) => (*scale, rest.to_vec()),
            None => (1.0, words),
        },
        None => return None,
    };
    let small = match words.as_slice() {
        [] | ["a" | "an"] if scale > 1.0 => 1.0,
        [digits] if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.replace(',', "").parse().ok()?,
        [word] => word_value(word)?,
        [tens, ones] => tens_value(tens)? + word_value(ones).filter(|value| (1.0..10.0).contains(value))?,
        _ => return None,
    };
    Some(small * scale)
}

/// All numbers that stand alone, in digits or words.
pub fn find_numbers(text: &str) -> Vec<Found<f64>> {
    let found = NUMBER.find_iter(text).filter(|hit| stands_alone(text, &hit.range()));
    found.filter_map(|hit| Some(Found { range: hit.range(), value: parse_number(hit.as_str())? })).collect()
}

/// All durations; `unit` is in seconds. A month counts 30 days, a year 365.
pub fn find_durations(text: &str) -> Vec<Found<Quantity>> {
    let mut found = Vec::new();
    for captures in DURATION.captures_iter(text) {
        let Some(range) = captures.get(0).map(|whole| whole.range()).filter(|range| stands_alone(text, range)) else {
            continue;
        };
        let quantity = match (captures.name("short"), captures.name("number"), captures.name("unit")) {
            (Some(short), ..) => parse_duration(short.as_str()),
            (_, Some(number), Some(unit)) => worded_duration(number.as_str(), unit.as_str()),
            _ => None,
        };
        found.extend(quantity.map(|value| Found { range, value }));
    }
    found
}

/// All sizes; `unit` is in bytes.
pub fn find_sizes(text: &str) -> Vec<Found<Quantity>> {
    let mut found = Vec::new();
    for captures in SIZE.captures_iter(text) {
        let Some(range) = captures.get(0).map(|whole| whole.range()).filter(|range| stands_alone(text, range)) else {
            continue;
        };
        let (amount, unit) = (parse_number(&captures["number"]), byte_unit(&captures["unit"]));
        found.extend(amount.map(|amount| Found { range, value: Quantity { amount, unit } }));
    }
    found
}

/// Reads `90s`, `5m`, `1h30m`, `7d`.
pub fn parse_duration(text: &str) -> Option<Quantity> {
    let mut parts = 0;
    let (mut seconds, mut last, mut length) = (0.0, Quantity { amount: 0.0, unit: 1.0 }, 0);
    for captures in SHORT_PART.captures_iter(text) {
        let amount: f64 = captures[1].parse().ok()?;
        let unit = match &captures[2] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => 7.0 * DAY,
        };
        seconds += amount * unit;
        last = Quantity { amount, unit };
        parts += 1;
        length += captures[0].len();
    }
    match parts {
        _ if length != text.len() || text.is_empty() => None,
        1 => Some(last),
        _ => Some(Quantity { amount: seconds, unit: 1.0 }),
    }
}

/// Writes seconds as Go programs (kubectl) do: `90s` is `1m30s`.
pub fn format_duration(seconds: f64) -> Option<String> {
    if !(seconds.fract() == 0.0 && (1.0..1e12).contains(&seconds)) {
        return None;
    }
    let seconds = seconds as u64;
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "m"), (seconds % 60, "s")];
    Some(parts.iter().filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount}{unit}")).collect())
}

// === impl Quantity ===

impl Quantity {
    /// In bytes or seconds.
    pub fn total(self) -> f64 {
        self.amount * self.unit
    }

    /// In another unit, when that is a whole number.
    pub fn whole_in(self, unit: f64) -> Option<i64> {
        let value = self.total() / unit;
        let rounded = value.round();
        ((value - rounded).abs() < 1e-9 && rounded.abs() < 1e15).then_some(rounded as i64)
    }
}

// === private ===

fn pattern(source: &str) -> Regex {
    Regex::new(&format!("(?i){source}")).expect("the pattern is fixed, see the tests")
}

trait MapNames {
    fn map_names(&self) -> String;
}

impl MapNames for [(&str, f64)] {
    fn map_names(&self) -> String {
        self.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|")
    }
}

fn word_value(word: &str) -> Option<f64> {
    ONES.iter().position(|name| *name == word).map(|index| index as f64).or_else(|| tens_value(word))
}

fn tens_value(word: &str) -> Option<f64> {
    TENS.iter().position(|name| *name == word).map(|index| (index as f64 + 2.0) * 10.0)
}

fn worded_duration(number: &str, unit: &str) -> Option<Quantity> {
    let unit = match unit.to_ascii_lowercase().trim_end_matches('s') {
        "second" | "sec" => 1.0,
        "minute" | "min" => MINUTE,
        "hour" | "hr" => HOUR,
        "day" => DAY,
        "week" => 7.0 * DAY,
        "month" => 30.0 * DAY,
        _ => 365.0 * DAY,
    };
    let amount = match number.to_ascii_lowercase().as_str() {
        "half a" | "half an" => 0.5,
        "a" | "an" | "last" | "past" | "previous" => 1.0,
        number => parse_number(number)?,
    };
    Some(Quantity { amount, unit })
}

fn byte_unit(unit: &str) -> f64 {
    let power = match unit.chars().next().unwrap_or('b').to_ascii_lowercase() {
        'k' => 1,
        'm' => 2,
        'g' => 3,
        't' => 4,
        'p' => 5,
        _ => 0,
    };
    // People say GB and mean what the interface calls GiB: the amount is kept, so the base must not show.
    1024f64.powi(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_digits_and_words() {
        let good = [
            ("5", 5.0),
            ("1,250.50", 1250.5),
            ("three", 3.0),
            ("Twenty-one", 21.0),
            ("a dozen", 12.0),
            ("half a dozen", 6.0),
            ("two hundred", 200.0),
            ("1.5 million", 1.5e6),
            ("nineteen", 19.0),
            ("ninety nine", 99.0),
        ];
        for (text, value) in good {
            assert_eq!(parse_number(text), Some(value), "{text}");
        }
        for text in ["", "a", "many", "one two three", "inf", "nan", "twenty twenty", "dozens"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_inside_names_do_not_count() {
        let values = |text| find_numbers(text).into_iter().map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(values("Scale web to 5."), [5.0]);
        assert_eq!(values("between 10 and twenty, please"), [10.0, 20.0]);
        assert_eq!(values("web-1 in eu-west-1 with t3.micro at 10.0.0.0/16 and v1.27, i-0abc123"), [] as [f64; 0]);
    }

    #[test]
    fn durations_and_sizes() {
        let seconds = |text| find_durations(text).first().map(|found| found.value.total());
        assert_eq!(seconds("for 30 minutes"), Some(1800.0));
        assert_eq!(seconds("in the last hour"), Some(3600.0));
        assert_eq!(seconds("wait 1h30m"), Some(5400.0));
        assert_eq!(seconds("half an hour"), Some(1800.0));
        assert_eq!(seconds("keep it for seven days"), Some(7.0 * DAY));
        assert_eq!(seconds("call me"), None);
        let size = |text| find_sizes(text).first().map(|found| (found.value.amount, found.value.unit));
        assert_eq!(size("a 20 GB volume"), Some((20.0, 1024f64.powi(3))));
        assert_eq!(size("512Mi of memory"), Some((512.0, 1024f64.powi(2))));
        assert_eq!(size("100 gigs"), Some((100.0, 1024f64.powi(3))));
        assert_eq!(size("5m"), None);
    }

    #[test]
    fn quantities_convert_only_when_whole() {
        let quantity = Quantity { amount: 90.0, unit: 1.0 };
        assert_eq!(quantity.whole_in(1.0), Some(90));
        assert_eq!(quantity.whole_in(MINUTE), None);
        assert_eq!(format_duration(5400.0).as_deref(), Some("1h30m"));
        assert_eq!(format_duration(0.5), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            find_numbers(&text);
            find_durations(&text);
            find_sizes(&text);
            let _ = parse_duration(&text);
        }

        #[test]
        fn formatted_durations_read_back(seconds in 1u64..1_000_000) {
            let text = format_duration(seconds as f64).expect("whole seconds");
            prop_assert_eq!(parse_duration(&text).map(Quantity::total), Some(seconds as f64));
        }
    }
}
