//! What the AWS command line takes beside the API's own parameters.
//!
//! Only what drafts use: `--cli-input-json`, the simple security-group rules (`awscli/customizations/ec2/secgroupsimplify.py`) and
//! `--ingress` of network ACLs. Everything comes out as the API's parameters.

use serde_json::{Map, Value, json};

use super::coerce;
use crate::operation::Operation;

type Flags = Vec<(String, Vec<String>)>;

/// Takes the flags out of `flags` that are not the API's, and gives what they say as arguments.
pub fn take_customs(operation: &Operation, flags: &mut Flags) -> Map<String, Value> {
    let mut arguments = Map::new();
    if operation.provider != "aws" {
        return arguments;
    }
    if let Some(text) = take(flags, "cli-input-json") {
        arguments.extend(from_json(operation, &text));
    }
    if operation.name.contains("SecurityGroup") && operation.parameter("IpPermissions").is_some() {
        arguments.extend(take_rule(flags).map(|rule| ("IpPermissions".to_owned(), json!([rule]))));
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

fn from_json(operation: &Operation, text: &str) -> Map<String, Value> {
    let said: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let typed = |(name, value): (String, Value)| {
        let schema = operation.parameter(&name)?;
        Some((name, coerce::conform(operation, schema, value, 24)?))
    };
    said.into_iter().filter_map(typed).collect()
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

/// `22`, `20-25`, `all`.
fn ports(text: &str) -> Option<(i64, i64)> {
    if matches!(text, "all" | "-1") {
        return Some((-1, -1));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}
