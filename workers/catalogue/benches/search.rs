//! Time of opening, searching, matching drafts, decoding and checking over the packs of a folder (all of AWS above all).
//!
//! `cargo bench -p silverback-catalogue --bench search -- FOLDER_WITH_PACKS`; without a folder nothing is measured.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use silverback_catalogue::{Catalogue, Scope, Wish, check, command, match_draft, retrieve};

/// Each request is asked so often; the first round is thrown away.
const ROUNDS: usize = 40;

const DRAFTS: &[&str] = &[
    "aws ec2 stop-instances --instance-ids i-0abc",
    "aws ec2 shutdown-instances --instance-ids i-0abc",
    "aws s3 create-bucket --bucket x",
    "aws machines turn-off --id i-0abc",
    "kubectl rollout restart deployment/web -n prod",
];

fn main() {
    let mut out = std::io::stdout().lock();
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let packs: Vec<PathBuf> = folder
        .and_then(|folder| folder.read_dir().ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "pack"))
        .collect();
    if packs.is_empty() {
        writeln!(out, "skipped: give a folder with packs").expect("stdout is open");
        return;
    }
    let opening = times(20, || drop(Catalogue::open(&packs).expect("the packs open")));
    let catalogue = Catalogue::open(&packs).expect("the packs open");
    writeln!(out, "{} packs, {} operations", packs.len(), catalogue.len()).expect("stdout is open");
    let mut table = row("open all packs", opening);
    let requests: Vec<String> = include_str!("../tests/user_words.jsonl")
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["text"].as_str().map(str::to_owned))
        .collect();
    let mut search = Vec::new();
    for request in requests.iter().cycle().take(requests.len() * ROUNDS) {
        search.extend(times(1, || drop(catalogue.search(request, 10))));
    }
    table += &row("search, one sentence", search.split_off(requests.len()));
    let long = requests.join(". ");
    table += &row("search, 52 sentences at once", times(200, || drop(catalogue.search(&long, 10))));
    let drafts = DRAFTS.iter().cycle().take(DRAFTS.len() * ROUNDS);
    let mut matching = Vec::new();
    for draft in drafts {
        matching.extend(times(1, || drop(match_draft(&catalogue, Scope::default(), draft, 10))));
    }
    table += &row("match a draft", matching.split_off(DRAFTS.len()));
    table += &retrieving(&catalogue, &requests);
    table += &checking(&catalogue);
    write!(out, "{table}").expect("stdout is open");
}

/// All sources together, the request's vector being there already; without vectors in the packs, words and draft alone.
fn retrieving(catalogue: &Catalogue, requests: &[String]) -> String {
    let width = catalogue.packs().iter().find_map(|pack| pack.vectors()).map_or(0, |vectors| vectors.width());
    // Any vector costs the same: every operation is compared.
    let vector: Vec<f32> = (0..width).map(|at| (at as f32).sin()).collect();
    let mut measured = Vec::new();
    for (request, draft) in requests.iter().zip(DRAFTS.iter().cycle()).cycle().take(requests.len() * 5) {
        let wish = Wish { text: request, vector: Some(&vector).filter(|_| width > 0).map(Vec::as_slice), draft };
        measured.extend(times(1, || drop(retrieve(catalogue, Scope::default(), &wish, 10))));
    }
    row(if width > 0 { "retrieve, all sources" } else { "retrieve, no vectors" }, measured.split_off(requests.len()))
}

/// Over the calls of the vendor's own examples: the first check of each, which may compile patterns, and those after it.
fn checking(catalogue: &Catalogue) -> String {
    let packed = include_bytes!("../tests/examples/aws.jsonl.zst");
    let text = String::from_utf8(zstd::decode_all(&packed[..]).expect("it unpacks")).expect("it is text");
    let rows: Vec<serde_json::Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for row in &rows {
        let lines = command::parse(row["command"].as_str().unwrap_or_default());
        let Some(at) = lines.first().and_then(|line| command::find(catalogue, line)) else { continue };
        let operation = catalogue.operation(at).expect("it decodes");
        first.extend(times(1, || drop(check(&operation, &row["arguments"]))));
        later.extend(times(5, || drop(check(&operation, &row["arguments"]))));
    }
    if first.is_empty() {
        return String::new();
    }
    row("check an example's call, first", first) + &row("check it again", later)
}

fn times(rounds: usize, mut work: impl FnMut()) -> Vec<Duration> {
    let mut measured = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        work();
        measured.push(start.elapsed());
    }
    measured
}

fn row(what: &str, mut measured: Vec<Duration>) -> String {
    measured.sort();
    let at = |share: f64| measured[((measured.len() - 1) as f64 * share) as usize];
    let mut row = String::new();
    let (half, most, worst) = (at(0.5), at(0.99), at(1.0));
    writeln!(row, "{what:<30} p50 {half:>10.1?}   p99 {most:>10.1?}   max {worst:>10.1?}   n {}", measured.len())
        .expect("a string takes all");
    row
}
