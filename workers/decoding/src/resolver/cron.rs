//! Reads simple schedules: `every 5 minutes`, `daily at 3am`, `weekdays at 18:30`, `every Monday`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Found;
use super::quantity::parse_number;

/// A schedule, to be written in the form its interface wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minute: String,
    hour: String,
    day_of_month: String,
    day_of_week: String,
    /// `rate(…)` for AWS, where the phrase was a plain interval.
    rate: Option<(u32, &'static str)>,
}

static PHRASE: LazyLock<Regex> = LazyLock::new(|| {
    let days = r"(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)days?";
    let every = format!(
        r"(?:every\s+(?:(?P<count>\d+|two|three|four|five|six|ten|twelve|fifteen|twenty|thirty)\s+)?(?P<unit>minute|hour|day|night|week|month)s?|(?P<adverb>hourly|daily|nightly|weekly|monthly)|(?:every\s+|on\s+)?(?P<weekdays>weekdays?)|every\s+{days}|on\s+{days2})",
        days2 = days.replace("(?P<weekday>", "(?P<weekday2>"),
    );
    let time = r"(?:\s+at\s+(?:(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>am|pm)?\b|(?P<word>noon|midnight)))?";
    Regex::new(&format!(r"(?i)\b{every}\b{time}")).expect("the pattern is fixed, see the tests")
});

static CRON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:[\d*,/-]+\s+){4}[\d*,/?A-Za-z-]+|@(?:hourly|daily|weekly|monthly|yearly)")
        .expect("the pattern is fixed")
});

const WEEKDAYS: &[(&str, &str)] =
    &[("sun", "0"), ("mon", "1"), ("tue", "2"), ("wed", "3"), ("thu", "4"), ("fri", "5"), ("sat", "6")];

/// All schedules said in words.
pub fn find(text: &str) -> Vec<Found<Schedule>> {
    let phrases = PHRASE.captures_iter(text);
    phrases.filter_map(|captures| Some(Found { range: captures.get(0)?.range(), value: read(&captures)? })).collect()
}

/// All schedules written as cron lines.
pub fn find_literal(text: &str) -> Vec<Found<String>> {
    CRON.find_iter(text).map(|hit| Found { range: hit.range(), value: hit.as_str().to_owned() }).collect()
}

// === impl Schedule ===

impl Schedule {
    /// Five fields, as cron and Kubernetes want them.
    pub fn to_cron(&self) -> String {
        format!("{} {} {} * {}", self.minute, self.hour, self.day_of_month, self.day_of_week)
    }

    /// `rate(5 minutes)` or six fields `cron(0 5 * * ? *)`, as AWS schedules want them (days count from 1, Sunday).
    pub fn to_aws(&self) -> String {
        if let Some((count, unit)) = self.rate {
            return format!("rate({count} {unit}{})", if count == 1 { "" } else { "s" });
        }
        let week = match self.day_of_week.as_str() {
            "*" => "?".to_owned(),
            "1-5" => "MON-FRI".to_owned(),
            day => WEEKDAYS.iter().find(|row| row.1 == day).map_or("?".into(), |row| row.0.to_uppercase()),
        };
        // Exactly one of the two day fields must be "?".
        let month = if week == "?" { self.day_of_month.as_str() } else { "?" };
        format!("cron({} {} {month} * {week} *)", self.minute, self.hour)
    }
}

// === private ===

fn read(captures: &Captures<'_>) -> Option<Schedule> {
    let count = captures.name("count").map_or(Some(1.0), |count| parse_number(count.as_str()))? as u32;
    let unit = captures.name("unit").or(captures.name("adverb")).map(|unit| unit.as_str().to_ascii_lowercase());
    let (hour, minute) = time_of(captures)?;
    let timed = captures.name("hour").is_some() || captures.name("word").is_some();
    let mut schedule = Schedule { minute, hour, day_of_month: "*".into(), day_of_week: "*".into(), rate: None };
    if let Some(weekday) = captures.name("weekday").or(captures.name("weekday2")) {
        let name = weekday.as_str().get(..3)?.to_ascii_lowercase();
        schedule.day_of_week = WEEKDAYS.iter().find(|row| row.0 == name)?.1.to_owned();
        return Some(schedule);
    }
    if captures.name("weekdays").is_some() {
        schedule.day_of_week = "1-5".into();
        return Some(schedule);
    }
    let step =
        |limit: u32| (1..=limit).contains(&count).then(|| if count == 1 { "*".into() } else { format!("*/{count}") });
    match unit.as_deref()? {
        "minute" => {
            (schedule.minute, schedule.hour) = (step(59)?, "*".into());
            schedule.rate = Some((count, "minute"));
        }
        "hour" | "hourly" => {
            schedule.hour = step(23)?;
            schedule.rate = Some((count, "hour"));
        }
        "day" | "night" | "daily" | "nightly" => {
            schedule.day_of_month = step(31)?;
            schedule.rate = (!timed).then_some((count, "day"));
        }
        "week" | "weekly" if count == 1 => schedule.day_of_week = "0".into(),
        "month" | "monthly" if count == 1 => schedule.day_of_month = "1".into(),
        _ => return None,
    }
    Some(schedule)
}

fn time_of(captures: &Captures<'_>) -> Option<(String, String)> {
    if let Some(word) = captures.name("word") {
        let hour = if word.as_str().eq_ignore_ascii_case("noon") { "12" } else { "0" };
        return Some((hour.into(), "0".into()));
    }
    let hour: u32 = captures.name("hour").map_or(Some(0), |hour| hour.as_str().parse().ok())?;
    let minute: u32 = captures.name("minute").map_or(Some(0), |minute| minute.as_str().parse().ok())?;
    let half = captures.name("half").map(|half| half.as_str().to_ascii_lowercase());
    let hour = match half.as_deref() {
        Some("pm") if hour < 12 => hour + 12,
        Some("am") if hour == 12 => 0,
        _ => hour,
    };
    (hour < 24 && minute < 60).then(|| (hour.to_string(), minute.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(text: &str) -> (String, String) {
        let schedule = &find(text)[0].value;
        (schedule.to_cron(), schedule.to_aws())
    }

    #[test]
    fn phrases_become_schedules() {
        let good = [
            ("every 5 minutes", "*/5 * * * *", "rate(5 minutes)"),
            ("every minute", "* * * * *", "rate(1 minute)"),
            ("hourly", "0 * * * *", "rate(1 hour)"),
            ("every day at 3am", "0 3 * * *", "cron(0 3 * * ? *)"),
            ("daily at 18:30", "30 18 * * *", "cron(30 18 * * ? *)"),
            ("weekdays at 9 am", "0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)"),
            ("every Monday at noon", "0 12 * * 1", "cron(0 12 ? * MON *)"),
            ("nightly", "0 0 * * *", "rate(1 day)"),
            ("monthly", "0 0 1 * *", "cron(0 0 1 * ? *)"),
            ("every two hours", "0 */2 * * *", "rate(2 hours)"),
        ];
        for (text, cron, aws) in good {
            assert_eq!(both(text), (cron.into(), aws.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        assert!(find("every pod at once").is_empty());
        assert!(find("daily at 27:00").is_empty());
        assert_eq!(find_literal("run it on */5 * * * * please")[0].value, "*/5 * * * *");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(every|[0-9]{1,12}|minute|day|at|pm|:| |\\PC{0,3}){0,12}") {
            find(&text);
            find_literal(&text);
        }
    }
}
