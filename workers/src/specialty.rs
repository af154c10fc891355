//! What a specialist knows about its field: which catalogues, how its drafts are asked for, and example requests that route to it.
//!
//! Data, not code: `workers/specialties/*.toml`. A new field is a new file there.

use serde::Deserialize;

/// One field of work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specialty {
    /// Capability under which it is announced, e.g. `aws`.
    pub capability: String,
    /// One line for the planner's prompt.
    pub description: String,
    /// Providers whose packs it writes calls for.
    pub providers: Vec<String>,
    /// How the free draft is asked for.
    pub draft: DraftPrompt,
    /// How requests find it.
    pub routing: Routing,
}

/// How the free draft is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftPrompt {
    /// System message; prefilled once and shared by all requests.
    pub system: String,
    /// Words the answer begins with, e.g. `aws`: a natural token boundary, never a trailing space (PARTS.md).
    pub opener: String,
}

/// How requests find a capability.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Requests in users' words.
    pub examples: Vec<String>,
}

#[derive(Deserialize)]
struct NoneFile {
    routing: Routing,
}

const BUILT_IN: &[&str] = &[
    include_str!("../specialties/aws.toml"),
    include_str!("../specialties/finance.toml"),
    include_str!("../specialties/kubernetes.toml"),
];

/// The specialties that are shipped.
pub fn built_in() -> Vec<Specialty> {
    BUILT_IN.iter().map(|text| toml::from_str(text).expect("shipped files parse, see the test")).collect()
}

/// The specialty of one capability.
pub fn find(capability: &str) -> Option<Specialty> {
    built_in().into_iter().find(|specialty| specialty.capability == capability)
}

/// Requests that nobody serves.
pub fn none_examples() -> Vec<String> {
    let file: NoneFile =
        toml::from_str(include_str!("../specialties/none.toml")).expect("a shipped file, see the test");
    file.routing.examples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_specialty_parses_and_routes() {
        for specialty in built_in() {
            assert!(specialty.routing.examples.len() >= 40, "{}", specialty.capability);
            assert!(!specialty.draft.opener.ends_with(' '));
        }
        assert!(none_examples().len() >= 100);
    }
}
