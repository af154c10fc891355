//! What a user brings: says which kind of description it is and has it imported.
//!
//! Knows no files and no network: bytes come in. Start at [`operations_from`].

use serde_json::Value;

use super::document::{self, refused};
use super::{Imported, aws, graphql, mcp, openapi};
use crate::error::Result;

/// Most operations of one description; AWS as a whole has 20,000.
pub(super) const MAX_OPERATIONS: usize = 50_000;

/// Where a description comes from and what is said about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Name the catalogue is added under; becomes the provider.
    pub name: String,
    /// File, address or command, for errors.
    pub origin: String,
    /// Address of the API when the description names none or another shall be used; absolute.
    pub server: Option<String>,
    /// Address the description was fetched from: relative servers are relative to it.
    pub fetched_from: Option<String>,
    /// Believe an MCP server's own hints about what its tools do.
    pub trusts_hints: bool,
}

/// The kinds of descriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OpenAPI 3.0 or 3.1.
    OpenApi,
    /// The answer of an MCP server to `tools/list`.
    Mcp,
    /// The answer of a GraphQL server to the introspection query.
    GraphQl,
    /// A service model like those of botocore.
    ServiceModel,
}

/// Imports a description of any kind.
///
/// # Errors
/// It is not readable, of no known kind, or breaks a rule of its kind; always with the place.
pub fn operations_from(bytes: &[u8], source: &Source) -> Result<Imported> {
    let document = document::read(bytes, &source.origin)?;
    match kind_of(&document) {
        Some(Kind::OpenApi) => openapi::operations(&document, source),
        Some(Kind::Mcp) => mcp::operations(&document, source),
        Some(Kind::GraphQl) => graphql::operations(&document, source),
        Some(Kind::ServiceModel) => aws::operations_of_model(document, source),
        None => Err(refused(&source.origin, unknown(&document))),
    }
}

/// The kind of a description, seen from its content.
pub fn kind_of(document: &Value) -> Option<Kind> {
    if document.get("openapi").is_some() {
        Some(Kind::OpenApi)
    } else if graphql::schema_of(document).is_some() {
        Some(Kind::GraphQl)
    } else if mcp::tools_of(document).is_some() {
        Some(Kind::Mcp)
    } else if document.get("operations").is_some_and(Value::is_object) && document.get("shapes").is_some() {
        Some(Kind::ServiceModel)
    } else {
        None
    }
}

fn unknown(document: &Value) -> String {
    if let Some(version) = document.get("swagger") {
        return format!("it is Swagger {}; convert it to OpenAPI 3 first", version.as_str().unwrap_or("2.0"));
    }
    if let Some(errors) = document.get("errors").filter(|errors| errors.is_array()) {
        let first = errors.pointer("/0/message").and_then(Value::as_str).unwrap_or_default();
        return format!("the server answered with an error: {}", super::clean::line(first, 200));
    }
    let known = "OpenAPI 3 (`openapi`), an MCP tools/list answer (`tools`), GraphQL introspection (`__schema`) or a botocore service model \
                 (`operations` and `shapes`)";
    format!("it is no API description of a known kind; give {known}")
}

// === impl Source ===

impl Source {
    /// A description of which nothing is known but the name it gets.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), origin: name.to_owned(), ..Self::default() }
    }
}
