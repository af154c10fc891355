//! `silverback eval`: asks every request of a file and holds the plans against what is right.

mod case;
mod retrieval;
mod score;
mod share;

use std::{fs, path::Path};

use serde_json::json;
use silverback_graph::Plan;
use silverback_proto::v1::{AskRequest, router_service_client::RouterServiceClient};
use tonic::transport::Channel;

use self::{
    case::Case,
    score::{Score, score},
    share::wilson,
};
use crate::{
    args::EvalArguments,
    ask,
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
    let (router, _parts) = ask::find_router(config).await?;
    let mut scores = Vec::new();
    for (path, cases) in &suites {
        for case in cases {
            let scored = ask_case(router.clone(), case).await;
            report_case(&scored);
            scores.push((path.display().to_string(), scored));
        }
    }
    let shown = if arguments.json { document(&scores) } else { table(&scores) };
    terminal::put(&shown).map_err(CliError::OutputClosed)?;
    Ok(Exit::Complete)
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
async fn ask_case(router: Channel, case: &Case) -> Score {
    let request = AskRequest { text: case.prompt.clone(), today: case.today.clone().unwrap_or_default() };
    let reply = RouterServiceClient::new(router).ask(request).await;
    let plan = reply
        .map_err(|status| status.message().to_owned())
        .and_then(|reply| Plan::try_from(reply.into_inner()).map_err(|error| error.to_string()));
    match plan {
        Ok(plan) => score(case, &plan),
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
    let document = json!({"cases": cases, "summary": Summary::of(scores.iter().map(|(_, score)| score)).document()});
    serde_json::to_string_pretty(&document).expect("scores are plain data") + "\n"
}

fn table(scores: &[(String, Score)]) -> String {
    let mut suites: Vec<&str> = scores.iter().map(|(suite, _)| suite.as_str()).collect();
    suites.dedup();
    let mut text =
        String::from("cases  operation right   whole plan right [95 %]   references   median s   p95 s   suite\n");
    let mut line = |name: &str, summary: Summary| text.push_str(&summary.row(name));
    for suite in &suites {
        line(suite, Summary::of(scores.iter().filter(|(name, _)| name == suite).map(|(_, score)| score)));
    }
    if suites.len() > 1 {
        line("all", Summary::of(scores.iter().map(|(_, score)| score)));
    }
    text
}

/// Totals over some scores.
struct Summary {
    cases: usize,
    operation_right: usize,
    exact: usize,
    references: (usize, usize),
    seconds: Vec<f64>,
}

// === impl Summary ===

impl Summary {
    fn of<'a>(scores: impl Iterator<Item = &'a Score>) -> Self {
        let mut summary = Self { cases: 0, operation_right: 0, exact: 0, references: (0, 0), seconds: Vec::new() };
        for score in scores {
            summary.cases += 1;
            summary.operation_right += usize::from(score.operation_right);
            summary.exact += usize::from(score.exact);
            summary.references.0 += score.references.0;
            summary.references.1 += score.references.1;
            summary.seconds.push(score.total_ms / 1e3);
        }
        summary.seconds.sort_by(f64::total_cmp);
        summary
    }

    fn row(&self, name: &str) -> String {
        let (low, high) = wilson(self.exact, self.cases);
        format!(
            "{:>5}  {:>9} {:>3.0} %   {:>6} {:>3.0} % [{:.0}–{:.0}]        {:>5}/{:<5} {:>8.1} {:>7.1}   {name}\n",
            self.cases,
            self.operation_right,
            percent(self.operation_right, self.cases),
            self.exact,
            percent(self.exact, self.cases),
            low * 100.0,
            high * 100.0,
            self.references.0,
            self.references.1,
            self.quantile(0.5),
            self.quantile(0.95),
        )
    }

    fn document(&self) -> serde_json::Value {
        let (low, high) = wilson(self.exact, self.cases);
        json!({"cases": self.cases, "operation_right": self.operation_right, "exact": self.exact, "exact_interval_95": [low, high],
               "references": self.references, "median_s": self.quantile(0.5), "p95_s": self.quantile(0.95)})
    }

    fn quantile(&self, share: f64) -> f64 {
        let last = self.seconds.len().saturating_sub(1);
        self.seconds.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
