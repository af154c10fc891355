//! Turns people's words into the value an interface wants: an amount in cents, a date, a ticker, a region.
//!
//! Each resolver is one small typed function in its own file. A resolver never invents: what it gives is computed from a
//! span of the request and from facts (data files), and the span goes with it. None knows an operation or a grammar.

use std::ops::Range;

pub mod boolean;
pub mod cron;
pub mod date;
pub mod glob;
pub mod money;
pub mod pair;
pub mod port;
pub mod quantity;
pub mod region;
pub mod resources;
pub mod s3_uri;
pub mod selector;
pub mod ticker;

/// A value that a resolver read from a span of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// Byte offsets of the span.
    pub range: Range<usize>,
    /// What it means.
    pub value: T,
}

/// True when the span is not part of a longer word, number or compound name.
pub(crate) fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let mut after = text[range.end..].chars();
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    if before.is_some_and(|c| joins(c) || matches!(c, '-' | '.' | '/' | ':' | '@' | '#')) {
        return false;
    }
    match after.next() {
        None => true,
        Some(c) if joins(c) || c == '@' => false,
        // A full stop ends a sentence, "1.5" goes on.
        Some('-' | '.' | '/' | ':' | ',') => !after.next().is_some_and(joins),
        Some(_) => true,
    }
}
