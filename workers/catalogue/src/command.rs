//! Translates between calls and the vendors' own command lines, both ways.
//!
//! [`render`] writes a call as the vendor's tool or wire takes it. [`parse`] reads command lines out of a text a model drafted,
//! [`Target`] says which operation a line names, and [`bind`] turns its words into typed arguments of an operation. Nothing here
//! executes anything, and nothing here trusts a draft: what does not fit comes back in [`Bound::leftovers`].
//!
//! Keys on a parameter's schema that only this module and the importers know, beside those of [`crate::Operation`]:
//!
//! | key | value |
//! |---|---|
//! | `x-join` | this positional is written in one word with the one of the same `x-position`: `deployment/web` |
//! | `x-after-dashes` | this positional comes after `--` |
//! | `x-instead` | a required parameter may be left out when one of these is given |
//! | `x-separator` | several values are one string joined with this |
//! | `x-kind` | `kubernetes-kind`, `kubernetes-name`, `duration`, `ticker`, `date`, `currency`, `email` |
//! | `x-unit` | `minor-currency` (cents), `unix-seconds` |
//! | `x-prefix` | what identifiers of this kind begin with: `cus_` |
//!
//! Start at [`parse`] for drafts, at [`render`] for plans.

use serde_json::{Map, Value};

use crate::operation::{Invocation, Operation};

mod aws;
mod bind;
mod body;
mod coerce;
mod expression;
mod form;
mod http;
mod lexer;
mod missing;
mod options;
mod parse;
mod positionals;
mod read;
mod reference;
mod render;
mod shorthand;
mod target;
#[cfg(test)]
mod tests;

pub use bind::bind;
pub use missing::missing;
pub use parse::parse;
pub use read::{ReadCall, find, read, read_line, read_request};
pub use target::Target;

/// One command line somebody wrote, cut into its parts. Nothing in it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// `aws`, `kubectl`, `stripe`, `obb`, `curl`, or whatever stands first.
    pub program: String,
    /// Words before the first flag: command words and positionals. For `curl`: method and URL.
    pub words: Vec<String>,
    /// Flags in order with every word that followed. Long ones without dashes (`namespace`), short ones with (`-n`, `-it`).
    /// Which of the words belong to the flag only its operation can say: see [`bind`].
    pub flags: Vec<(String, Vec<String>)>,
    /// What stood after `--`; for calls in a programming language, the positional arguments.
    pub rest: Vec<String>,
}

/// What a command line says to one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    /// Arguments by parameter name, typed by its schema. Proposals: check them.
    pub arguments: Map<String, Value>,
    /// What fits no parameter, as it was written.
    pub leftovers: Vec<String>,
    /// Options of the tool itself, as they were written: region, form of the output, paging. They are no part of the call.
    pub aside: Vec<String>,
}

/// A call as the vendor takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// An argument vector, never a shell string.
    Command(Vec<String>),
    /// A request over HTTP.
    Http(HttpParts),
    /// A tool of an MCP server; its arguments are the call's own.
    Mcp {
        /// The name the server was added under.
        server: String,
        /// The tool's own name.
        tool: String,
    },
}

/// A request over HTTP without what is secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpParts {
    /// `GET`, `POST`, …
    pub method: String,
    /// With path and query filled in.
    pub url: String,
    /// Never credentials, never an idempotency key.
    pub headers: Vec<(String, String)>,
    /// Empty without a body.
    pub body: String,
}

/// Writes a call of `operation` with `arguments` (an object) as its vendor takes it.
///
/// Parameters the operation does not have are left out: [`crate::check`] is where they are refused. A reference into the
/// result of an earlier call is written `${c1.Vpc.VpcId}`.
pub fn render(operation: &Operation, arguments: &Value) -> Rendered {
    match &operation.invocation {
        Invocation::Command { words } => Rendered::Command(render::command(operation, words, arguments)),
        Invocation::Http { method, url, body } => {
            let request = http::Request { method, url, media: body };
            Rendered::Http(http::render(operation, &request, arguments))
        }
        Invocation::GraphQl { url, document } => Rendered::Http(body::graphql(url, document, arguments)),
        Invocation::Mcp { server, tool } => Rendered::Mcp { server: server.clone(), tool: tool.clone() },
    }
}

/// Would this text, standing where a value stands, be read as a reference into an earlier result?
pub(crate) fn reads_as_reference(text: &str) -> bool {
    reference::from_word(text).is_some()
}

/// One line of shell text for people: every word that needs it is quoted.
pub fn quote(words: &[String]) -> String {
    words.iter().map(|word| lexer::quote(word)).collect::<Vec<_>>().join(" ")
}
