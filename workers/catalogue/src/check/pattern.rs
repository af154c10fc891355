//! Matches texts against vendors' patterns.
//!
//! Vendors write for Java and ECMAScript. What the `regex` crate cannot say (look-around, back-references) `fancy-regex` can, at
//! the price of backtracking, which is bounded. What neither can say, and what takes too long, is left to the vendor: a
//! pattern must never refuse a valid call.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fancy_regex::{Regex, RegexBuilder};

/// Compiled patterns that are kept; vendors have about 10,000, a process meets a few hundred.
const KEPT_PATTERNS: usize = 1024;
/// Bound on a compiled pattern, in bytes: `.{0,10000000}` would take gigabytes.
const MAX_PATTERN_SIZE: usize = 1 << 20;
/// Steps back before a match is given up.
const MAX_BACKTRACKING: usize = 100_000;

/// Patterns by source; `None` for those that no regex language here can say.
static PATTERNS: LazyLock<Mutex<HashMap<String, Option<Arc<Regex>>>>> = LazyLock::new(Mutex::default);

/// True also when the pattern is not one that can be said here: the vendor will check it.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    compiled(pattern).is_none_or(|regex| regex.is_match(text).unwrap_or(true))
}

fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = patterns.get(pattern) {
        return kept.clone();
    }
    if patterns.len() >= KEPT_PATTERNS {
        patterns.clear();
    }
    let regex = compile(pattern).map(Arc::new);
    patterns.insert(pattern.to_owned(), regex.clone());
    regex
}

/// Not anchored: JSON Schema and Smithy both search, and vendors write anchors where they mean them.
fn compile(pattern: &str) -> Option<Regex> {
    // Some write the slashes of ECMAScript's literals.
    let pattern = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap_or(pattern);
    let mut builder = RegexBuilder::new(pattern);
    builder.delegate_size_limit(MAX_PATTERN_SIZE).backtrack_limit(MAX_BACKTRACKING);
    builder.build().ok()
}
