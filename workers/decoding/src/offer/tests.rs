//! What is offered for the requests the project must serve, and that all of it can be grounded.

use serde_json::{Map, Value, json};
use silverback_catalogue::operation::Operation;

use super::*;
use crate::grounding::ground;
use crate::testing::{evidence, evidence_in_session, operation};

fn offered(operation: &Operation, text: &str) -> (Value, Vec<String>) {
    let evidence = evidence(text);
    let offers = offers(operation, &evidence, &Map::new());
    for offer in &offers.parameters {
        check_grounded(operation, offer, &evidence);
    }
    (shown(&offers.parameters), offers.missing)
}

/// Whatever is offered must stand before the judge.
fn check_grounded(operation: &Operation, offer: &ParamOffer, evidence: &Evidence) {
    for value in values_of(&offer.form) {
        let verdict = ground(operation, &offer.name, &value, evidence);
        assert_eq!(verdict.as_ref().map(|grounded| &grounded.value), Ok(&value), "{}", offer.name);
    }
}

fn values_of(form: &Form) -> Vec<Value> {
    match form {
        Form::OneOf(values) => values.clone(),
        Form::Copied(_) => Vec::new(),
        Form::List { element, .. } => values_of(element).into_iter().map(|value| json!([value])).collect(),
        Form::Object(members) => {
            let first = members
                .iter()
                .filter_map(|member| Some((member.name.clone(), values_of(&member.form).first()?.clone())));
            vec![Value::Object(first.collect())]
        }
    }
}

fn shown(offers: &[ParamOffer]) -> Value {
    Value::Object(offers.iter().map(|offer| (offer.name.clone(), show(&offer.form))).collect())
}

fn show(form: &Form) -> Value {
    match form {
        Form::OneOf(values) => Value::Array(values.clone()),
        Form::Copied(_) => json!("copied"),
        Form::List { element, .. } => json!({"list": show(element)}),
        Form::Object(members) => shown(members),
    }
}

fn scale() -> Operation {
    operation(
        "kubernetes/kubectl/scale",
        json!({"required": ["resource", "name", "replicas"], "properties": {
            "resource": {"type": "string", "enum": ["deployment", "statefulset", "replicaset"]},
            "name": {"type": "string"}, "replicas": {"type": "integer"}, "namespace": {"type": "string"},
            "current-replicas": {"type": "integer"}, "timeout": {"type": "string", "x-kind": "duration"}, "filename": {"type": "array", "items": {"type": "string"}}
        }}),
    )
}

#[test]
fn a_deployment_is_scaled() {
    let (offers, missing) = offered(&scale(), "Scale the web deployment to 5");
    assert_eq!(offers, json!({"resource": ["deployment"], "name": ["web"], "replicas": [5]}));
    assert!(missing.is_empty());
    let (offers, _) = offered(&scale(), "Scale the checkout deployment in the prod namespace to 2");
    assert_eq!(
        offers,
        json!({"resource": ["deployment"], "name": ["checkout"], "replicas": [2], "namespace": ["prod"]})
    );
}

#[test]
fn what_nobody_gave_is_missing() {
    let (_, missing) = offered(&scale(), "Scale up the deployment");
    assert_eq!(missing, ["name", "replicas"]);
    let create = operation(
        "aws/s3/CreateBucket",
        json!({"required": ["Bucket"], "properties": {"Bucket": {"type": "string"}, "ACL": {"type": "string", "enum": ["private", "public-read"]},
            "CreateBucketConfiguration": {"type": "object", "properties": {"LocationConstraint": {"type": "string", "enum": ["eu-west-1", "us-west-2"]}}}}}),
    );
    let (offers, missing) = offered(&create, "create an S3 bucket for logs in eu-west-1");
    assert_eq!(missing, ["Bucket"]);
    assert_eq!(offers, json!({"CreateBucketConfiguration": {"LocationConstraint": ["eu-west-1"]}}));
}

#[test]
fn amounts_of_compute_are_one_list_and_nodes_select_their_pods() {
    let text = || json!({"type": "string"});
    let set =
        operation("kubernetes/kubectl/set resources", json!({"properties": {"limits": text(), "requests": text()}}));
    let (offers, _) = offered(&set, "deployment renderer needs a limit of 2 cpus and 4Gi of memory");
    assert_eq!(offers, json!({"limits": ["cpu=2,memory=4Gi"]}));
    let get = operation("kubernetes/kubectl/get", json!({"properties": {"field-selector": text()}}));
    let (offers, _) = offered(&get, "pods on all namespaces that sit on node ip-10-4-7-12, please");
    assert_eq!(offers, json!({"field-selector": ["spec.nodeName=ip-10-4-7-12"]}));
}

#[test]
fn prices_are_asked_for_by_company_and_day() {
    let history = operation(
        "openbb/equity/equity.price.historical",
        json!({"required": ["symbol"], "properties": {"symbol": {"type": "string", "x-kind": "ticker"},
            "start_date": {"type": "string", "format": "date"}, "end_date": {"type": "string", "format": "date"},
            "interval": {"type": "string", "enum": ["1m", "1h", "1d"]}, "extended_hours": {"type": "boolean"}}}),
    );
    let (offers, _) = offered(&history, "tell me Meta's closing price on April 21");
    assert_eq!(offers, json!({"symbol": ["META"], "start_date": ["2026-04-21"], "end_date": ["2026-04-21"]}));
    let (offers, _) = offered(&history, "Nvidia since January");
    assert_eq!(offers, json!({"symbol": ["NVDA"], "start_date": ["2026-01-01"]}));
}

#[test]
fn instances_are_listed() {
    let stop = operation(
        "aws/ec2/StopInstances",
        json!({"required": ["InstanceIds"], "properties": {"InstanceIds": {"type": "array", "items": {"type": "string"}}, "Hibernate": {"type": "boolean"}, "Force": {"type": "boolean"}, "DryRun": {"type": "boolean", "x-never": true}}}),
    );
    let (offers, _) = offered(&stop, "Stop i-0abc123 and i-0def456 without a dry run");
    assert_eq!(offers, json!({"InstanceIds": {"list": ["i-0abc123", "i-0def456"]}}));
}

#[test]
fn files_are_copied() {
    let copy = operation(
        "aws/s3/cp",
        json!({"required": ["source", "destination"], "properties": {"source": {"type": "string"}, "destination": {"type": "string"},
            "recursive": {"type": "boolean", "const": true}, "exclude": {"type": "array", "items": {"type": "string"}},
            "include": {"type": "array", "items": {"type": "string"}, "x-words": ["only"]}, "acl": {"type": "string", "enum": ["private", "public-read"]}}}),
    );
    let (offers, missing) = offered(&copy, "Copy everything from s3://raw to s3://clean, only csv files.");
    assert!(missing.is_empty());
    assert_eq!(offers["source"][0], "s3://raw");
    assert_eq!(offers["destination"][0], "s3://clean");
    assert_eq!(offers["recursive"], json!([true]));
    assert_eq!(offers["include"]["list"][0], "*.csv");
    assert_eq!(offers.get("acl"), None);
}

#[test]
fn results_of_earlier_calls_are_offered() {
    let subnet = operation(
        "aws/ec2/CreateSubnet",
        json!({"required": ["VpcId", "CidrBlock"], "properties": {"VpcId": {"type": "string"}, "CidrBlock": {"type": "string"}, "Ipv6CidrBlock": {"type": "string"}}}),
    );
    let session = [("vpc", "VpcId", r#"{"$ref":"c1","path":"Vpc.VpcId"}"#)];
    let evidence = evidence_in_session("create a subnet 10.0.1.0/24 in it", &session);
    let offers = offers(&subnet, &evidence, &Map::new());
    let expected = json!({"VpcId": [{"$ref": "c1", "path": "Vpc.VpcId"}], "CidrBlock": ["10.0.1.0/24"]});
    assert_eq!(shown(&offers.parameters), expected);
    assert!(offers.is_settled());
}

#[test]
fn a_charge_has_an_amount_a_currency_and_her() {
    let charge = operation(
        "stripe/charges/PostCharges",
        json!({"required": ["amount", "currency"], "properties": {"amount": {"type": "integer", "x-unit": "minor-currency"},
            "currency": {"type": "string", "x-kind": "currency"}, "customer": {"type": "string"}, "receipt_email": {"type": "string"},
            "application_fee_amount": {"type": "integer", "x-unit": "minor-currency"}, "capture": {"type": "boolean"}}}),
    );
    let evidence =
        evidence_in_session("charge her 25 dollars", &[("jane", "customer", r#"{"$ref":"c1","path":"id"}"#)]);
    let offers = offers(&charge, &evidence, &Map::new());
    assert_eq!(
        shown(&offers.parameters),
        json!({"amount": [2500], "currency": ["usd"], "customer": [{"$ref": "c1", "path": "id"}]})
    );
}

#[test]
fn messages_are_copied() {
    let publish = operation(
        "aws/sns/Publish",
        json!({"required": ["Message"], "properties": {"Message": {"type": "string"}, "TopicArn": {"type": "string"}, "Subject": {"type": "string"}}}),
    );
    let (offers, _) = offered(&publish, "publish build is green to arn:aws:sns:eu-west-1:123456789012:ci");
    assert_eq!(offers, json!({"Message": "copied", "TopicArn": ["arn:aws:sns:eu-west-1:123456789012:ci"]}));
    let (offers, _) = offered(&publish, "publish \"build is green\" to arn:aws:sns:eu-west-1:123456789012:ci");
    assert_eq!(offers["Message"], json!(["build is green"]));
}

#[test]
fn tags_are_pairs() {
    let tag = operation(
        "aws/ec2/CreateTags",
        json!({"required": ["Resources", "Tags"], "properties": {"Resources": {"type": "array", "items": {"type": "string"}},
            "Tags": {"type": "array", "items": {"type": "object", "properties": {"Key": {"type": "string"}, "Value": {"type": "string"}}}}}}),
    );
    let (offers, missing) = offered(&tag, "tag i-0abc123 with env=prod");
    assert!(missing.is_empty());
    assert_eq!(
        offers,
        json!({"Resources": {"list": ["i-0abc123"]}, "Tags": {"list": [{"Key": "env", "Value": "prod"}]}})
    );
}

#[test]
fn what_is_kept_is_not_offered_again() {
    let kept = json!({"resource": "deployment", "name": "web"});
    let offers = offers(&scale(), &evidence("Scale the web deployment to 5"), kept.as_object().expect("an object"));
    assert_eq!(shown(&offers.parameters), json!({"replicas": [5]}));
}
