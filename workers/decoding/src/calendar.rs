//! Counts days: the part of a calendar that dates in requests need.
//!
//! Knows no language and no clock; `today` is always handed in. Day counting is Howard Hinnant's `days_from_civil`.

use std::fmt;

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year, e.g. 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

// === impl Date ===

impl Date {
    /// A day that exists in years 1 to 9999, or nothing.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let exists =
            (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
        exists.then_some(Date { year, month, day })
    }

    /// Reads `2026-04-21`; whatever follows the day (a time) is ignored.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let mut parts = text.get(..10)?.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = [year, month, day].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        if !digits || year.len() != 4 || month.len() != 2 {
            return None;
        }
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that many days after 1970-01-01.
    pub fn from_days(days: i64) -> Self {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u8;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u8;
        let year = (year_of_era + era * 400) as i32 + i32::from(month <= 2);
        Date { year, month, day }
    }

    /// This day moved by so many days.
    pub fn plus_days(self, days: i64) -> Self {
        Date::from_days(self.days() + days)
    }

    /// This day moved by so many months; the 31st becomes the last day of a shorter month.
    pub fn plus_months(self, months: i32) -> Self {
        let index = self.year * 12 + i32::from(self.month) - 1 + months;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) as u8 + 1);
        Date { year, month, day: self.day.min(month_days(year, month)) }
    }

    /// Monday is 0, Sunday 6.
    pub fn weekday(self) -> i64 {
        (self.days() + 3).rem_euclid(7)
    }

    /// Last day of this day's month.
    pub fn month_end(self) -> Self {
        Date { day: month_days(self.year, self.month), ..self }
    }

    /// First day of this day's month.
    pub fn month_start(self) -> Self {
        Date { day: 1, ..self }
    }

    /// Seconds since 1970 at this day's midnight, UTC.
    pub fn unix_seconds(self) -> i64 {
        self.days() * DAY_SECONDS
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

// === private ===

fn month_days(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        Date::parse_iso(text).expect("an ISO date")
    }

    #[test]
    fn knows_the_epoch_and_weekdays() {
        assert_eq!(date("1970-01-01").days(), 0);
        assert_eq!(date("2026-11-23").weekday(), 0);
        assert_eq!(date("2000-02-29").plus_days(1), date("2000-03-01"));
        assert_eq!(date("2026-03-31").plus_months(-1), date("2026-02-28"));
        assert_eq!(date("2024-02-03").month_end(), date("2024-02-29"));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "26-01-01", "2026-4-21x", "not-a-date", "２026-01-01"] {
            assert_eq!(Date::parse_iso(text), None, "{text}");
        }
        assert_eq!(Date::parse_iso("2026-04-21T10:00:00Z"), Some(date("2026-04-21")));
    }

    proptest! {
        #[test]
        fn counting_days_there_and_back(days in -700_000i64..2_900_000) {
            prop_assert_eq!(Date::from_days(days).days(), days);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,14}") {
            let _ = Date::parse_iso(&text);
        }
    }
}
