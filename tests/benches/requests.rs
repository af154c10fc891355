//! Whole requests on the real models: start, the requests of `tests/requests/issue.jsonl`, where their time goes, peak memory.
//!
//! `make bench` runs it in one go with the benches of the parts. The process under measurement is `silverback up`, asked by
//! `silverback ask`: what a person waits for. `cargo bench -p silverback-tests --bench requests -- --rounds=5`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use silverback_tests::{Process, ask, free_address};

const READY: Duration = Duration::from_secs(300);
/// One capability, and more than one: what issue 2 asks for, in seconds.
const TARGETS: [f64; 2] = [6.0, 15.0];
/// Where the time of a request goes, in milliseconds.
const PARTS: [&str; 5] = ["queue_ms", "retrieve_ms", "prefill_ms", "decode_ms", "total_ms"];

fn main() {
    let rounds: usize = std::env::args().find_map(|given| given.strip_prefix("--rounds=")?.parse().ok()).unwrap_or(3);
    let cases = requests("issue.jsonl");
    println!("cold start of `silverback up`, files in the disk cache, {rounds} times; seconds");
    let (mut ready, mut first) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let up = Up::start();
        ready.push(started.elapsed().as_secs_f64());
        ask(&up.address, "Restart the checkout deployment in the prod namespace.");
        first.push(started.elapsed().as_secs_f64());
    }
    println!("  ready          {}", spread(&mut ready));
    println!("  first answer   {}\n", spread(&mut first));

    let up = Up::start();
    println!("memory when ready {} MB", up.megabytes("VmRSS"));
    println!("each request {rounds} times after one to warm up; median seconds (least–most)");
    println!(
        "{:<18} {:>17} {:>7} {:>7} {:>8} {:>8} {:>7} {:>7}  target",
        "request", "total", "plan", "wait", "retrieve", "prefill", "decode", "other"
    );
    for (id, prompt) in &cases {
        ask(&up.address, prompt);
        let answers: Vec<Split> = (0..rounds).map(|_| Split::of(&ask(&up.address, prompt).plan)).collect();
        report(id, &answers);
    }
    println!("peak memory after these {} MB (target 4,000)", up.megabytes("VmHWM"));
    let mut seconds: Vec<f64> = Vec::new();
    for (_, prompt) in requests("own.jsonl") {
        let started = Instant::now();
        ask(&up.address, &prompt);
        seconds.push(started.elapsed().as_secs_f64());
    }
    println!("{} requests of own.jsonl once, as a person sees them: {}", seconds.len(), spread(&mut seconds));
    println!("peak memory after these {} MB (target 4,000)", up.megabytes("VmHWM"));
}

/// A running `silverback up`.
struct Up {
    process: Process,
    address: String,
}

// === impl Up ===

impl Up {
    fn start() -> Self {
        let address = free_address();
        let mut process = Process::start(&["up", "--listen", &address, "--http", "127.0.0.1:0", "--log", "info"]);
        process.wait_for("ready: ask with", READY);
        Self { process, address }
    }

    /// A line of Linux's account of the process.
    fn megabytes(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1000
    }
}

/// Seconds of one request by what they went into.
struct Split {
    total: f64,
    /// The planner, all in all.
    plan: f64,
    /// Waiting, searching, reading prompts, writing tokens: planner and specialists together.
    parts: [f64; 4],
    steps: usize,
}

// === impl Split ===

impl Split {
    fn of(plan: &Value) -> Self {
        let usage = &plan["usage"];
        let of = |usage: &Value| PARTS.map(|part| usage[part].as_f64().unwrap_or(0.0) / 1000.0);
        let planned = of(&usage["plan"]);
        let steps = usage["steps"].as_object().cloned().unwrap_or_default();
        let mut parts = [planned[0], planned[1], planned[2], planned[3]];
        for step in steps.values().map(of) {
            parts.iter_mut().zip(step).for_each(|(sum, part)| *sum += part);
        }
        let total = usage["total_ms"].as_f64().unwrap_or(0.0) / 1000.0;
        Self { total, plan: planned[4], parts, steps: steps.len() }
    }
}

fn report(id: &str, answers: &[Split]) {
    let median_of = |value: &dyn Fn(&Split) -> f64| {
        let mut values: Vec<f64> = answers.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2], values[0], values[values.len() - 1])
    };
    let (total, least, most) = median_of(&|split| split.total);
    let plan = median_of(&|split| split.plan).0;
    let parts = [0, 1, 2, 3].map(|part| median_of(&|split| split.parts[part]).0);
    // Steps run side by side, so their parts can add up to more than the total.
    let other = (total - parts.iter().sum::<f64>()).max(0.0);
    let target = TARGETS[usize::from(answers[0].steps > 1)];
    let verdict = if total < target { "ok" } else { "MISSED" };
    println!(
        "{id:<18} {:>17} {plan:>7.2} {:>7.2} {:>8.3} {:>8.2} {:>7.2} {other:>7.2}  {target:.0} {verdict}",
        format!("{total:.2} ({least:.2}–{most:.2})"),
        parts[0],
        parts[1],
        parts[2],
        parts[3],
    );
}

/// Ids and prompts of one of our files of cases.
fn requests(file: &str) -> Vec<(String, String)> {
    let path = format!("{}/requests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |case: &Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
    cases.map(|case| (word(&case, "id"), word(&case, "prompt"))).collect()
}

fn spread(seconds: &mut [f64]) -> String {
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seconds[(seconds.len() - 1) * share / 100];
    format!("median {:.2}, least {:.2}, p95 {:.2}, most {:.2}", at(50), at(0), at(95), at(100))
}
