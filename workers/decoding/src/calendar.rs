//! Counts days: the part of a calendar that dates in requests need.
//!
//! Knows no language, and no clock but in [`Date::today_utc`]: whoever reads a request hands its `today` in. The calendar is jiff's; here it is cut down to what cannot fail:
//! a day that would fall out of the years 1 to 9999 stays at their end.

use std::fmt;

use jiff::{
    Span,
    civil::{self, Weekday},
};

/// A day of the Gregorian calendar in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

/// Longest way that a day is moved at once: nothing in the calendar is further away, and jiff refuses more.
const MAX_DAYS: i64 = 3_652_058;

// === impl Date ===

impl Date {
    /// A day that exists in years 1 to 9999, or nothing.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().map(Self)
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

    /// The day in UTC, by this machine's clock.
    pub fn today_utc() -> Self {
        Self(jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date())
    }

    /// Year, e.g. 2026.
    pub fn year(self) -> i32 {
        i32::from(self.0.year())
    }

    /// Month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// Day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// This day moved by so many days.
    pub fn plus_days(self, days: i64) -> Self {
        self.moved(Span::new().days(days.clamp(-MAX_DAYS, MAX_DAYS)))
    }

    /// This day moved by so many months; the 31st becomes the last day of a shorter month.
    pub fn plus_months(self, months: i32) -> Self {
        const MOST: i32 = 12 * 9998;
        self.moved(Span::new().months(months.clamp(-MOST, MOST)))
    }

    /// Monday is 0, Sunday 6.
    pub fn weekday(self) -> i64 {
        i64::from(self.0.weekday().since(Weekday::Monday))
    }

    /// Last day of this day's month.
    pub fn month_end(self) -> Self {
        Self(self.0.last_of_month())
    }

    /// First day of this day's month.
    pub fn month_start(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// Seconds since 1970 at this day's midnight, UTC.
    pub fn unix_seconds(self) -> i64 {
        let midnight = self.0.to_datetime(civil::Time::midnight());
        jiff::tz::Offset::UTC.to_timestamp(midnight).map_or(0, |midnight| midnight.as_second())
    }

    fn moved(self, span: Span) -> Self {
        Self(self.0.saturating_add(span).max(civil::date(1, 1, 1)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
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
        assert_eq!(date("1970-01-01").unix_seconds(), 0);
        assert_eq!(date("2026-11-23").unix_seconds(), 1_795_392_000);
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

    #[test]
    fn a_day_never_leaves_the_calendar() {
        assert_eq!(date("2026-11-23").plus_days(i64::MAX), date("9999-12-31"));
        assert_eq!(date("2026-11-23").plus_days(i64::MIN), date("0001-01-01"));
        assert_eq!(date("2026-11-23").plus_months(i32::MIN), date("0001-01-01"));
    }

    proptest! {
        #[test]
        fn moving_there_and_back_is_nothing(days in -700_000i64..2_900_000) {
            let there = date("2026-11-23").plus_days(days);
            prop_assert_eq!((there.unix_seconds() - date("2026-11-23").unix_seconds()) / 86_400, days);
            prop_assert_eq!(there.plus_days(-days), date("2026-11-23"));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,14}") {
            let _ = Date::parse_iso(&text);
        }
    }
}
