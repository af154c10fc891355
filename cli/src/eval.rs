//! `silverback eval`: asks every request of a file and holds the plans against what is right.

mod case;
mod compare;
mod names;
mod retrieval;
mod score;
mod share;
mod summary;

use std::{fs, path::Path};

use serde_json::json;
use silverback_catalogue::Catalogue;
use silverback_graph::Plan;
use silverback_proto::v1::{AskRequest, router_service_client::RouterServiceClient};
use silverback_workers::Method;
use tonic::transport::Channel;

use self::{
    case::Case,
    compare::Earlier,
    score::{Score, score},
    summary::{HEADER, Summary},
};
use crate::{
    args::{EvalArguments, EvalMethod},
    ask, catalogue,
    config::Config,
    error::{CliError, Exit},
    terminal,
};

/// Bytes of a file of cases; more is not from a person.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Asks every case and prints a table, or JSON.
pub async fn run(arguments: &EvalArguments, config: &Config) -> Result<Exit, CliError> {
    if arguments.retrieval {
        return retrieval::run(arguments, config).await;
    }
    let mut suites = Vec::new();
    for path in &arguments.files {
        suites.push((path.as_path(), read(path)?));
    }
    let earlier = arguments.compare.as_deref().map(read_earlier).transpose()?;
    let (router, _parts) = match arguments.method {
        None => ask::find_router(config).await?,
        Some(method) => ask::own_router(method.into(), config).await?,
    };
    let catalogue = catalogue::open(config)?;
    let mut scores = Vec::new();
    for (path, cases) in &suites {
        for case in cases {
            let scored = ask_case(router.clone(), case, &catalogue).await;
            report_case(&scored);
            scores.push((path.display().to_string(), scored));
        }
    }
    if let Some(earlier) = earlier {
        terminal::say(earlier.compare(&scores).trim_end());
    }
    let shown = if arguments.json { document(&scores) } else { table(&scores) };
    terminal::put(&shown).map_err(CliError::OutputClosed)?;
    Ok(Exit::Complete)
}

fn read_earlier(path: &Path) -> Result<Earlier, CliError> {
    let unusable = |reason: String| {
        CliError::usage(format!("{}: {reason}", path.display()), "give what an earlier `eval --json` printed")
    };
    Earlier::read(&read_bounded(path).map_err(unusable)?).map_err(unusable)
}

fn read(path: &Path) -> Result<Vec<Case>, CliError> {
    let unusable = |reason: String| {
        CliError::usage(
            format!("{}: {reason}", path.display()),
            "give files of one JSON case a line, as tests/requests/issue.jsonl",
        )
    };
    case::read(&read_bounded(path).map_err(unusable)?).map_err(unusable)
}

/// The text of a file that a person wrote, or why it cannot be read.
fn read_bounded(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes; at most {MAX_FILE_BYTES} are read"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// An error of the router is a wrong answer, not the end of the evaluation.
async fn ask_case(router: Channel, case: &Case, catalogue: &Catalogue) -> Score {
    let request = AskRequest { text: case.prompt.clone(), today: case.today.clone().unwrap_or_default() };
    let reply = RouterServiceClient::new(router).ask(request).await;
    let plan = reply
        .map_err(|status| status.message().to_owned())
        .and_then(|reply| Plan::try_from(reply.into_inner()).map_err(|error| error.to_string()));
    match plan {
        Ok(plan) => {
            let mut scored = score(case, &plan);
            scored.counts.invented_names = names::invented(&plan, catalogue);
            scored
        }
        Err(reason) => {
            let mut failed = score(case, &Plan::default());
            failed.exact = false;
            failed.operation_right = false;
            failed.problems.push(reason);
            failed
        }
    }
}

fn report_case(score: &Score) {
    let mark = if score.exact { "right" } else { "WRONG" };
    terminal::say(&format!("{mark} {:>7.1} s  {}  {}", score.total_ms / 1e3, score.id, score.problems.join("; ")));
}

fn document(scores: &[(String, Score)]) -> String {
    let cases: Vec<_> = scores.iter().map(|(suite, score)| json!({"suite": suite, "score": score})).collect();
    let part = |key: &dyn Fn(&(String, Score)) -> &str| {
        let names = names_in_order(scores, key);
        let of =
            |name: &str| Summary::of(scores.iter().filter(|one| key(one) == name).map(|(_, score)| score)).document();
        names.into_iter().map(|name| (name.to_owned(), of(name))).collect::<serde_json::Map<_, _>>()
    };
    let document = json!({"cases": cases, "suites": part(&by_suite), "providers": part(&by_provider),
        "summary": Summary::of(scores.iter().map(|(_, score)| score)).document()});
    serde_json::to_string_pretty(&document).expect("scores are plain data") + "\n"
}

/// By suite, by provider where there are several, and all together.
fn table(scores: &[(String, Score)]) -> String {
    let mut text = HEADER.to_owned();
    let mut part = |key: &dyn Fn(&(String, Score)) -> &str, least: usize| {
        let names = names_in_order(scores, key);
        for name in names.iter().filter(|_| names.len() >= least) {
            let own = scores.iter().filter(|one| key(one) == *name).map(|(_, score)| score);
            text.push_str(&Summary::of(own).row(name));
        }
    };
    part(&by_suite, 1);
    part(&by_provider, 2);
    part(&|_| "all", 1);
    text
}

fn by_suite(one: &(String, Score)) -> &str {
    &one.0
}

fn by_provider(one: &(String, Score)) -> &str {
    &one.1.provider
}

fn names_in_order<'a>(scores: &'a [(String, Score)], key: &dyn Fn(&'a (String, Score)) -> &'a str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in scores.iter().map(key) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl From<EvalMethod> for Method {
    fn from(method: EvalMethod) -> Self {
        match method {
            EvalMethod::Ground => Self::Ground,
            EvalMethod::Draft => Self::Draft,
            EvalMethod::Grammar => Self::Grammar,
            EvalMethod::Evidence => Self::Evidence,
        }
    }
}
