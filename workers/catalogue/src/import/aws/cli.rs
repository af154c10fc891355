//! What the AWS command line calls services and flags, where that differs from the API.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    /// Folder in botocore → service on the command line.
    services: BTreeMap<String, String>,
    /// Service → command word, where the same service has two.
    command_services: BTreeMap<String, String>,
    /// `service.operation.flag` → flag; `*` stands for every operation.
    flags: BTreeMap<String, String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../aws_cli.json")).expect("the table in the source parses, see the tests")
});

/// Service name for a folder of botocore: `config` → `configservice`.
pub(super) fn service_name(folder: &str) -> String {
    TABLE.services.get(folder).map_or(folder, String::as_str).to_owned()
}

/// Words of the command: `["aws", "s3api", "create-bucket"]`.
pub(super) fn words(service: &str, operation: &str) -> Vec<String> {
    let word = TABLE.command_services.get(service).map_or(service, String::as_str);
    vec!["aws".to_owned(), word.to_owned(), super::xform_name(operation)]
}

/// Flag of a parameter, without dashes.
pub(super) fn flag(service: &str, command: &str, parameter: &str) -> String {
    let flag = super::xform_name(parameter);
    let renamed = [command, "*"].iter().find_map(|command| TABLE.flags.get(&format!("{service}.{command}.{flag}")));
    renamed.cloned().unwrap_or(flag)
}
