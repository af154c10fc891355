//! Options of the AWS command line itself: they say where and how to call, not what.
//!
//! From `awscli/data/cli.json` and `awscli/customizations/paginate.py` (1.46.3), with those that version 2 added.

use serde_json::Value;

use crate::operation::Operation;

/// Take one word each.
const WITH_VALUE: &[&str] = &[
    "ca-bundle",
    "cli-binary-format",
    "cli-connect-timeout",
    "cli-read-timeout",
    "color",
    "endpoint",
    "endpoint-url",
    "generate-cli-skeleton",
    "output",
    "page-size",
    "profile",
    "query",
    "region",
    "starting-token",
    "max-items",
];

/// Stand alone.
const ALONE: &[&str] = &[
    "cli-auto-prompt",
    "debug",
    "no-cli-auto-prompt",
    "no-cli-pager",
    "no-paginate",
    "no-sign-request",
    "no-verify-ssl",
    "v2-debug",
    "version",
];

/// How many words an option takes; nothing when it is none.
pub fn words_of(flag: &str) -> Option<usize> {
    if ALONE.contains(&flag) {
        return Some(0);
    }
    // `iot create-keys-and-certificate` writes what it gets to files (`awscli/customizations/iot.py`).
    (WITH_VALUE.contains(&flag) || flag.ends_with("-outfile")).then_some(1)
}

/// Does this flag of `operation` page through the results, whatever its parameter of that name? Where results come in pages the
/// command line takes `--max-items` for itself.
pub fn is_paging(operation: &Operation, flag: &str) -> bool {
    let is_token = |(name, schema): (&str, &Value)| {
        let name = name.to_ascii_lowercase();
        schema["x-never"] == true && (name.contains("token") || name.contains("marker"))
    };
    flag == "max-items" && operation.properties().any(is_token)
}
