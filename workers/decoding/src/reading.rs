//! Reads one span as the value a place wants: `25 dollars` as 2500 for an amount, as nothing for a name.

use serde_json::Value;

use crate::evidence::{Evidence, Kind, Span};
use crate::resolver::date::{DateSpan, Role};
use crate::resolver::quantity::format_duration;
use crate::resolver::region;
use crate::slot::{Shape, Slot};
use crate::want::{End, Want};

/// What a span is worth at a place.
pub(crate) struct Reading {
    pub value: Value,
    /// Empty when the span is the value as it stands.
    pub resolver: &'static str,
    /// Certainty of the form, 0 to 1.
    pub score: f32,
}

/// Parameters whose "name" may be an identifier.
const TAKES_ID: &[&str] = &["id", "ids", "identifier", "instance", "resource", "resources", "target", "targets"];
/// Parameters that take an ARN or address where a name would do.
const TAKES_ARN: &[&str] =
    &["resource", "resources", "role", "policy", "topic", "function", "queue", "target", "repo", "repository", "key"];
/// Parameters whose "name" may be an e-mail address.
const TAKES_EMAIL: &[&str] = &["user", "username", "member", "recipient", "to", "login"];

/// All values a span can be read as at a place; mostly none or one.
pub(crate) fn readings(slot: &Slot<'_>, want: &Want, span: &Span, evidence: &Evidence) -> Vec<Reading> {
    let text = span.text.as_str();
    let as_is = |score| vec![Reading { value: text.into(), resolver: "", score }];
    match (want, &span.kind) {
        (Want::Name | Want::Id(_), _) => named(slot, want, span).map(as_is).unwrap_or_default(),
        (Want::Arn, Kind::Arn) | (Want::Email, Kind::Email) | (Want::Ip, Kind::Ip) => as_is(0.9),
        // `Ipv6CidrBlock` takes no IPv4 range and the other way round.
        (Want::Cidr, Kind::Cidr) if text.contains(':') == slot.words.iter().any(|word| word.starts_with("ipv6")) => {
            as_is(0.9)
        }
        (Want::Url, Kind::Url | Kind::S3Uri)
        | (Want::Glob, Kind::Glob)
        | (Want::Pair | Want::FieldSelector, Kind::Pair) => as_is(0.9),
        (Want::Path, Kind::S3Uri | Kind::Path | Kind::Url) => as_is(0.9),
        (Want::Path, Kind::Name | Kind::Quoted) => as_is(0.4),
        (Want::Text, Kind::Quoted) | (Want::Endpoint, Kind::Email | Kind::Url) => as_is(0.9),
        (Want::Zone, Kind::Name) if region::is_zone(text) => as_is(0.9),
        (Want::Schedule { aws: false }, Kind::Cron(_)) => as_is(0.9),
        (Want::SizeText, Kind::Size(_) | Kind::Duration(_)) if !text.contains(' ') => as_is(0.8),
        (Want::SizeText, Kind::Name) if text.starts_with(|c: char| c.is_ascii_digit()) => as_is(0.6),
        (Want::PortText, Kind::Name) if is_port_pair(text) => as_is(0.9),
        (Want::PortText, Kind::Number(number)) if is_port(*number) => as_is(0.7),
        _ => resolved(slot, want, span, evidence),
    }
}

/// `8080:80`, `80/tcp`, `8000-8010`.
pub(crate) fn is_port_pair(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-', '/']).collect();
    let is_number = |part: &&str| part.parse::<u16>().is_ok();
    (1..=2).contains(&parts.len())
        && parts.iter().all(|part| is_number(part) || matches!(*part, "tcp" | "udp"))
        && is_number(&parts[0])
}

/// The day of a span that a parameter of this end wants; nothing when it wants the other end.
pub(crate) fn pick_day(span: DateSpan, end: End, evidence: &Evidence) -> Option<crate::calendar::Date> {
    let day = match (end, span.role) {
        (End::Future, _) => span.in_future(evidence.today()).end,
        (End::Start, Role::Until) | (End::Stop, Role::From) => return None,
        (End::Stop, _) => span.end,
        (End::Whole, Role::Whole) if !span.is_single_day() => return None,
        _ => span.start,
    };
    Some(day)
}

// === private ===

/// How well a span's form fits a name or identifier; the words around it are judged elsewhere.
fn named(slot: &Slot<'_>, want: &Want, span: &Span) -> Option<f32> {
    let text = span.text.as_str();
    let has_prefix =
        |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix) && text.len() > prefix.len());
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    match (want, &span.kind) {
        (Want::Id(prefixes), Kind::Id | Kind::Quoted | Kind::Name) if !prefixes.is_empty() => {
            has_prefix(prefixes).then_some(0.9)
        }
        (Want::Id(prefixes), _) if !prefixes.is_empty() => None,
        // `EnvironmentId` beside `EnvironmentName`: a word without a digit is the name.
        (Want::Id(_), Kind::Name | Kind::Quoted) => (has_digit || !slot.has_named_sibling()).then_some(0.5),
        (Want::Id(_), Kind::Id) | (Want::Name, Kind::Name | Kind::Quoted) => Some(0.5),
        (_, Kind::Number(_)) => text.bytes().all(|byte| byte.is_ascii_digit()).then_some(0.5),
        (Want::Name, Kind::Id) => slot.has_word(TAKES_ID).then_some(0.6),
        (Want::Name, Kind::Email) => slot.has_word(TAKES_EMAIL).then_some(0.6),
        (Want::Name, Kind::Arn | Kind::Url) => slot.has_word(TAKES_ARN).then_some(0.6),
        (Want::Name, Kind::Path) => Some(0.45),
        _ => None,
    }
}

fn resolved(slot: &Slot<'_>, want: &Want, span: &Span, evidence: &Evidence) -> Vec<Reading> {
    let number =
        |value: f64, resolver, score| whole_or_real(slot, value).map(|value| Reading { value, resolver, score });
    let text = |value: String, resolver, score| Some(Reading { value: value.into(), resolver, score });
    let reading = match (want, &span.kind) {
        (Want::Count, Kind::Number(value)) => {
            number(*value, if starts_with_digit(span) { "" } else { "quantity" }, 0.8)
        }
        // "100 GB" may be the amount of a required size; "the last 3 days" is no limit.
        (Want::Count, Kind::Size(quantity) | Kind::Duration(quantity)) if slot.required => {
            number(quantity.amount, "quantity", 0.4)
        }
        (Want::Amount, Kind::Money(money)) => number(money.minor as f64, "money", 0.95),
        (Want::Port, Kind::Number(value)) if is_port(*value) => number(*value, "", 0.7),
        (Want::Port, Kind::Port(value)) => number(f64::from(*value), "port", 0.8),
        (Want::DurationIn(unit), Kind::Duration(quantity)) => {
            quantity.whole_in(*unit).and_then(|value| number(value as f64, "quantity", 0.9))
        }
        (Want::SizeIn(unit), Kind::Size(quantity)) => {
            quantity.whole_in(*unit).and_then(|value| number(value as f64, "quantity", 0.9))
        }
        (Want::DurationIn(_) | Want::SizeIn(_), Kind::Number(value)) => number(*value, "", 0.5),
        (Want::UnixTime(end), Kind::Date(date)) => {
            pick_day(*date, *end, evidence).and_then(|day| number(day.unix_seconds() as f64, "date", 0.9))
        }
        (Want::Date { end, with_time }, Kind::Date(date)) => {
            pick_day(*date, *end, evidence).and_then(|day| text(written(day, *end, *with_time), "date", 0.9))
        }
        (Want::DurationText, Kind::Duration(quantity)) => {
            format_duration(quantity.total()).and_then(|written| text(written, "quantity", 0.9))
        }
        (Want::Currency, Kind::Currency(code)) => text((*code).to_owned(), "money", 0.8),
        (Want::Currency, Kind::Money(money)) => text(money.currency.to_owned(), "money", 0.9),
        (Want::Region, Kind::Region(code)) => {
            text(code.clone(), if code.eq_ignore_ascii_case(&span.text) { "" } else { "region" }, 0.9)
        }
        (Want::Ticker, Kind::Ticker(symbol)) => {
            text(symbol.clone(), if *symbol == span.text { "" } else { "ticker" }, 0.9)
        }
        (Want::CurrencyPair, Kind::CurrencyPair(pair)) => text(pair.clone(), "money", 0.9),
        (Want::Glob, Kind::Pattern(pattern)) => text(pattern.clone(), "glob", 0.8),
        (Want::Protocol, Kind::Protocol(name)) => text((*name).to_owned(), "port", 0.8),
        (Want::Schedule { aws: true }, Kind::Schedule(schedule)) => text(schedule.to_aws(), "cron", 0.9),
        (Want::Schedule { aws: false }, Kind::Schedule(schedule)) => text(schedule.to_cron(), "cron", 0.9),
        _ => None,
    };
    reading.into_iter().collect()
}

fn is_port(value: f64) -> bool {
    value.fract() == 0.0 && (0.0..=65_535.0).contains(&value)
}

fn starts_with_digit(span: &Span) -> bool {
    span.text.starts_with(|c: char| c.is_ascii_digit())
}

fn whole_or_real(slot: &Slot<'_>, value: f64) -> Option<Value> {
    let whole = value.fract() == 0.0 && value.abs() < 9e15;
    match slot.shape() {
        Shape::Number if !whole => Some(value.into()),
        _ if whole => Some((value as i64).into()),
        _ => None,
    }
}

fn written(day: crate::calendar::Date, end: End, with_time: bool) -> String {
    match (with_time, end) {
        (false, _) => day.to_string(),
        (true, End::Stop) => format!("{day}T23:59:59Z"),
        (true, _) => format!("{day}T00:00:00Z"),
    }
}
