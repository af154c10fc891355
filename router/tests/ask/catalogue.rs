//! A tiny catalogue with a result to refer to.

use std::path::Path;

use serde_json::{Value, json};
use silverback_catalogue::{Effect, Invocation, Operation, PackWriter, import::ImportedService};

/// Writes `aws.pack` with `ec2` CreateVpc, CreateSubnet, DescribeVpcs; gives its digest.
pub fn write_pack(folder: &Path) -> String {
    let text = || json!({"type": "string"});
    let operations = vec![
        operation("CreateVpc", Effect::Irreversible, json!({"CidrBlock": flag(text(), "cidr-block")}), &["CidrBlock"]),
        operation(
            "CreateSubnet",
            Effect::Irreversible,
            json!({"VpcId": flag(text(), "vpc-id"), "CidrBlock": flag(text(), "cidr-block")}),
            &["VpcId", "CidrBlock"],
        ),
        operation(
            "DescribeVpcs",
            Effect::Read,
            json!({"MaxResults": flag(json!({"type": "integer"}), "max-results")}),
            &[],
        ),
    ];
    let service =
        ImportedService { name: "ec2".into(), title: "Elastic Compute Cloud".into(), operations, ..Default::default() };
    let mut writer = PackWriter::new("aws");
    writer.add(&service, 0.5).unwrap();
    writer.finish(folder.join("aws.pack")).unwrap().digest
}

fn flag(mut schema: Value, name: &str) -> Value {
    schema["x-flag"] = name.into();
    schema
}

fn operation(name: &str, effect: Effect, properties: Value, required: &[&str]) -> Operation {
    let words = ["aws", "ec2", &name.to_lowercase()].map(str::to_owned).to_vec();
    Operation {
        provider: "aws".into(),
        service: "ec2".into(),
        name: name.into(),
        summary: name.into(),
        words: Vec::new(),
        effect,
        undo: (name == "CreateVpc").then(|| "DeleteVpc".to_owned()),
        invocation: Invocation::Command { words },
        parameters: json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        result: json!({"type": "object", "properties": {
            "Vpc": {"type": "object", "properties": {"VpcId": {"type": "string"}}}}}),
        semantics: Default::default(),
        definitions: Default::default(),
    }
}
