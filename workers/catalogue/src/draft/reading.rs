//! Reads a draft into the words that name an operation.

use crate::catalogue::{Catalogue, Scope};
use crate::command::{self, CommandLine};
use crate::search::split_name;

/// Words of a line that can be part of a name; what follows are arguments.
const MAX_WORDS: usize = 4;
/// Programs by the vendor whose operations they name.
const PROGRAMS: &[(&str, &str)] =
    &[("aws", "aws"), ("kubectl", "kubernetes"), ("stripe", "stripe"), ("obb", "openbb"), ("openbb", "openbb")];

/// One line of a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drafted {
    /// The vendor, when the program says it.
    pub provider: Option<String>,
    /// Service and operation, when the line has both.
    pub named: Option<(String, String)>,
    /// Program and command words as written.
    pub command: Vec<String>,
    /// What may be the service.
    pub service: Option<String>,
    /// Words after the service, cut at case and dashes; arguments may be among them.
    pub name: Vec<String>,
    /// The same with the service's words.
    pub all: Vec<String>,
    /// Long flags without dashes.
    pub flags: Vec<String>,
    /// Method and URL, when the line is an HTTP request.
    pub http: Option<(String, String)>,
}

/// The lines of a draft that say something, in order.
///
/// A draft that goes on behind a prompt ("aws" was given, ` ec2 stop-instances …` was written) has no program: it is read
/// as if it began with the program of each vendor in scope.
pub(super) fn read(catalogue: &Catalogue, scope: Scope<'_>, text: &str) -> Vec<Drafted> {
    let lines: Vec<Drafted> = command::parse(text).iter().map(Drafted::new).collect();
    if !lines.is_empty() {
        return lines;
    }
    let programs = PROGRAMS.iter().filter(|(_, provider)| {
        *provider != "openbb" && catalogue.scoped(scope).any(|(_, pack)| pack.provider() == *provider)
    });
    let first = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let guesses = programs.flat_map(|(program, _)| command::parse(&format!("{program} {first}")).into_iter().take(1));
    let mut lines: Vec<Drafted> = guesses.map(|line| Drafted::new(&line)).collect();
    if catalogue.scoped(scope).any(|(_, pack)| pack.provider() == "openbb") {
        let words = first.split(|c: char| c.is_whitespace() || c == '(').take(MAX_WORDS).map(str::to_owned).collect();
        let line = CommandLine { program: "obb".to_owned(), words, ..CommandLine::default() };
        lines.push(Drafted::new(&line));
    }
    lines
}

// === impl Drafted ===

impl Drafted {
    fn new(line: &CommandLine) -> Self {
        let target = line.target();
        let by_program = PROGRAMS.iter().find(|(program, _)| *program == line.program);
        let provider = target.as_ref().map(|target| target.provider.as_str()).or(by_program.map(|(_, name)| *name));
        let is_http = line.program == "curl" && line.words.len() == 2;
        // An HTTP request names by method and path; a command by its first words.
        let spoken: Vec<String> = match &line.words[..] {
            [method, url] if is_http => {
                let path =
                    url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
                vec![path.replace("v1/", ""), method.clone()]
            }
            words => words.iter().take(MAX_WORDS).cloned().collect(),
        };
        let split = |from: usize| spoken.iter().skip(from).flat_map(|word| split_name(word)).collect();
        let http = is_http.then(|| (line.words[0].clone(), line.words[1].clone()));
        Self {
            provider: provider.map(str::to_owned),
            named: target.map(|target| (target.service, target.operation)),
            command: std::iter::once(&line.program).chain(&line.words).take(MAX_WORDS + 1).cloned().collect(),
            service: spoken.first().cloned(),
            name: split(1),
            all: split(0),
            flags: line.flags.iter().map(|(flag, _)| flag.clone()).filter(|flag| !flag.starts_with('-')).collect(),
            http,
        }
    }
}
