//! What a specialist knows about its field: which catalogues, how its drafts are asked for, and example requests that route to it.
//!
//! Data, not code: `workers/specialties/*.toml` are shipped; `silverback catalogue add` writes one beside the pack that it
//! makes. A new field is a new file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tracing::warn;

/// Largest file of a specialty that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 10;
/// Most catalogues that are added to one installation: each is a choice for every request.
const MAX_ADDED: usize = 100;

/// One field of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftPrompt {
    /// System message; prefilled once and shared by all requests.
    pub system: String,
    /// Words the answer begins with, e.g. `aws`: a natural token boundary, never a trailing space (PARTS.md).
    pub opener: String,
}

/// How requests find a capability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// The specialties that were added beside the packs in a folder, in the order of their names.
///
/// A file that cannot be used is passed over with a warning: the others must be served. The name of the file is the
/// capability, and none can take the place of a shipped one.
pub fn added(packs: &Path) -> Vec<Specialty> {
    let shipped: Vec<String> = built_in().into_iter().map(|specialty| specialty.capability).collect();
    let mut found = Vec::new();
    for path in files(packs) {
        match read(&path) {
            Ok(specialty) if shipped.contains(&specialty.capability) || is_reserved(&specialty.capability) => {
                warn!(path = %path.display(), "this name is a shipped capability's; the file is passed over");
            }
            Ok(specialty) => found.push(specialty),
            Err(reason) => warn!(path = %path.display(), reason, "not a specialty; the file is passed over"),
        }
    }
    found
}

/// Names of what is no field of work.
fn is_reserved(capability: &str) -> bool {
    [crate::PLAN, crate::TOOLS].contains(&capability)
}

fn files(packs: &Path) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let entries = fs::read_dir(packs).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(is_ours).collect();
    paths.sort();
    paths.truncate(MAX_ADDED);
    paths
}

fn read(path: &Path) -> Result<Specialty, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("{length} bytes, at most {MAX_FILE_BYTES} are read"));
    }
    let text = fs::read_to_string(path).map_err(|error: io::Error| error.to_string())?;
    let specialty: Specialty = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if specialty.capability != name || specialty.providers != [name.as_ref()] {
        return Err(format!("capability and provider must be {name:?}, as the file is called"));
    }
    Ok(specialty)
}

/// The specialty of one capability, shipped or added.
pub fn find(capability: &str, packs: &Path) -> Option<Specialty> {
    let mut known = built_in().into_iter().chain(added(packs));
    known.find(|specialty| specialty.capability == capability)
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

    fn petstore() -> Specialty {
        Specialty {
            capability: "petstore".to_owned(),
            description: "pets".to_owned(),
            providers: vec!["petstore".to_owned()],
            draft: DraftPrompt::default(),
            routing: Routing { examples: vec!["list \"all\" pets".to_owned()] },
        }
    }

    #[test]
    fn an_added_specialty_is_read_back_and_a_damaged_one_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("petstore.toml", &toml::to_string(&petstore()).unwrap());
        put("cut.toml", "capability = \"cu");
        put("other.toml", &toml::to_string(&petstore()).unwrap());
        put(
            "aws.toml",
            &toml::to_string(&Specialty { capability: "aws".into(), providers: vec!["aws".into()], ..petstore() })
                .unwrap(),
        );
        put("big.toml", &"#".repeat(300 << 10));
        assert_eq!(added(folder.path()), [petstore()]);
        assert_eq!(find("petstore", folder.path()), Some(petstore()));
        assert!(find("aws", folder.path()).is_some_and(|aws| aws.description != "pets"));
    }
}
