use serde_json::json;

use super::*;
use crate::operation::{Effect, Invocation};

fn operation(name: &str, required: &[&str], optional: &[&str], result: Value) -> Operation {
    let all = required.iter().chain(optional).map(|name| ((*name).to_owned(), json!({"type": "string"})));
    let properties: Map<String, Value> = all.collect();
    Operation {
        provider: "aws".to_owned(),
        service: "tiny".to_owned(),
        name: name.to_owned(),
        summary: String::new(),
        words: Vec::new(),
        effect: Effect::Irreversible,
        undo: None,
        invocation: Invocation::Command { words: Vec::new() },
        parameters: json!({"type": "object", "properties": properties, "required": required}),
        result,
        semantics: crate::Semantics::default(),
        definitions: Default::default(),
    }
}

fn object(members: Value) -> Value {
    json!({"type": "object", "properties": members})
}

fn linked(forward: Operation, inverse: Operation, text: &str) -> Option<Inverse> {
    let texts = HashMap::from([(forward.name.clone(), text.to_owned())]);
    let definitions = json!({"Vpc": object(json!({"VpcId": {"type": "string"}, "OwnerId": {"type": "string"}}))});
    let mut operations = [forward, inverse];
    link("tiny", &mut operations, &texts, definitions.as_object().unwrap());
    let [forward, _] = operations;
    assert_eq!(forward.undo, forward.semantics.inverse.as_ref().map(|inverse| inverse.operation.clone()));
    forward.semantics.inverse
}

fn result(path: &str) -> ArgumentSource {
    ArgumentSource::Result(path.to_owned())
}

fn argument(name: &str) -> ArgumentSource {
    ArgumentSource::Argument(name.to_owned())
}

#[test]
fn what_is_made_is_deleted_by_the_id_in_the_result() {
    let create = operation("CreateVpc", &["CidrBlock"], &[], object(json!({"Vpc": {"$ref": "#/$defs/Vpc"}})));
    let inverse =
        linked(create, operation("DeleteVpc", &["VpcId"], &["DryRun"], Value::Null), "Creates a VPC.").unwrap();
    assert_eq!(inverse.operation, "DeleteVpc");
    assert_eq!(inverse.arguments, [("VpcId".to_owned(), result("Vpc.VpcId"))]);
    let create = operation("CreateThing", &["Group"], &[], object(json!({"id": {"type": "string"}})));
    let inverse = linked(create, operation("DeleteThing", &["Group", "ThingId"], &[], Value::Null), "").unwrap();
    assert_eq!(inverse.arguments, [("Group".to_owned(), argument("Group")), ("ThingId".to_owned(), result("id"))]);
}

#[test]
fn an_open_identifier_means_no_inverse() {
    let of = |result| operation("CreateVpc", &["CidrBlock"], &[], result);
    let delete = || operation("DeleteVpc", &["VpcId"], &[], Value::Null);
    assert_eq!(linked(of(Value::Null), delete(), ""), None);
    // An id of the same name in a structure of something else may be of something else.
    let elsewhere = object(json!({"Peer": {"$ref": "#/$defs/Vpc"}}));
    assert_eq!(linked(of(elsewhere), delete(), ""), None);
    let other_type = object(json!({"VpcId": {"type": "integer"}}));
    assert_eq!(linked(of(other_type), delete(), ""), None);
    // An optional argument may be missing in the call at hand.
    let create = operation("CreateThing", &[], &["Name"], Value::Null);
    assert_eq!(linked(create, operation("DeleteThing", &["Name"], &[], Value::Null), ""), None);
}

#[test]
fn what_may_overwrite_has_no_inverse() {
    let create = |name: &str| operation(name, &["Name"], &[], Value::Null);
    let delete = |name: &str| operation(name, &["Name"], &[], Value::Null);
    assert!(linked(create("CreateRule"), delete("DeleteRule"), "Creates a rule.").is_some());
    assert_eq!(linked(create("CreateRule"), delete("DeleteRule"), "Creates or updates a rule."), None);
    assert_eq!(linked(create("CreateTags"), delete("DeleteTags"), "Adds tags."), None);
    assert_eq!(linked(create("StopQueryRun"), delete("StartQueryRun"), "Stops a run."), None);
}

#[test]
fn links_are_taken_back_with_all_they_joined() {
    let add = operation("AddUserToGroup", &["User", "Group"], &[], Value::Null);
    let remove = operation("RemoveUserFromGroup", &["User", "Group"], &[], Value::Null);
    let inverse = linked(add, remove, "").unwrap();
    assert_eq!(inverse.operation, "RemoveUserFromGroup");
    assert_eq!(inverse.arguments.len(), 2);
    let all = ["GroupId", "CidrIp"];
    let authorize = operation("AuthorizeIngress", &[], &all, Value::Null);
    let inverse = linked(authorize, operation("RevokeIngress", &[], &all, Value::Null), "").unwrap();
    let expected = all.map(|name| (name.to_owned(), argument(name)));
    assert_eq!(inverse.arguments, expected, "the rule, not the group");
}

#[test]
fn a_word_within_a_name_is_not_turned_round() {
    let names: Vec<String> = opposites("Remove", "TopicToFrom").collect();
    assert_eq!(names, ["RemoveTopicToFrom", "RemoveTopicFromFrom"]);
    assert_eq!(opposites("Remove", "Topic").count(), 1);
}
