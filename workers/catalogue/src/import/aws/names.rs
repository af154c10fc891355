//! Names as the AWS command line writes them.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// Names that the rules get wrong; from `_xform_cache` in `botocore/__init__.py` (1.44.5).
static SPECIAL: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("xform_special.json")).expect("the table in the source parses, see the tests")
});
static PLURAL_ACRONYM: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Z]{2,}s$").expect("a constant"));
static FIRST_CAPITAL: LazyLock<Regex> = LazyLock::new(|| Regex::new("(.)([A-Z][a-z]+)").expect("a constant"));
static LAST_CAPITAL: LazyLock<Regex> = LazyLock::new(|| Regex::new("([a-z0-9])([A-Z])").expect("a constant"));

/// `CreateDBInstance` → `create-db-instance`: botocore's `xform_name(name, '-')`, rule by rule.
pub fn xform_name(name: &str) -> String {
    if name.contains('-') {
        return name.to_owned();
    }
    if let Some(special) = SPECIAL.get(name) {
        return special.clone();
    }
    let mut name = name.to_owned();
    if let Some(found) = PLURAL_ACRONYM.find(&name) {
        name = format!("{}-{}", &name[..found.start()], found.as_str().to_lowercase());
    }
    let name = FIRST_CAPITAL.replace_all(&name, "$1-$2");
    LAST_CAPITAL.replace_all(&name, "$1-$2").to_lowercase()
}
