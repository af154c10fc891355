//! Reads dates and spans of days relative to today: `2026-04-21`, `April 21`, `last week`, `since January`, `Q1 2025`.
//!
//! A date without a year means the nearest past one (people ask about data that exists); [`DateSpan::in_future`] gives the
//! coming one for parameters such as an expiry.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::quantity::{number_pattern, parse_number};
use super::{Found, stands_alone};
use crate::calendar::Date;

/// Days from `start` to `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateSpan {
    /// First day.
    pub start: Date,
    /// Last day; the same as `start` for a single day.
    pub end: Date,
    /// What the words around it make of it.
    pub role: Role,
    /// True when the year was guessed from today.
    pub year_guessed: bool,
}

/// Which end of an interval a date was said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A day or a span of its own.
    Whole,
    /// `since`, `from`, `after`.
    From,
    /// `until`, `to`, `before`.
    Until,
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

type Reader = fn(&Captures<'_>, Date) -> Option<(Date, Date, bool)>;

static PATTERNS: LazyLock<Vec<(Regex, Reader)>> = LazyLock::new(|| {
    let month = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";
    let weekday = r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)";
    let day = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?";
    let year = r"(?P<year>(?:19|20)\d\d)";
    let number = format!("(?P<number>{}|an?)", number_pattern());
    let unit = r"(?P<unit>days?|weeks?|months?|quarters?|years?)";
    let rows: Vec<(String, Reader)> = vec![
        (r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?".into(), read_numeric),
        (r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})".into(), read_numeric),
        (r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})".into(), read_numeric),
        (format!(r"{month}\s+(?:the\s+)?{day}(?:,?\s+{year}\b)?"), read_month_day),
        (format!(r"(?:the\s+)?{day}\s+(?:of\s+)?{month}(?:,?\s+{year}\b)?"), read_month_day),
        (format!(r"{month},?\s+(?:of\s+)?{year}\b"), read_month),
        (format!(r"(?:in|since|from|during|for|of|until|till|through|after|before|last|this)\s+{month}"), read_month),
        (
            format!(
                r"(?:q(?P<quarter>[1-4])|(?P<ordinal>first|second|third|fourth)\s+quarter)(?:\s+(?:of\s+)?{year})?"
            ),
            read_quarter,
        ),
        (r"(?P<name>day before yesterday|yesterday|today|tomorrow|tonight|year to date|ytd)".into(), read_named),
        (
            format!(r"(?:the\s+)?(?P<which>last|past|previous|this|current|next)\s+(?:{number}\s+)?{unit}"),
            read_relative,
        ),
        (format!(r"{number}\s+{unit}\s+(?P<ago>ago|from now)"), read_ago),
        (format!(r"(?:(?P<which>last|next|this|on|since|until)\s+){weekday}"), read_weekday),
        (format!(r"(?:in|since|during|for|of|from|until|through|after|before)\s+{year}"), read_year),
    ];
    let compile = |(source, reader): (String, Reader)| {
        let source = format!(r"(?i)\b(?:{source})\b");
        (Regex::new(&source).expect("the patterns are fixed, see the tests"), reader)
    };
    rows.into_iter().map(compile).collect()
});

static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    let from = "since|from|after|between|starting|beginning|start(?:s|ed)?(?: on)?|start date";
    let until = "until|till|to|through|thru|before|by|and|up to|ending|end date|-|–";
    Regex::new(&format!(r"(?i)\b(?:(?P<from>{from})|(?P<until>{until}))\s+(?:on\s+|in\s+|the\s+)*$"))
        .expect("the pattern is fixed, see the tests")
});

/// All dates, leftmost first, without overlaps; an earlier pattern wins over a later one.
pub fn find(text: &str, today: Date) -> Vec<Found<DateSpan>> {
    let mut found: Vec<Found<DateSpan>> = Vec::new();
    for (pattern, reader) in PATTERNS.iter() {
        for captures in pattern.captures_iter(text) {
            let range = captures.get(0).map(|whole| whole.range()).unwrap_or_default();
            let taken = found.iter().any(|other| range.start < other.range.end && other.range.start < range.end);
            if taken || !stands_alone(text, &range) {
                continue;
            }
            if let Some((start, end, year_guessed)) = reader(&captures, today) {
                found.push(Found { range, value: DateSpan { start, end, role: Role::Whole, year_guessed } });
            }
        }
    }
    found.sort_by_key(|found| found.range.start);
    assign_roles(text, &mut found);
    found
}

// === impl DateSpan ===

impl DateSpan {
    /// The same day a year later while it lies before today and its year was guessed.
    pub fn in_future(self, today: Date) -> Self {
        let later = |date: Date| date.plus_months(12);
        if self.year_guessed && self.end < today {
            return DateSpan { start: later(self.start), end: later(self.end), ..self };
        }
        self
    }

    /// One day only?
    pub fn is_single_day(self) -> bool {
        self.start == self.end
    }

    /// Do month and day (not the year) of this date equal the span's first or last day?
    pub fn touches(self, date: Date) -> bool {
        [self.start, self.end].iter().any(|own| (own.month(), own.day()) == (date.month(), date.day()))
    }
}

// === private ===

fn assign_roles(text: &str, found: &mut [Found<DateSpan>]) {
    let mut previous_end = 0;
    for index in 0..found.len() {
        let start = found[index].range.start;
        let words = text[start..found[index].range.end].split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        let before = BEFORE.captures(&text[previous_end..start]);
        let follows_from = index > 0 && found[index - 1].value.role == Role::From;
        found[index].value.role = match (words.as_str(), before) {
            // "since January": the preposition is part of the span itself.
            ("since" | "from" | "after", _) => Role::From,
            ("until" | "till" | "through" | "before", _) => Role::Until,
            (_, Some(captures)) if captures.name("from").is_some() => Role::From,
            // "and" ends an interval only where one was begun.
            (_, Some(captures)) if captures["until"].eq_ignore_ascii_case("and") && !follows_from => Role::Whole,
            (_, Some(_)) => Role::Until,
            _ => Role::Whole,
        };
        // "for A to B": what stands right before "to" is the first day.
        let between = text[previous_end..start].trim();
        if index > 0 && matches!(between, "to" | "-" | "–" | "through") && found[index - 1].value.role == Role::Whole
        {
            found[index - 1].value.role = Role::From;
        }
        previous_end = found[index].range.end;
    }
}

fn whole_year(year: i32) -> Option<(Date, Date, bool)> {
    Some((Date::new(year, 1, 1)?, Date::new(year, 12, 31)?, false))
}

fn number_of(captures: &Captures<'_>, name: &str) -> Option<i32> {
    captures.name(name)?.as_str().parse().ok()
}

fn index_of(names: &[&str], captures: &Captures<'_>, name: &str) -> Option<u8> {
    let text = captures.name(name)?.as_str().get(..3)?.to_ascii_lowercase();
    names.iter().position(|known| *known == text).map(|index| index as u8)
}

fn read_numeric(captures: &Captures<'_>, _today: Date) -> Option<(Date, Date, bool)> {
    let part = |name| number_of(captures, name);
    let date = Date::new(part("y")?, u8::try_from(part("m")?).ok()?, u8::try_from(part("d")?).ok()?)?;
    Some((date, date, false))
}

fn read_month_day(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let month = index_of(MONTHS, captures, "month")? + 1;
    let day = u8::try_from(number_of(captures, "day")?).ok()?;
    if let Some(year) = number_of(captures, "year") {
        let date = Date::new(year, month, day)?;
        return Some((date, date, false));
    }
    // 29 February: the last year that had one.
    let past = (0..8).filter_map(|back| Date::new(today.year() - back, month, day)).find(|date| *date <= today)?;
    Some((past, past, true))
}

fn read_month(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let month = index_of(MONTHS, captures, "month")? + 1;
    let given = number_of(captures, "year");
    let past = if month <= today.month() { today.year() } else { today.year() - 1 };
    let start = Date::new(given.unwrap_or(past), month, 1)?;
    Some((start, start.month_end(), given.is_none()))
}

fn read_quarter(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let ordinals = ["first", "second", "third", "fourth"];
    let spoken = captures.name("ordinal").map(|word| word.as_str().to_ascii_lowercase());
    let spoken = spoken.and_then(|word| ordinals.iter().position(|known| *known == word)).map(|index| index as i32 + 1);
    let quarter = number_of(captures, "quarter").or(spoken)?;
    let month = u8::try_from(quarter * 3 - 2).ok()?;
    let given = number_of(captures, "year");
    let past = if month <= today.month() { today.year() } else { today.year() - 1 };
    let start = Date::new(given.unwrap_or(past), month, 1)?;
    Some((start, start.plus_months(2).month_end(), given.is_none()))
}

fn read_named(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let day = match captures["name"].to_ascii_lowercase().as_str() {
        "day before yesterday" => today.plus_days(-2),
        "yesterday" => today.plus_days(-1),
        "tomorrow" => today.plus_days(1),
        "year to date" | "ytd" => return Some((Date::new(today.year(), 1, 1)?, today, false)),
        _ => today,
    };
    Some((day, day, false))
}

fn read_year(captures: &Captures<'_>, _today: Date) -> Option<(Date, Date, bool)> {
    whole_year(number_of(captures, "year")?)
}

fn read_relative(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let which = captures["which"].to_ascii_lowercase();
    let unit = captures["unit"].to_ascii_lowercase();
    let unit = unit.trim_end_matches('s');
    if let Some(number) = captures.name("number") {
        let count = count_of(number.as_str())?;
        return match which.as_str() {
            "next" => Some((today, shift(today, unit, count), false)),
            "last" | "past" | "previous" => Some((shift(today, unit, -count), today, false)),
            _ => None,
        };
    }
    match which.as_str() {
        // "the past week" reaches back from today, "last week" is the calendar's.
        "past" => Some((shift(today, unit, -1), today, false)),
        "this" | "current" => period(today, unit).map(|(start, end)| (start, end.min(today.max(start)), false)),
        "next" => period(shift(today, unit, 1), unit).map(|(start, end)| (start, end, false)),
        _ => period(shift(today, unit, -1), unit).map(|(start, end)| (start, end, false)),
    }
}

fn read_ago(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let count = count_of(&captures["number"])?;
    let sign = if captures["ago"].eq_ignore_ascii_case("ago") { -1 } else { 1 };
    let unit = captures["unit"].to_ascii_lowercase();
    let day = shift(today, unit.trim_end_matches('s'), sign * count);
    Some((day, day, false))
}

fn read_weekday(captures: &Captures<'_>, today: Date) -> Option<(Date, Date, bool)> {
    let wanted = i64::from(index_of(WEEKDAYS, captures, "weekday")?);
    let back = (today.weekday() - wanted).rem_euclid(7);
    let day = match captures["which"].to_ascii_lowercase().as_str() {
        "next" | "this" | "until" => today.plus_days((wanted - today.weekday() - 1).rem_euclid(7) + 1),
        _ => today.plus_days(-if back == 0 { 7 } else { back }),
    };
    Some((day, day, false))
}

/// Bounded to a century of days, so that nothing overflows.
fn count_of(number: &str) -> Option<i32> {
    let count = match number.to_ascii_lowercase().as_str() {
        "a" | "an" => 1.0,
        number => parse_number(number)?,
    };
    (count.fract() == 0.0 && (1.0..36_600.0).contains(&count)).then_some(count as i32)
}

fn shift(day: Date, unit: &str, count: i32) -> Date {
    // A century at most, also for years.
    let count = count.clamp(-1200, 1200);
    match unit {
        "day" => day.plus_days(i64::from(count)),
        "week" => day.plus_days(7 * i64::from(count)),
        "month" => day.plus_months(count),
        "quarter" => day.plus_months(3 * count),
        _ => day.plus_months(12 * count.clamp(-100, 100)),
    }
}

fn period(day: Date, unit: &str) -> Option<(Date, Date)> {
    match unit {
        "day" => Some((day, day)),
        "week" => Some((day.plus_days(-day.weekday()), day.plus_days(6 - day.weekday()))),
        "month" => Some((day.month_start(), day.month_end())),
        "quarter" => {
            let start = Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1)?;
            Some((start, start.plus_months(2).month_end()))
        }
        _ => whole_year(day.year()).map(|(start, end, _)| (start, end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::today;
    use proptest::prelude::*;

    fn spans(text: &str) -> Vec<(String, String, Role)> {
        let found = find(text, today()).into_iter();
        found.map(|found| (found.value.start.to_string(), found.value.end.to_string(), found.value.role)).collect()
    }

    fn one(text: &str) -> (String, String, Role) {
        let spans = spans(text);
        assert_eq!(spans.len(), 1, "{text}: {spans:?}");
        spans[0].clone()
    }

    #[test]
    fn single_days() {
        let good = [
            ("closing price on April 21", "2026-04-21"),
            ("21 April 2025", "2025-04-21"),
            ("on 2025-04-21.", "2025-04-21"),
            ("the 21st of April, 2024", "2024-04-21"),
            ("December 1", "2025-12-01"),
            ("yesterday", "2026-11-22"),
            ("3 days ago", "2026-11-20"),
            ("on Friday", "2026-11-20"),
            ("04/21/2025", "2025-04-21"),
            ("Nov 23", "2026-11-23"),
            ("a week ago", "2026-11-16"),
            ("21.4.2025", "2025-04-21"),
            ("Feb 29", "2024-02-29"),
            ("last Monday", "2026-11-16"),
            ("next Monday", "2026-11-30"),
            ("the day before yesterday", "2026-11-21"),
        ];
        for (text, day) in good {
            assert_eq!(one(text), (day.into(), day.into(), Role::Whole), "{text}");
        }
    }

    #[test]
    fn spans_of_days() {
        let good = [
            ("last week", "2026-11-16", "2026-11-22"),
            ("the last 7 days", "2026-11-16", "2026-11-23"),
            ("last month", "2026-10-01", "2026-10-31"),
            ("in April", "2026-04-01", "2026-04-30"),
            ("Q1 2025", "2025-01-01", "2025-03-31"),
            ("in 2024", "2024-01-01", "2024-12-31"),
            ("April 2025", "2025-04-01", "2025-04-30"),
            ("this year", "2026-01-01", "2026-11-23"),
            ("past six months", "2026-05-23", "2026-11-23"),
            ("ytd", "2026-01-01", "2026-11-23"),
            ("the third quarter of 2025", "2025-07-01", "2025-09-30"),
            ("last year", "2025-01-01", "2025-12-31"),
        ];
        for (text, start, end) in good {
            assert_eq!(one(text), (start.into(), end.into(), Role::Whole), "{text}");
        }
    }

    #[test]
    fn the_words_before_a_date_say_which_end_it_is() {
        assert_eq!(one("since January").2, Role::From);
        assert_eq!(one("until 2026-01-05").2, Role::Until);
        let roles = |text| spans(text).into_iter().map(|span| span.2).collect::<Vec<_>>();
        assert_eq!(roles("from January 3 to March 4, 2025"), [Role::From, Role::Until]);
        assert_eq!(roles("between 2025-01-01 and 2025-02-01"), [Role::From, Role::Until]);
        assert_eq!(roles("on April 21 and April 22"), [Role::Whole, Role::Whole]);
    }

    #[test]
    fn no_date_where_none_was_said() {
        for text in
            ["may I see it", "scale web to 5", "10.0.0.0/16", "version 2024.1.5.2", "march on", "2026-13-45", "sun"]
        {
            assert_eq!(spans(text), [], "{text}");
        }
    }

    #[test]
    fn an_expiry_lies_ahead() {
        let span = find("April 21", today())[0].value;
        assert_eq!(span.in_future(today()).start.to_string(), "2027-04-21");
        assert_eq!(find("April 21, 2025", today())[0].value.in_future(today()).start.to_string(), "2025-04-21");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(last|next|since|on|[0-9]{1,9}|April|week|ago|of|\\PC{0,4}| ){0,12}") {
            find(&text, today());
        }
    }
}
