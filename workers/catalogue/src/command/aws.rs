//! What the AWS command line takes beside the API's own parameters.
//!
//! `--cli-input-json`, the simple security-group rules (`awscli/customizations/ec2/secgroupsimplify.py`), a single metric datum and
//! `--ingress` of network ACLs. Everything comes out as the API's parameters.

use serde_json::{Map, Value, json};

use super::{Bound, coerce};
use crate::operation::Operation;

type Flags = Vec<(String, Vec<String>)>;

/// Takes the flags out of `flags` that are not the API's, and gives what they say as arguments.
pub fn take_customs(operation: &Operation, flags: &mut Flags) -> Map<String, Value> {
    let mut arguments = Map::new();
    if operation.provider != "aws" {
        return arguments;
    }
    if operation.name.contains("SecurityGroup") && operation.parameter("IpPermissions").is_some() {
        arguments.extend(take_rule(flags).map(|rule| ("IpPermissions".to_owned(), json!([rule]))));
    }
    if (operation.service.as_str(), operation.name.as_str()) == ("cloudwatch", "PutMetricData") {
        arguments.extend(take_metric(flags).map(|metric| ("MetricData".to_owned(), json!([metric]))));
    }
    if operation.name.contains("NetworkAclEntry") {
        let said = [("ingress", false), ("egress", true)].into_iter().find(|(name, _)| take(flags, name).is_some());
        arguments.extend(said.map(|(_, is_egress)| ("Egress".to_owned(), Value::Bool(is_egress))));
    }
    arguments
}

/// The word of a flag; the empty text for a flag alone.
fn take(flags: &mut Flags, name: &str) -> Option<String> {
    let at = flags.iter().position(|(flag, _)| flag == name)?;
    Some(flags.remove(at).1.into_iter().next().unwrap_or_default())
}

/// Adds what `--cli-input-json` says beside the flags: a flag wins over it.
pub fn fill_from_json(operation: &Operation, flags: &mut Flags, bound: &mut Bound) {
    if operation.provider != "aws" {
        return;
    }
    let Some(text) = take(flags, "cli-input-json") else { return };
    let Ok(said) = serde_json::from_str::<Map<String, Value>>(&text) else {
        return bound.leftovers.push(format!("--cli-input-json {text}"));
    };
    for (name, value) in said.into_iter().filter(|(name, _)| !bound.arguments.contains_key(name)).collect::<Vec<_>>() {
        let typed = operation
            .parameter(&name)
            .and_then(|schema| coerce::conform(operation, schema, value.clone(), coerce::MAX_DEPTH));
        match typed {
            Some(value) => drop(bound.arguments.insert(name, value)),
            None => bound.leftovers.push(format!("{name}={value}")),
        }
    }
}

/// `--protocol tcp --port 22 --cidr 10.0.0.0/8` as one permission.
fn take_rule(flags: &mut Flags) -> Option<Value> {
    let names = ["protocol", "port", "cidr", "source-group", "group-owner"];
    let [protocol, port, cidr, group, owner] = names.map(|name| take(flags, name));
    let mut rule = Map::new();
    if let Some(protocol) = protocol {
        rule.insert("IpProtocol".to_owned(), json!(if protocol == "all" { "-1" } else { &protocol }));
    }
    if let Some((first, last)) = port.as_deref().and_then(ports) {
        rule.insert("FromPort".to_owned(), json!(first));
        rule.insert("ToPort".to_owned(), json!(last));
    }
    if let Some(cidr) = cidr {
        rule.insert("IpRanges".to_owned(), json!([{"CidrIp": cidr}]));
    }
    let mut pair = Map::new();
    if let Some(group) = group {
        let key = if group.starts_with("sg-") { "GroupId" } else { "GroupName" };
        pair.insert(key.to_owned(), json!(group));
    }
    pair.extend(owner.map(|owner| ("UserId".to_owned(), json!(owner))));
    if !pair.is_empty() {
        rule.insert("UserIdGroupPairs".to_owned(), json!([pair]));
    }
    (!rule.is_empty()).then_some(Value::Object(rule))
}

/// `--metric-name x --value 1 --dimensions a=b,c=d` as one datum (`awscli/customizations/putmetricdata.py`).
fn take_metric(flags: &mut Flags) -> Option<Value> {
    let names = ["metric-name", "value", "timestamp", "unit", "storage-resolution", "dimensions", "statistic-values"];
    let said = names.map(|name| take(flags, name));
    let [name, value, timestamp, unit, resolution, dimensions, statistics] = said;
    let text = |text: String| Value::String(text);
    let number = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let pairs = |text: String| -> Value {
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| json!({"Name": name, "Value": value}));
        text.split(',').filter_map(pair).collect()
    };
    let sums = |text: String| -> Value {
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), number(value.to_owned())));
        Value::Object(text.split(',').filter_map(pair).collect())
    };
    let members = [
        ("MetricName", name.map(text)),
        ("Value", value.map(number)),
        ("Timestamp", timestamp.map(text)),
        ("Unit", unit.map(text)),
        ("StorageResolution", resolution.map(number)),
        ("Dimensions", dimensions.map(pairs)),
        ("StatisticValues", statistics.map(sums)),
    ];
    let datum: Map<String, Value> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!datum.is_empty()).then_some(Value::Object(datum))
}

/// `22`, `20-25`, `all`.
fn ports(text: &str) -> Option<(i64, i64)> {
    if matches!(text, "all" | "-1") {
        return Some((-1, -1));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}
