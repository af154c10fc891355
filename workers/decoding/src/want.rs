//! Says what kind of value a place wants, from its schema and its name.
//!
//! A *distinctive* kind (an e-mail address, a `vpc-…`) can be told from the value alone; others need words around it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::resolver::{
    quantity::{DAY, HOUR, MINUTE},
    resources::Bound,
};
use crate::slot::{Shape, Slot};
use crate::words;

/// How the schemas' patterns of `KEY=VALUE` begin.
const PAIR_PATTERN: &str = r"^[^=\s]+=";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Want {
    /// One of the schema's own values.
    Choice(Vec<Value>),
    Boolean,
    /// A number that was said.
    Count,
    /// Money in minor units.
    Amount,
    Port,
    /// A whole number of units of so many seconds.
    DurationIn(f64),
    /// A whole number of units of so many bytes.
    SizeIn(f64),
    /// Seconds since 1970.
    UnixTime(End),
    /// `2026-04-21`, with a time of day where the interface wants one.
    Date {
        end: End,
        with_time: bool,
    },
    DurationText,
    SizeText,
    Currency,
    Region,
    /// An availability zone: a region and a letter.
    Zone,
    /// Where messages go: an e-mail address or URL.
    Endpoint,
    Ticker,
    CurrencyPair,
    Protocol,
    Schedule {
        aws: bool,
    },
    Arn,
    /// An identifier; the prefixes are empty where the vendor's form is not known.
    Id(&'static [&'static str]),
    Url,
    Email,
    Cidr,
    Ip,
    /// A file, an address of an object, a place to copy from or to.
    Path,
    Glob,
    /// `KEY=VALUE`, a selector.
    Pair,
    /// Conditions on fields, `spec.nodeName=w-3`.
    FieldSelector,
    /// Amounts of compute, `cpu=2,memory=4Gi`: limits, requests, or both alike.
    Resources(Option<Bound>),
    /// Ports as text, `8080:80`.
    PortText,
    /// Words of the request as they stand.
    Text,
    /// The name of a thing.
    Name,
    List,
    Object,
}

/// Which end of an interval a date parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Start,
    Stop,
    Whole,
    /// A day to come: an expiry.
    Future,
}

const FREE_TEXT: &str = "description message comment comments text body query reason subject title content note notes \
    statement sql command commands prompt caption summary question sentence memo document";

/// Longest list of values that is compared with the request.
const MAX_CHOICES: usize = 2000;

// === impl Want ===

impl Want {
    pub fn of(slot: &Slot<'_>) -> Want {
        if slot.shape() == Shape::Boolean {
            return Want::Boolean;
        }
        if let Some(values) = choices(slot.schema).or_else(|| described_choices(slot)) {
            return Want::Choice(values);
        }
        match slot.shape() {
            Shape::Object => Want::Object,
            Shape::Array => Want::List,
            Shape::Boolean => Want::Boolean,
            Shape::Integer | Shape::Number => number(slot),
            Shape::String => string(slot),
        }
    }

    /// Can a value of this kind be told without the words around it?
    pub fn is_distinctive(&self) -> bool {
        match self {
            Want::Id(prefixes) => !prefixes.is_empty(),
            Want::Arn | Want::Url | Want::Email | Want::Cidr | Want::Ip | Want::Ticker | Want::Amount => true,
            Want::Zone | Want::Endpoint | Want::FieldSelector | Want::Resources(_) => true,
            Want::Region | Want::Schedule { .. } | Want::Glob | Want::CurrencyPair | Want::Currency => true,
            Want::Date { .. } | Want::UnixTime(_) => true,
            _ => false,
        }
    }

    /// Are values of this kind free words, which need to be said to be that thing?
    pub fn is_name_like(&self) -> bool {
        matches!(self, Want::Name | Want::Path | Want::Pair | Want::SizeText)
            || matches!(self, Want::Id(prefixes) if prefixes.is_empty())
    }
}

/// Does a place ask for a region, whatever form it has?
pub(crate) fn names_region(slot: &Slot<'_>) -> bool {
    slot.has_word(&["region", "regions"]) || slot.name == "LocationConstraint"
}

// === private ===

/// Closed choices that a vendor only describes in words.
fn described_choices(slot: &Slot<'_>) -> Option<Vec<Value>> {
    let is_delivery = slot.operation.provider == "aws" && slot.operation.service == "sns" && slot.name == "Protocol";
    let delivery = ["email", "email-json", "sms", "http", "https", "sqs", "lambda", "application", "firehose"];
    is_delivery.then(|| delivery.iter().map(|value| (*value).into()).collect())
}

fn choices(schema: &Value) -> Option<Vec<Value>> {
    if let Some(only) = schema.get("const") {
        return Some(vec![only.clone()]);
    }
    let values = schema.get("enum")?.as_array()?;
    let said = values.iter().filter(|value| !value.is_null() && value.as_str() != Some(""));
    Some(said.take(MAX_CHOICES).cloned().collect())
}

fn kind_of(slot: &Slot<'_>) -> Option<Want> {
    let date = |with_time| Want::Date { end: end_of(slot), with_time };
    match (slot.text("x-kind"), slot.text("format")) {
        ("ticker", _) => Some(if slot.operation.service == "currency" { Want::CurrencyPair } else { Want::Ticker }),
        ("date", _) | (_, "date") => Some(date(false)),
        ("timestamp", _) | (_, "date-time" | "timestamp") => Some(date(true)),
        ("currency", _) => Some(Want::Currency),
        ("duration", _) | (_, "duration") => Some(Want::DurationText),
        ("region", _) => Some(Want::Region),
        ("email", _) | (_, "email") => Some(Want::Email),
        ("name" | "kubernetes-name", _) => Some(Want::Name),
        ("text", _) | (_, "binary") => Some(Want::Text),
        (_, "uri" | "url") => Some(Want::Url),
        (_, "ipv4" | "ipv6" | "ip") => Some(Want::Ip),
        (_, "cidr") => Some(Want::Cidr),
        _ => None,
    }
}

fn number(slot: &Slot<'_>) -> Want {
    let last = slot.words.last().map_or("", String::as_str);
    let stripe = slot.operation.provider == "stripe";
    if slot.text("x-unit") == "minor-currency" || (stripe && slot.has_word(&["amount"])) {
        return Want::Amount;
    }
    let is_time = stripe && (last == "at" || slot.has_word(&["created", "date", "timestamp", "anchor"]));
    if matches!(slot.text("format"), "unix-time" | "unixtime" | "timestamp")
        || slot.text("x-unit") == "unix-seconds"
        || is_time
        || slot.text("x-kind") == "date"
    {
        return Want::UnixTime(end_of(slot));
    }
    if matches!(last, "port" | "ports") {
        return Want::Port;
    }
    let timed = [
        "timeout",
        "ttl",
        "retention",
        "duration",
        "period",
        "interval",
        "age",
        "delay",
        "expiration",
        "grace",
        "wait",
        "seconds",
        "second",
        "minutes",
        "minute",
        "hours",
        "hour",
        "days",
        "day",
        "expires",
        "cooldown",
    ];
    if slot.has_word(&timed) {
        return Want::DurationIn(time_unit(slot));
    }
    if slot.has_word(&["size", "storage", "memory", "gib", "gb", "mib", "mb", "bytes", "capacity", "disk"]) {
        return Want::SizeIn(byte_unit(slot));
    }
    Want::Count
}

fn string(slot: &Slot<'_>) -> Want {
    if let Some(kind) = kind_of(slot) {
        return kind;
    }
    if let Some(prefixes) = id_prefixes(slot) {
        return Want::Id(prefixes);
    }
    let last = slot.words.last().map_or("", String::as_str);
    let provider = slot.operation.provider.as_str();
    match last {
        "arn" | "arns" => return Want::Arn,
        "url" | "urls" | "uri" | "uris" | "webhook" | "href" => return Want::Url,
        "schedule" | "cron" => return Want::Schedule { aws: provider == "aws" },
        "date" => return Want::Date { end: end_of(slot), with_time: false },
        "currency" => return Want::Currency,
        "ports" | "port" => return Want::PortText,
        "id" | "ids" | "identifier" | "identifiers" => return Want::Id(&[]),
        _ => {}
    }
    if slot.name.eq_ignore_ascii_case("ScheduleExpression") {
        return Want::Schedule { aws: true };
    }
    if provider == "openbb" && slot.has_word(&["symbol", "symbols", "ticker"]) {
        return if slot.operation.service == "currency" { Want::CurrencyPair } else { Want::Ticker };
    }
    by_word(slot, provider)
}

fn is_pair_by_pattern(slot: &Slot<'_>) -> bool {
    let pattern = slot.schema.get("pattern").and_then(Value::as_str);
    pattern.is_some_and(|pattern| pattern.starts_with(PAIR_PATTERN))
}

fn by_word(slot: &Slot<'_>, provider: &str) -> Want {
    let kubernetes = provider == "kubernetes";
    let is_range = slot
        .words
        .last()
        .is_some_and(|word| matches!(word.as_str(), "cidr" | "cidrs" | "block" | "blocks" | "ip" | "range"));
    if is_range && slot.has_word(&["cidr", "cidrs"]) {
        return Want::Cidr;
    }
    if slot.has_word(&["email", "emails"]) {
        return Want::Email;
    }
    if slot.words == ["availability", "zone"] || slot.words == ["availability", "zones"] {
        return Want::Zone;
    }
    if slot.words == ["endpoint"] {
        return Want::Endpoint;
    }
    if names_region(slot) {
        return Want::Region;
    }
    if slot.has_word(&["ip", "ips"]) {
        return Want::Ip;
    }
    if slot.has_word(&["protocol", "protocols"]) {
        return Want::Protocol;
    }
    if let Some(want) = kubernetes.then(|| of_kubectl(slot)).flatten() {
        return want;
    }
    if is_pair_by_pattern(slot)
        || slot.has_word(&["selector", "labels", "annotations", "env", "literal", "taints", "overrides"])
    {
        return Want::Pair;
    }
    if slot.has_word(&["include", "exclude", "glob", "pattern"]) {
        return Want::Glob;
    }
    if slot.has_word(&[
        "path",
        "paths",
        "file",
        "files",
        "filename",
        "folder",
        "directory",
        "source",
        "destination",
        "prefix",
        "manifest",
        "kustomize",
    ]) {
        return Want::Path;
    }
    if slot.has_word(&["memory", "cpu", "limits", "requests", "storage", "size"]) {
        return Want::SizeText;
    }
    if slot.words.last().is_some_and(|word| FREE_TEXT.split_whitespace().any(|text| text == word)) {
        return Want::Text;
    }
    Want::Name
}

/// Notations that only kubectl has.
fn of_kubectl(slot: &Slot<'_>) -> Option<Want> {
    if slot.words == ["field", "selector"] {
        return Some(Want::FieldSelector);
    }
    if slot.has_word(&["timeout", "since", "period", "duration", "interval"]) {
        return Some(Want::DurationText);
    }
    match slot.name {
        "limits" => Some(Want::Resources(Some(Bound::Limit))),
        "requests" => Some(Want::Resources(Some(Bound::Request))),
        "hard" => Some(Want::Resources(None)),
        _ => None,
    }
}

fn end_of(slot: &Slot<'_>) -> End {
    if slot.has_word(&[
        "expire",
        "expires",
        "expiry",
        "expiration",
        "trial",
        "due",
        "deadline",
        "cancel",
        "schedule",
        "scheduled",
        "anchor",
    ]) {
        return End::Future;
    }
    if slot.has_word(&["start", "from", "since", "begin", "beginning", "after", "gte", "gt", "min"]) {
        return End::Start;
    }
    if slot.has_word(&["end", "to", "until", "stop", "before", "lte", "lt", "max"]) {
        return End::Stop;
    }
    End::Whole
}

/// The unit's own name counts, then the description's.
fn time_unit(slot: &Slot<'_>) -> f64 {
    let units = [("second", 1.0), ("minute", MINUTE), ("hour", HOUR), ("day", DAY), ("week", 7.0 * DAY)];
    let described = words::split(words::clip(slot.text("description"), 400));
    let described = described.iter().map(|word| word.lower.as_str());
    let mut said = slot.words.iter().map(String::as_str).chain(described).map(|word| word.trim_end_matches('s'));
    said.find_map(|word| units.iter().find(|(name, _)| *name == word)).map_or(1.0, |(_, seconds)| *seconds)
}

fn byte_unit(slot: &Slot<'_>) -> f64 {
    let described = words::split(words::clip(slot.text("description"), 400));
    let described = described.iter().map(|word| word.lower.as_str());
    let mut said = slot.words.iter().map(String::as_str).chain(described);
    let power = said.find_map(|word| match word {
        "gib" | "gibs" | "gb" | "gigabytes" | "gibibytes" | "gigabyte" => Some(3),
        "mib" | "mb" | "megabytes" | "mebibytes" | "megabyte" => Some(2),
        "kib" | "kb" | "kilobytes" | "kibibytes" => Some(1),
        "tib" | "tb" => Some(4),
        "bytes" => Some(0),
        _ => None,
    });
    1024f64.powi(power.unwrap_or(if slot.has_word(&["memory"]) { 2 } else { 3 }))
}

type Prefixes = HashMap<(&'static str, &'static str), Vec<&'static str>>;

/// How vendors begin the identifiers of each kind: facts from their documentation.
static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| {
    let rows = include_str!("../data/id_prefixes.csv").lines().skip(1);
    let row = |line: &'static str| {
        let mut columns = line.splitn(3, ',');
        let (provider, parameter) = (columns.next()?, columns.next()?);
        let prefixes = columns.next()?.split('|').filter(|prefix| !prefix.is_empty());
        Some(((provider, parameter), prefixes.collect()))
    };
    rows.filter_map(row).collect()
});

fn id_prefixes(slot: &Slot<'_>) -> Option<&'static [&'static str]> {
    let provider = match slot.operation.provider.as_str() {
        "aws" => "aws",
        "stripe" => "stripe",
        _ => return None,
    };
    let mut words: Vec<String> = slot.words.clone();
    // A bare `id` in a path is the thing the operation is about: `/v1/charges/{id}`.
    if words == ["id"] {
        words = words::split_identifier(&slot.operation.service);
    }
    if let Some(last) = words.last_mut()
        && last.ends_with('s')
        && !last.ends_with("ss")
    {
        last.pop();
    }
    prefixes_of(provider, &words)
}

/// How a vendor's identifiers of the kind that these words name begin.
pub(crate) fn prefixes_of(provider: &str, words: &[String]) -> Option<&'static [&'static str]> {
    let joined = words.join(" ");
    PREFIXES
        .iter()
        .find(|((owner, parameter), _)| *owner == provider && *parameter == joined)
        .map(|(_, prefixes)| prefixes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::operation;
    use serde_json::json;

    fn want(key: &str, name: &str, schema: Value) -> Want {
        let operation = operation(key, json!({"properties": {name: schema}}));
        Slot::of(&operation, name).expect("there").want()
    }

    #[test]
    fn names_and_schemas_tell_the_kind() {
        let text = || json!({"type": "string"});
        assert_eq!(want("aws/ec2/CreateSubnet", "VpcId", text()), Want::Id(&["vpc-"]));
        assert_eq!(want("aws/ec2/CreateVpc", "CidrBlock", text()), Want::Cidr);
        assert_eq!(want("aws/s3/CreateBucket", "Bucket", text()), Want::Name);
        assert_eq!(want("aws/sns/Publish", "TopicArn", text()), Want::Arn);
        assert_eq!(want("aws/sns/Publish", "Message", text()), Want::Text);
        assert_eq!(want("stripe/charges/GetChargesCharge", "charge", text()), Want::Id(&["ch_", "py_"]));
        assert_eq!(want("stripe/customers/PostCustomers", "email", text()), Want::Email);
        assert_eq!(want("openbb/equity/equity.price.quote", "symbol", text()), Want::Ticker);
        assert_eq!(want("kubernetes/kubectl/get", "selector", text()), Want::Pair);
        let start = Want::Date { end: End::Start, with_time: false };
        assert_eq!(want("openbb/equity/x", "start_date", json!({"type": "string", "format": "date"})), start);
    }

    #[test]
    fn numbers_have_units() {
        let whole = || json!({"type": "integer"});
        assert_eq!(want("stripe/charges/PostCharges", "amount", whole()), Want::Amount);
        assert_eq!(want("kubernetes/kubectl/scale", "replicas", whole()), Want::Count);
        assert_eq!(want("aws/logs/PutRetentionPolicy", "retentionInDays", whole()), Want::DurationIn(DAY));
        assert_eq!(
            want("aws/ec2/CreateVolume", "Size", json!({"type": "integer", "description": "The size, in GiBs."})),
            Want::SizeIn(1024f64.powi(3))
        );
        assert_eq!(want("aws/elbv2/CreateListener", "Port", whole()), Want::Port);
        let backup = json!({"type": "integer", "description": "The number of days to keep backups."});
        assert_eq!(want("aws/rds/ModifyDBInstance", "BackupRetentionPeriod", backup), Want::DurationIn(DAY));
    }

    #[test]
    fn a_list_of_values_is_a_choice() {
        let schema = json!({"type": "string", "enum": ["a", "b", ""]});
        assert_eq!(want("x/y/Z", "mode", schema), Want::Choice(vec![json!("a"), json!("b")]));
    }
}
