//! What one (model, adapter, catalogue, grammar) tuple is: the part of an announcement that many workers share.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    digest::{Digest, canonical_json},
    error::RegistryError,
};

/// Describes a worker's abilities; addressed by the digest of its canonical JSON. Says nothing of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the base model, e.g. `qwen2.5-coder-1.5b`.
    pub model: String,
    /// Digest of the model file.
    pub model_digest: Digest,
    /// Name of the adapter on it, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// Digest of the catalogue pack; a general worker has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Digest>,
    /// Name of the catalogue, e.g. `aws`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_name: Option<String>,
    /// Version of the grammar compiler.
    pub grammar_version: String,
    /// What one worker of this card takes.
    pub limits: Limits,
    /// General or specialist.
    pub kind: CardKind,
    /// One line for the planner's prompt.
    pub description: String,
    /// Short requests that belong here, at most 8.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// Which gRPC service the worker serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardKind {
    /// Constrained text: plans, classification.
    General,
    /// Exact calls for steps.
    Specialist,
}

/// What one worker takes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Requests decoded at once.
    pub max_concurrent: u32,
    /// Tokens of one prompt.
    pub max_prompt_tokens: u32,
}

/// A capability the cluster should have even with no worker, as the planner shall see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// One line for the planner's prompt.
    pub description: String,
    /// Requests that belong here: all that its workers' card would have, or requests go elsewhere while there are none.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// Parses JSON from outside within a byte limit; the reason says what is wrong.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8], max_bytes: usize) -> Result<T, String> {
    if json.len() > max_bytes {
        return Err(format!("{} bytes, at most {max_bytes} are read", json.len()));
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

// === impl Card ===

impl Card {
    /// Most examples on a card.
    pub const MAX_EXAMPLES: usize = 256;
    /// Longest line (description, example, name) in characters.
    pub const MAX_LINE_CHARS: usize = 240;
    /// Largest card in bytes of JSON.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// Content address: the digest of [`to_json`](Self::to_json).
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    /// Canonical JSON: sorted keys, no spaces.
    pub fn to_json(&self) -> String {
        canonical_json(&serde_json::to_value(self).expect("a card has only strings and integers"))
    }

    /// Reads a card and checks that `digest` is its address. Fields of a later version are ignored but covered by
    /// the digest. Error: what is wrong, for a log.
    pub(crate) fn read(json: &[u8], digest: &Digest) -> Result<Self, String> {
        let value: Value = read_json(json, Self::MAX_BYTES)?;
        let actual = Digest::of(canonical_json(&value).as_bytes());
        if actual != *digest {
            return Err(format!("content has digest {actual}"));
        }
        let card: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        card.check().map_err(|error| error.to_string())?;
        Ok(card)
    }

    /// Checks the card's own rules; `InvalidCard` lists every broken one.
    pub fn check(&self) -> Result<(), RegistryError> {
        let mut problems = line_problems(&self.description, &self.examples);
        let names =
            [Some(&self.model), self.adapter.as_ref(), self.catalogue_name.as_ref(), Some(&self.grammar_version)];
        for name in names.into_iter().flatten() {
            problems.extend(line_problem("a name", name));
        }
        if self.limits.max_concurrent == 0 || self.limits.max_prompt_tokens == 0 {
            problems.push("limits must be at least 1".to_owned());
        }
        if self.kind == CardKind::Specialist && (self.catalogue.is_none() || self.catalogue_name.is_none()) {
            problems.push("a specialist names its catalogue and its digest".to_owned());
        }
        refuse("card", problems)
    }
}

// === impl Declaration ===

impl Declaration {
    /// Largest declaration in bytes of JSON.
    pub const MAX_BYTES: usize = Card::MAX_BYTES;

    /// Checks the declaration's own rules; `InvalidCard` lists every broken one.
    pub fn check(&self) -> Result<(), RegistryError> {
        refuse("declaration", line_problems(&self.description, &self.examples))
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a declaration has only strings")
    }

    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let declaration: Self = read_json(json, Self::MAX_BYTES)?;
        declaration.check().map_err(|error| error.to_string())?;
        Ok(declaration)
    }
}

fn refuse(what: &'static str, problems: Vec<String>) -> Result<(), RegistryError> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(RegistryError::InvalidCard { what, problems: problems.join("; ") })
}

fn line_problems(description: &str, examples: &[String]) -> Vec<String> {
    let mut problems: Vec<_> = line_problem("the description", description).into_iter().collect();
    problems.extend(examples.iter().filter_map(|example| line_problem("an example", example)));
    if examples.len() > Card::MAX_EXAMPLES {
        problems.push(format!("{} examples, at most {}", examples.len(), Card::MAX_EXAMPLES));
    }
    problems
}

/// These lines go into prompts and logs: no control characters, so that no line break can forge a turn.
fn line_problem(what: &str, line: &str) -> Option<String> {
    let chars = line.chars().count();
    if line.trim().is_empty() {
        return Some(format!("{what} is empty"));
    }
    if chars > Card::MAX_LINE_CHARS {
        return Some(format!("{what} has {chars} characters, at most {}", Card::MAX_LINE_CHARS));
    }
    let breaks_line = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    line.contains(breaks_line).then(|| format!("{what} has control characters"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn card(model: &str) -> Card {
        Card {
            model: model.to_owned(),
            model_digest: Digest::of(model.as_bytes()),
            adapter: None,
            catalogue: Some(Digest::of(b"pack")),
            catalogue_name: Some("aws".to_owned()),
            grammar_version: "1".to_owned(),
            limits: Limits { max_concurrent: 4, max_prompt_tokens: 4096 },
            kind: CardKind::Specialist,
            description: "AWS: storage, machines, networks".to_owned(),
            examples: vec!["create a bucket".to_owned()],
        }
    }

    #[test]
    fn a_card_comes_back_under_its_own_digest_only() {
        let card = card("m");
        let json = card.to_json();
        assert_eq!(Card::read(json.as_bytes(), &card.digest()).unwrap(), card);
        assert!(Card::read(json.as_bytes(), &Digest::of(b"other")).unwrap_err().contains("digest"));
        assert!(Card::read(json.replace("\"m\"", "\"n\"").as_bytes(), &card.digest()).is_err());
    }

    #[test]
    fn a_later_version_of_a_card_is_still_readable() {
        let mut value: Value = serde_json::from_str(&card("m").to_json()).unwrap();
        value["quantization"] = "q4".into();
        let json = serde_json::to_string_pretty(&value).unwrap();
        let digest = Digest::of(canonical_json(&value).as_bytes());
        assert_eq!(Card::read(json.as_bytes(), &digest).unwrap(), card("m"));
    }

    #[test]
    fn every_broken_rule_is_named() {
        let mut card = card("m");
        card.description = "two\nlines".to_owned();
        card.examples = vec![String::new(); Card::MAX_EXAMPLES + 1];
        card.limits.max_concurrent = 0;
        card.catalogue = None;
        let text = card.check().unwrap_err().to_string();
        for part in ["control characters", "an example is empty", "257 examples", "limits", "a specialist names"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn huge_and_deeply_nested_cards_are_refused() {
        let digest = Digest::of(b"");
        assert!(Card::read(&vec![b' '; Card::MAX_BYTES + 1], &digest).unwrap_err().contains("at most"));
        assert!(Card::read("[".repeat(10_000).as_bytes(), &digest).unwrap_err().contains("recursion"));
    }
}
