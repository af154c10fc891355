//! Reads the two committed descriptions of kubectl: its help and our table of commands.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{CatalogueError, Result};
use crate::operation::Effect;

const HELP: &str = include_str!("../../../data/kubectl.json");
const COMMANDS: &str = include_str!("../../../data/kubectl_commands.json");

/// Both descriptions together.
pub struct Source {
    pub help: HelpFile,
    pub commands: BTreeMap<String, Command>,
}

/// What `kubectl … --help` prints, all commands.
#[derive(Deserialize)]
pub struct HelpFile {
    pub global_flags: Vec<Flag>,
    pub commands: Vec<Help>,
}

/// What `kubectl COMMAND --help` prints.
#[derive(Deserialize)]
pub struct Help {
    pub name: String,
    pub short: String,
    /// Other full spellings: `top po`.
    pub aliases: Vec<String>,
    pub examples: Vec<Example>,
    pub flags: Vec<Flag>,
}

#[derive(Deserialize)]
pub struct Example {
    pub title: String,
}

/// One flag as the help shows it. The type is guessed from the default, the only thing the help shows of it.
#[derive(Deserialize)]
pub struct Flag {
    pub name: String,
    #[serde(default)]
    pub short: Option<String>,
    #[serde(rename = "type")]
    pub kind: FlagKind,
    #[serde(default)]
    pub default: Option<String>,
    pub doc: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FlagKind {
    Boolean,
    Integer,
    Duration,
    List,
    String,
}

#[derive(Deserialize)]
struct CommandsFile {
    commands: BTreeMap<String, Command>,
}

/// Our reading of one command: how its positionals are said, what it does to the world.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Names in order. `?` may be left out, `...` takes all that remain, `a|b` either, `/name` and `.field` are joined to
    /// what stands before (`deployment/web`, `pod.spec`). `command...` comes after `--`.
    #[serde(default)]
    pub positionals: String,
    pub effect: Effect,
    #[serde(default)]
    pub undo: Option<String>,
    #[serde(default)]
    pub words: Vec<String>,
    /// Kinds `resource` may be; all when empty.
    #[serde(default)]
    pub kinds: String,
    /// Words `resource` may be beside kinds: `*`.
    #[serde(default)]
    pub extra_kinds: String,
    /// `resource` may be the word `all`.
    #[serde(default)]
    pub all: bool,
    /// What the help does not say of its flags.
    #[serde(default)]
    pub flags: FlagNotes,
    /// Not about one namespace.
    #[serde(default)]
    pub cluster: bool,
    /// Never asks a cluster.
    #[serde(default)]
    pub local: bool,
    /// Word between the command and its positionals: `taint nodes NAME`.
    #[serde(default)]
    pub literal: Option<String>,
    /// Kind of the object it answers with.
    #[serde(default)]
    pub result: Option<String>,
}

/// What the help does not say of a command's flags.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlagNotes {
    /// Flags without which kubectl refuses.
    pub required: String,
    /// What may stand for a required parameter, beside the usual selectors and files.
    pub instead: BTreeMap<String, String>,
    /// Flags whose type the help does not show.
    pub types: BTreeMap<String, FlagKind>,
    /// Flags whose name is taken by a positional.
    pub rename: BTreeMap<String, String>,
    /// Global flags offered beside `namespace` and `context`.
    pub global: String,
}

// === impl Source ===

impl Source {
    pub fn load() -> Result<Self> {
        Self::of(HELP, "data/kubectl.json")
    }

    /// The help texts of another kubectl, as `extract/kubectl.py` writes them.
    pub fn of(help: &str, origin: &str) -> Result<Self> {
        let help = read::<HelpFile>(help, origin)?;
        let commands = read::<CommandsFile>(COMMANDS, "data/kubectl_commands.json")?.commands;
        Ok(Self { help, commands })
    }

    /// The global flags that make sense for a command; the others choose servers and credentials, which are not the request's.
    pub fn inherited<'a>(&'a self, command: &'a Command) -> impl Iterator<Item = &'a Flag> {
        self.help.global_flags.iter().filter(|flag| match flag.name.as_str() {
            "namespace" => !command.cluster || command.flags.global.contains("namespace"),
            "context" => !command.local,
            name => command.flags.global.split_whitespace().any(|offered| offered == name),
        })
    }
}

fn read<T: for<'de> Deserialize<'de>>(text: &str, origin: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|source| CatalogueError::ImportFailed { origin: origin.to_owned(), reason: source.to_string() })
}

// === impl Command ===

impl Command {
    pub fn required_flags(&self) -> impl Iterator<Item = &str> {
        self.flags.required.split_whitespace()
    }
}
