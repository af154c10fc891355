//! Tables of good and invented values.

use serde_json::{Value, json};
use silverback_catalogue::operation::Operation;

use super::*;
use crate::testing::{evidence, evidence_in_session, operation};

struct Case {
    operation: Operation,
}

impl Case {
    fn of(key: &str, parameters: Value) -> Self {
        Case { operation: operation(key, parameters) }
    }

    /// The value that stands, or nothing.
    fn judge(&self, parameter: &str, text: &str, proposed: Value) -> Option<Value> {
        ground(&self.operation, parameter, &proposed, &evidence(text)).ok().map(|grounded| grounded.value)
    }

    fn keeps(&self, parameter: &str, text: &str, proposed: Value, expected: Value) {
        assert_eq!(self.judge(parameter, text, proposed.clone()), Some(expected), "{parameter} {proposed} in {text:?}");
    }

    fn refuses(&self, parameter: &str, text: &str, proposed: Value) {
        assert_eq!(self.judge(parameter, text, proposed.clone()), None, "{parameter} {proposed} in {text:?}");
    }
}

fn bucket() -> Case {
    Case::of(
        "aws/s3/CreateBucket",
        json!({"required": ["Bucket"], "properties": {
            "Bucket": {"type": "string"},
            "ACL": {"type": "string", "enum": ["private", "public-read", "authenticated-read"]},
            "CreateBucketConfiguration": {"type": "object", "properties": {
                "LocationConstraint": {"type": "string", "enum": ["eu-west-1", "us-west-2", "EU"]}}},
            "ObjectLockEnabledForBucket": {"type": "boolean"}
        }}),
    )
}

fn scale() -> Case {
    Case::of(
        "kubernetes/kubectl/scale",
        json!({"required": ["resource", "name", "replicas"], "properties": {
            "resource": {"type": "string", "enum": ["deployment", "statefulset", "replicaset"]},
            "name": {"type": "string"}, "replicas": {"type": "integer"}, "namespace": {"type": "string"},
            "current-replicas": {"type": "integer"}, "timeout": {"type": "string"}, "all": {"type": "boolean"}
        }}),
    )
}

fn prices() -> Case {
    Case::of(
        "openbb/equity/equity.price.historical",
        json!({"required": ["symbol"], "properties": {
            "symbol": {"type": "string", "x-kind": "ticker"},
            "start_date": {"type": "string", "format": "date"}, "end_date": {"type": "string", "format": "date"},
            "interval": {"type": "string", "enum": ["1m", "1h", "1d", "1W", "1M"]}
        }}),
    )
}

fn charge() -> Case {
    Case::of(
        "stripe/charges/PostCharges",
        json!({"required": ["amount", "currency"], "properties": {
            "amount": {"type": "integer", "x-unit": "minor-currency"}, "currency": {"type": "string", "x-kind": "currency"},
            "customer": {"type": "string"}, "description": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}}
        }}),
    )
}

#[test]
fn names_are_copied_and_never_made_up() {
    let case = bucket();
    case.keeps("Bucket", "create the bucket logs-eu in Ireland", json!("logs-eu"), json!("logs-eu"));
    case.keeps("Bucket", "create a bucket called Logs", json!("'logs'"), json!("Logs"));
    case.refuses("Bucket", "create an S3 bucket for logs in eu-west-1", json!("logs"));
    case.refuses("Bucket", "create an S3 bucket for logs in eu-west-1", json!("my-logs-bucket"));
    case.refuses("Bucket", "create an S3 bucket for logs-eu-1", json!("logs"));
    case.refuses("Bucket", "create a bucket", json!("<bucket-name>"));
    case.keeps("Bucket", "create the bucket my-bucket", json!("my-bucket"), json!("my-bucket"));
    case.refuses("Bucket", "create a bucket", json!(""));
    case.refuses("Bucket", "create a bucket", json!(null));
}

#[test]
fn choices_follow_the_schema_and_the_request() {
    let case = bucket();
    let place = |region: &str| json!({"LocationConstraint": region});
    case.keeps("CreateBucketConfiguration", "a bucket x-1 in Ireland", place("eu-west-1"), place("eu-west-1"));
    case.refuses("CreateBucketConfiguration", "a bucket x-1 in Ireland", place("us-west-2"));
    case.refuses("CreateBucketConfiguration", "a bucket x-1 in Ireland", place("mars-1"));
    case.keeps("ACL", "a publicly readable bucket", json!("Public-Read"), json!("public-read"));
    case.refuses("ACL", "a bucket", json!("private"));
    scale().keeps("resource", "scale the web deployment to 5", json!("deployment"), json!("deployment"));
    scale().keeps("resource", "scale the web deployment to 5", json!("replicaset"), json!("deployment"));
    // The choice must be made and the request leaves it open: the draft's reading stands.
    scale().keeps("resource", "scale web to 5", json!("deployment"), json!("deployment"));
}

#[test]
fn numbers_must_be_said() {
    let case = scale();
    case.keeps("replicas", "scale web to 5", json!("5"), json!(5));
    case.keeps("replicas", "scale web to five", json!(5), json!(5));
    case.keeps("replicas", "scale web to a dozen pods", json!(12), json!(12));
    case.refuses("replicas", "scale web up", json!(3));
    case.refuses("replicas", "scale web-3 up", json!(3));
    case.refuses("replicas", "scale web to 5", json!("many"));
}

#[test]
fn money_is_minor_units() {
    let case = charge();
    case.keeps("amount", "charge her 25 dollars", json!(25), json!(2500));
    case.keeps("amount", "charge her 25 dollars", json!(2500), json!(2500));
    case.keeps("amount", "charge €9.99", json!("999"), json!(999));
    case.keeps("currency", "charge her 25 dollars", json!("USD"), json!("usd"));
    case.keeps("currency", "charge her 25 euros", json!("usd"), json!("eur"));
    case.refuses("currency", "charge her 25", json!("usd"));
    case.refuses("amount", "charge her 25", json!(25));
    case.keeps("amount", "charge with amount 2500", json!(2500), json!(2500));
    case.refuses("amount", "charge her", json!(1000));
}

#[test]
fn identifiers_have_the_right_kind() {
    let case = charge();
    case.keeps(
        "customer",
        "charge cus_9s6XKzkNRiz8i3 5 dollars",
        json!("cus_9s6XKzkNRiz8i3"),
        json!("cus_9s6XKzkNRiz8i3"),
    );
    case.keeps("customer", "charge cus_9s6XKzkNRiz8i3 5 dollars", json!("cus_9s6"), json!("cus_9s6XKzkNRiz8i3"));
    case.refuses("customer", "charge jane@example.com 5 dollars", json!("jane@example.com"));
    case.refuses("customer", "charge her 5 dollars", json!("cus_123"));
    let stop = Case::of(
        "aws/ec2/StopInstances",
        json!({"required": ["InstanceIds"], "properties": {"InstanceIds": {"type": "array", "items": {"type": "string"}}}}),
    );
    stop.keeps("InstanceIds", "Stop instance i-0abc123", json!("i-0abc123"), json!(["i-0abc123"]));
    stop.keeps(
        "InstanceIds",
        "Stop i-0abc123 and i-0def456",
        json!(["i-0abc123", "i-1234567890abcdef0", "i-0def456"]),
        json!(["i-0abc123", "i-0def456"]),
    );
    stop.refuses("InstanceIds", "Stop the machine", json!(["i-1234567890abcdef0"]));
}

#[test]
fn dates_and_tickers_come_from_resolvers() {
    let case = prices();
    let text = "tell me Meta's closing price on April 21";
    case.keeps("symbol", text, json!("META"), json!("META"));
    case.keeps("symbol", text, json!("FB"), json!("META"));
    case.keeps("start_date", text, json!("2023-04-21"), json!("2026-04-21"));
    case.keeps("end_date", text, json!("2026-04-21"), json!("2026-04-21"));
    case.refuses("start_date", "Meta's closing price", json!("2023-01-01"));
    case.keeps("start_date", "Meta since January", json!("2026-01-01"), json!("2026-01-01"));
    case.refuses("end_date", "Meta since January", json!("2026-11-23"));
    case.refuses("interval", text, json!("1d"));
    case.keeps("interval", "Meta's weekly prices", json!("1W"), json!("1W"));
    case.refuses("symbol", "the closing price", json!("AAPL"));
}

#[test]
fn switches_need_a_sign() {
    let case = bucket();
    case.refuses("ObjectLockEnabledForBucket", "create bucket a-1", json!(true));
    case.keeps("ObjectLockEnabledForBucket", "create bucket a-1 with object lock enabled", json!(true), json!(true));
    case.keeps(
        "ObjectLockEnabledForBucket",
        "create bucket a-1 without object lock enabled",
        json!(true),
        json!(false),
    );
    scale().refuses("all", "scale web to 5", json!(true));
}

#[test]
fn composed_values_are_made_of_said_parts() {
    let copy = Case::of(
        "aws/s3/cp",
        json!({"properties": {"source": {"type": "string"}, "destination": {"type": "string"}, "recursive": {"type": "boolean", "const": true},
            "exclude": {"type": "array", "items": {"type": "string"}}, "include": {"type": "array", "items": {"type": "string"}}}}),
    );
    let text = "Copy everything from s3://raw to s3://clean, only csv files.";
    copy.keeps("source", text, json!("s3://raw"), json!("s3://raw"));
    copy.keeps("recursive", text, json!(true), json!(true));
    // What `include` needs beside it is no word of the request: whoever writes the call adds it.
    copy.refuses("exclude", text, json!(["*"]));
    copy.refuses("exclude", text, json!(["*.csv"]));
    let but = "Copy everything from s3://raw to s3://clean except csv files.";
    copy.keeps("exclude", but, json!(["*.csv"]), json!(["*.csv"]));
    copy.refuses("include", but, json!(["*.csv"]));
    copy.keeps("include", text, json!(["*.csv"]), json!(["*.csv"]));
    copy.refuses("include", text, json!(["*.json"]));
    copy.keeps("source", "copy the bucket raw to the clean bucket", json!("s3://raw"), json!("s3://raw"));
    copy.refuses("source", "copy the raw data", json!("s3://raw"));
    let get = Case::of(
        "kubernetes/kubectl/get",
        json!({"properties": {"field-selector": {"type": "string"}, "selector": {"type": "string"}}}),
    );
    let text = "Which pods in kube-system are not running?";
    get.keeps("field-selector", text, json!("status.phase!=Running"), json!("status.phase!=Running"));
    get.refuses("field-selector", text, json!("status.phase=Running"));
    get.refuses("field-selector", text, json!("status.phase!=Pending"));
    get.keeps("selector", "pods with label app=web", json!("app=web"), json!("app=web"));
    get.refuses("selector", "pods of web", json!("tier=web"));
    let env = Case::of(
        "kubernetes/kubectl/set env",
        json!({"properties": {"env": {"type": "array", "items": {"type": "string"}}}}),
    );
    env.keeps("env", "set LOG_LEVEL to debug on web", json!(["LOG_LEVEL=debug"]), json!(["LOG_LEVEL=debug"]));
}

#[test]
fn structures_lose_what_was_invented() {
    let tag = Case::of(
        "aws/ec2/CreateTags",
        json!({"properties": {"Tags": {"type": "array", "items": {"type": "object", "required": ["Key"], "properties": {"Key": {"type": "string"}, "Value": {"type": "string"}}}}}}),
    );
    let proposed = json!([{"Key": "env", "Value": "prod"}, {"Key": "Owner", "Value": "me"}]);
    tag.keeps("Tags", "tag it with env=prod", proposed, json!([{"Key": "env", "Value": "prod"}]));
    charge().keeps(
        "metadata",
        "charge 5 dollars with order=77x",
        json!({"order": "77x", "source": "web"}),
        json!({"order": "77x"}),
    );
    charge().refuses("metadata", "charge 5 dollars", json!({"order": "1"}));
}

#[test]
fn one_word_names_one_thing() {
    let proposed = json!({"resource": "deployment", "name": "web", "replicas": 5, "namespace": "web"});
    let call = ground_arguments(
        &scale().operation,
        proposed.as_object().expect("an object"),
        &evidence("scale the web deployment to 5"),
    );
    assert_eq!(Value::Object(call.kept), json!({"resource": "deployment", "name": "web", "replicas": 5}));
    assert!(call.missing.is_empty());
    assert_eq!(call.dropped.len(), 1);
    let proposed = json!({"resource": "deployment", "name": "checkout", "replicas": 2, "namespace": "prod"});
    let text = "scale the checkout deployment in the prod namespace to 2";
    let call = ground_arguments(&scale().operation, proposed.as_object().expect("an object"), &evidence(text));
    assert_eq!(Value::Object(call.kept), proposed);
}

#[test]
fn missing_and_unknown_arguments_are_told() {
    let call = ground_arguments(
        &bucket().operation,
        json!({"Bucket": "logs", "Nope": 1}).as_object().expect("an object"),
        &evidence("an S3 bucket for logs"),
    );
    assert_eq!(call.missing, ["Bucket"]);
    assert_eq!(call.dropped.len(), 2);
    assert!(call.dropped[1].reason.contains("no parameter"));
}

#[test]
fn references_need_an_earlier_call() {
    let subnet = operation("aws/ec2/CreateSubnet", json!({"properties": {"VpcId": {"type": "string"}}}));
    let value = json!({"$ref": "c1", "path": "Vpc.VpcId"});
    let session = [("vpc", "VpcId", r#"{"$ref":"c1","path":"Vpc.VpcId"}"#)];
    let grounded =
        ground(&subnet, "VpcId", &value, &evidence_in_session("a subnet in it", &session)).expect("grounded");
    assert_eq!((grounded.proofs[0].source, grounded.proofs[0].text.as_str()), (Source::Call, "c1"));
    assert!(ground(&subnet, "VpcId", &value, &evidence("a subnet in it")).is_err());
}

#[test]
fn proofs_point_at_the_step() {
    let text = "charge her 25 dollars";
    let grounded = ground(&charge().operation, "amount", &json!(25), &evidence(text)).expect("grounded");
    let proof = &grounded.proofs[0];
    assert_eq!(
        (&text[proof.start..proof.end], proof.resolver.as_str(), proof.source),
        ("25 dollars", "money", Source::Resolver)
    );
    assert_eq!(proof.pointer, "/amount");
}
