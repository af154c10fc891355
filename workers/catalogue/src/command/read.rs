//! Reads command lines as calls of operations that exist: the way back of [`render`](super::render).
//!
//! Stricter than a search over a draft: the line must name an operation of the catalogue exactly, as the vendor's own tool would
//! have it. What fits none of its parameters is handed back in [`Bound::leftovers`].

use std::sync::Arc;

use super::bind::bind_request;
use super::{Bound, CommandLine, HttpParts, bind, parse};
use crate::catalogue::{Catalogue, OperationRef};
use crate::error::Result;
use crate::operation::Operation;

/// One command line as a call.
#[derive(Clone, Debug)]
pub struct ReadCall {
    /// Which operation, in the catalogue that was asked.
    pub at: OperationRef,
    /// The operation itself.
    pub operation: Arc<Operation>,
    /// What the line says to it. Not checked yet: see [`crate::check`](fn@crate::check).
    pub bound: Bound,
}

/// The calls that the command lines of a text make, in order; lines of other programs and of operations that the catalogue
/// does not have are passed over.
///
/// # Errors
/// An operation's block in its pack is damaged.
pub fn read(catalogue: &Catalogue, text: &str) -> Result<Vec<ReadCall>> {
    parse(text).iter().filter_map(|line| read_line(catalogue, line).transpose()).collect()
}

/// The call that one line makes; nothing when it names no operation of the catalogue.
///
/// # Errors
/// See [`read`].
pub fn read_line(catalogue: &Catalogue, line: &CommandLine) -> Result<Option<ReadCall>> {
    let Some(at) = find(catalogue, line) else { return Ok(None) };
    let operation = catalogue.operation(at)?;
    let bound = bind(&operation, line);
    Ok(Some(ReadCall { at, operation, bound }))
}

/// What an HTTP request says to an operation: the way back of [`render`](super::render) for those that are said over HTTP.
pub fn read_request(operation: &Operation, request: &HttpParts) -> Bound {
    bind_request(operation, request)
}

/// The operation that a line names exactly.
pub fn find(catalogue: &Catalogue, line: &CommandLine) -> Option<OperationRef> {
    let in_packs = |look: &dyn Fn(&crate::pack::Pack) -> Option<u32>| {
        (0u32..).zip(catalogue.packs()).find_map(|(pack, opened)| Some(OperationRef { pack, index: look(opened)? }))
    };
    match (line.program.as_str(), line.words.as_slice()) {
        ("aws", [service, operation, ..]) => in_packs(&|pack| pack.find_command(&["aws", service, operation])),
        ("curl", [method, url]) => {
            let named =
                line.target().and_then(|found| catalogue.find(&found.provider, &found.service, &found.operation));
            named.or_else(|| in_packs(&|pack| pack.find_http(method, url)))
        }
        _ => {
            let target = line.target()?;
            catalogue.find(&target.provider, &target.service, &target.operation)
        }
    }
}
