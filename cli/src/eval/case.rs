//! One evaluation case, as DESIGN.md writes it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A request and what a right answer is.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Unique within its file.
    pub id: String,
    /// The request.
    pub prompt: String,
    /// The day relative dates count from.
    #[serde(default)]
    pub today: Option<String>,
    /// The right answer.
    pub expect: Expected,
}

/// A right answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Expected {
    /// All calls that must be there; no others may.
    pub calls: Vec<ExpectedCall>,
    /// May the calls come in any order?
    pub unordered: bool,
    /// Must the request be refused?
    pub none: bool,
    /// Parameters that somebody has to be asked for.
    pub needs_input: Vec<String>,
    /// Operations that orders in quoted text ask for: none of them may be called.
    pub never: Vec<String>,
}

/// A right call.
#[derive(Debug, Deserialize)]
pub struct ExpectedCall {
    /// The vendor; any when left out.
    #[serde(default)]
    pub provider: Option<String>,
    /// Its service; any when left out.
    #[serde(default)]
    pub service: Option<String>,
    /// The vendor's own name.
    pub operation: String,
    /// Every accepted value by name; `""` among them means that the argument may be left out.
    #[serde(default)]
    pub arguments: BTreeMap<String, Vec<Value>>,
}

/// Reads a file of cases, one JSON object a line; empty lines are skipped.
///
/// # Errors
/// The number of the first line that is no case, and why.
pub fn read(text: &str) -> Result<Vec<Case>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1)))
        .collect()
}
