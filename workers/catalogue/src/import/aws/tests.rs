use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::operation::{Effect, Invocation, Operation};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")
}

fn imported(service: &str, name: &str) -> Operation {
    let all = operations(&fixture()).unwrap();
    let service = all.services.iter().find(|candidate| candidate.name == service).expect(service);
    let mut operation = service.operations.iter().find(|operation| operation.name == name).expect(name).clone();
    operation.definitions = Arc::clone(&service.definitions);
    operation
}

#[test]
fn names_are_the_command_lines() {
    // The last four are special cases of botocore's own table or its plural rule.
    for (name, expected) in [
        ("CreateVpc", "create-vpc"),
        ("CreateDBInstance", "create-db-instance"),
        ("ListObjectsV2", "list-objects-v2"),
        ("S3Location", "s3-location"),
        ("already-done", "already-done"),
        ("GatewayARNs", "gateway-arns"),
        ("ListWebACLs", "list-web-acls"),
        ("CreateCachediSCSIVolume", "create-cached-iscsi-volume"),
        ("ExecutePartiQLStatement", "execute-partiql-statement"),
    ] {
        assert_eq!(xform_name(name), expected);
    }
}

#[test]
fn the_newest_version_of_each_service_is_taken() {
    let all = operations(&fixture()).unwrap();
    let names: Vec<&str> = all.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["configservice", "dynamodb", "s3"]);
    let counts: Vec<usize> = all.services.iter().map(|service| service.operations.len()).collect();
    assert_eq!(counts, [3, 9, 5 + 9]);
    assert_eq!(all.services[1].title, "Amazon DynamoDB");
}

#[test]
fn parameters_carry_flags_requirements_and_descriptions() {
    let put = imported("dynamodb", "PutItem");
    assert_eq!(
        put.invocation,
        Invocation::Command { words: ["aws", "dynamodb", "put-item"].map(str::to_owned).to_vec() }
    );
    let table = put.parameter("TableName").unwrap();
    assert_eq!((&table["type"], &table["x-flag"]), (&json!("string"), &json!("table-name")));
    assert!(put.is_required("TableName") && put.is_required("Item") && !put.is_required("ReturnValues"));
    assert!(table["description"].as_str().is_some_and(|text| text.len() <= 160 && !text.contains('<')));
    assert_eq!(put.parameter("Item").unwrap()["type"], "object");
    assert!(put.summary.len() <= 300 && put.summary.starts_with("Creates a new item"), "{}", put.summary);
}

#[test]
fn recursion_stays_a_reference_and_unions_are_marked() {
    let put = imported("dynamodb", "PutItem");
    let value = &put.parameter("Item").unwrap()["additionalProperties"];
    assert_eq!(value["$ref"], "#/$defs/AttributeValue");
    let value = put.resolve(value);
    assert_eq!(value["properties"]["L"]["items"]["$ref"], "#/$defs/AttributeValue");
    let mut all = put.definitions.values().flat_map(|schema| schema.as_object()).flatten();
    assert!(all.all(|(_, schema)| !schema.is_null()), "every definition that is referred to is made");
}

#[test]
fn tokens_and_dry_runs_are_never_said() {
    let list = imported("dynamodb", "ListTables");
    assert_eq!(list.parameter("ExclusiveStartTableName").unwrap()["x-never"], true);
    assert!(list.parameter("Limit").unwrap().get("x-never").is_none());
    let transact = imported("dynamodb", "TransactWriteItems");
    assert_eq!(transact.parameter("ClientRequestToken").unwrap()["x-never"], true);
    assert_eq!(transact.effect, Effect::Keyed);
    for service in operations(&fixture()).unwrap().services {
        for operation in service.operations {
            let never = |name: &str| operation.parameter(name).is_some_and(|schema| schema.get("x-never").is_some());
            let mut names = operation.properties().map(|(name, _)| name);
            assert!(!names.any(|name| never(name) && operation.is_required(name)), "{}", operation.key());
        }
    }
}

#[test]
fn effects_and_inverses_come_from_names_and_traits() {
    assert_eq!(imported("dynamodb", "GetItem").effect, Effect::Read);
    assert_eq!(imported("dynamodb", "UpdateItem").effect, Effect::Irreversible);
    assert_eq!(imported("dynamodb", "DeleteTable").effect, Effect::Irreversible);
    assert_eq!(imported("s3", "PutBucketVersioning").effect, Effect::Idempotent);
    assert_eq!(imported("dynamodb", "CreateBackup").undo.as_deref(), Some("DeleteBackup"));
    assert_eq!(imported("dynamodb", "DeleteBackup").undo, None);
}

#[test]
fn copying_can_be_tried_and_syncing_can_delete() {
    let arguments = |extra: &str| json!({"source": ".", "destination": "s3://b", extra: true});
    assert_eq!(imported("s3", "cp").effect_of(&arguments("dryrun")), Effect::Read);
    assert_eq!(imported("s3", "cp").effect_of(&arguments("recursive")), Effect::Idempotent);
    assert_eq!(imported("s3", "sync").effect_of(&arguments("delete")), Effect::Irreversible);
    assert_eq!(imported("s3", "sync").effect_of(&arguments("size-only")), Effect::Idempotent);
    assert_eq!(imported("s3", "mv").effect_of(&arguments("recursive")), Effect::Irreversible);
}

#[test]
fn s3_has_both_of_its_commands() {
    let words = |name: &str| match imported("s3", name).invocation {
        Invocation::Command { words } => words,
        other => panic!("{other:?}"),
    };
    assert_eq!(words("CreateBucket"), ["aws", "s3api", "create-bucket"]);
    assert_eq!(words("sync"), ["aws", "s3", "sync"]);
    let copy = imported("s3", "cp");
    assert_eq!(copy.parameter("source").unwrap()["x-position"], 0);
    assert_eq!(copy.parameter("exclude").unwrap()["x-flag"], "exclude");
    let order: Vec<&str> = copy.properties().map(|(name, _)| name).collect();
    let at = |name: &str| order.iter().position(|other| *other == name);
    assert!(at("exclude") < at("include"), "the command line reads its filters in order");
}

#[test]
fn every_name_in_the_s3_table_is_described() {
    for operation in s3::operations(&[]) {
        for (name, schema) in operation.properties() {
            assert!(schema["description"].is_string(), "{} {name}", operation.name);
        }
        assert!(operation.undo.as_deref().is_none_or(|undo| undo == "rb"));
    }
}

#[test]
fn a_streamed_result_is_written_to_a_file() {
    let get = imported("s3", "GetObject");
    assert_eq!(get.parameter("outfile").unwrap()["x-position"], 0);
    assert!(imported("s3", "ListBuckets").parameter("outfile").is_none());
}

#[test]
fn flags_follow_the_renames_of_the_command_line() {
    assert_eq!(cli::flag("swf", "register-activity-type", "version"), "activity-version");
    assert_eq!(cli::flag("emr", "list-steps", "JobFlowId"), "cluster-id");
    assert_eq!(cli::flag("ec2", "create-vpc", "CidrBlock"), "cidr-block");
}

#[test]
fn result_schemas_lead_to_what_was_made() {
    let backup = imported("dynamodb", "CreateBackup");
    let arn = crate::result_path_exists(&backup, "BackupDetails.BackupArn");
    assert_eq!(arn.and_then(|schema| schema.get("type")), Some(&Value::from("string")));
    assert!(arn.and_then(|schema| schema.get("description")).is_none(), "nobody reads descriptions of results");
}

#[test]
fn what_is_no_botocore_is_refused_with_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let error = Botocore::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("give a botocore wheel"), "{error}");
    let file = folder.path().join("x.whl");
    std::fs::write(&file, "not a zip").unwrap();
    assert!(Botocore::open(&file).unwrap_err().to_string().contains("not a wheel"));
    assert!(matches!(
        Botocore::open(Path::new("/nowhere/at/all")).unwrap_err(),
        crate::CatalogueError::SourceReadFailed { .. }
    ));
}

#[test]
fn a_broken_model_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("tiny/2020-01-01");
    std::fs::create_dir_all(&version).unwrap();
    std::fs::write(version.join("service-2.json"), "{\"operations\": ").unwrap();
    let error = operations(folder.path()).unwrap_err();
    assert!(error.to_string().contains("tiny/2020-01-01/service-2.json"), "{error}");
}

/// The error of a service whose model is this text.
fn refusal(model: &[u8], file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("tiny/2020-01-01");
    std::fs::create_dir_all(&version).unwrap();
    std::fs::write(version.join(file), model).unwrap();
    match operations(folder.path()) {
        Ok(imported) => panic!("imported {} operations", imported.len()),
        Err(error) => error.to_string(),
    }
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_model_that_is_none_says_where_and_why() {
    assert!(refusal(b"[]", "service-2.json").contains("no object `operations`"));
    assert!(refusal(br#"{"operations": []}"#, "service-2.json").contains("no object `operations`"));
    let deep = format!("{{\"operations\": {}", "[".repeat(100_000));
    assert!(refusal(deep.as_bytes(), "service-2.json").contains("recursion limit"));
    let cut = gzipped(br#"{"operations": {}}"#);
    assert!(refusal(&cut[..cut.len() - 9], "service-2.json.gz").contains("service-2.json.gz"));
    // 70 MB of blanks are 70 KB packed.
    let bomb = gzipped(&vec![b' '; 70 << 20]);
    assert!(refusal(&bomb, "service-2.json.gz").contains("larger than 64 MB"));
}

#[test]
fn names_that_are_no_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("ti\u{1b}ny/2020-01-01");
    std::fs::create_dir_all(&version).unwrap();
    std::fs::write(version.join("service-2.json"), "{}").unwrap();
    assert!(Botocore::open(folder.path()).unwrap_err().to_string().contains("no name of a model"));
}

#[test]
fn shapes_that_go_in_circles_end() {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("tiny/2020-01-01");
    std::fs::create_dir_all(&version).unwrap();
    let model = json!({
        "operations": {"MakeThing": {"input": {"shape": "A"}, "output": {"shape": "A"}, "errors": [{"shape": "Nowhere"}, 7]},
                       "ReadThing": {"input": {"shape": "Missing"}, "output": 3, "errors": "none"}},
        "shapes": {"A": {"type": "structure", "members": {"b": {"shape": "List"}, "map": {"shape": "Map"}, "gone": {"shape": "Gone"}}},
                   "List": {"type": "list", "member": {"shape": "List"}},
                   "Map": {"type": "map", "key": {"shape": "Map"}, "value": {"shape": "Map"}}},
    });
    std::fs::write(version.join("service-2.json"), model.to_string()).unwrap();
    let waiters = json!({"waiters": {"ThingMade": {"operation": 1}, "X": "y"}});
    std::fs::write(version.join("waiters-2.json"), waiters.to_string()).unwrap();
    let imported = operations(folder.path()).unwrap();
    let [make, read] = &imported.services[0].operations[..] else { panic!("two operations") };
    assert!(make.parameter("b").is_some() && crate::result_paths(make).len() <= 200);
    assert_eq!((make.effect, make.semantics.waiters.len()), (Effect::Irreversible, 0));
    assert!(read.parameter("b").is_none());
}
