//! Tables: recall by file, vendor and source; latency; how far "fits" can be believed.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{
    field::Fields,
    measure::{FUSED, Measured, SOURCES},
};
use crate::{eval::share::wilson, terminal};

/// Bounds of the bins of the reliability table.
const BINS: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.01];
/// Where recall is counted.
const AT: [usize; 4] = [1, 5, 10, 20];

/// All tables.
pub fn table(measured: &[Measured]) -> String {
    let mut text = String::from(
        "suite            vendor         n  source          @1    @5   @10   @20   95 % of @1    95 % of @5\n",
    );
    for ((suite, provider), cases) in groups(measured) {
        for (source, name) in SOURCES.iter().enumerate() {
            let row = recall(&cases, source);
            let _ = writeln!(text, "{suite:<16} {provider:<10} {:>5}  {name:<13} {row}", cases.len());
        }
    }
    text.push('\n');
    text.push_str(&latency(measured));
    text.push_str(&reliability(measured));
    text
}

/// Requests whose operation is not first, of the files that may be looked at.
pub fn misses(measured: &[Measured], fields: &Fields) -> String {
    let mut text = String::new();
    for case in measured.iter().filter(|case| case.query.is_open() && case.ranks[FUSED] != Some(0)) {
        let Some(field) = fields.by_provider(&case.field) else { continue };
        let name = |at| field.retriever.catalogue().name(at).map_or_else(String::new, |(_, s, n)| format!("{s}/{n}"));
        let wanted = case.right.iter().take(2).map(|at| name(*at)).collect::<Vec<_>>().join(" ");
        let first = case.first.map(name).unwrap_or_default();
        let ranks: Vec<String> =
            case.ranks.iter().map(|rank| rank.map_or("-".to_owned(), |at| at.to_string())).collect();
        let _ = writeln!(
            text,
            "{} {:.2} [{}] {}\n    want {wanted}, first {first}, draft {}",
            case.query.suite,
            case.fits,
            ranks.join(" "),
            terminal::one_line(&case.query.text),
            terminal::one_line(&case.draft)
        );
    }
    text
}

type Groups<'a> = BTreeMap<(String, String), Vec<&'a Measured>>;

fn groups(measured: &[Measured]) -> Groups<'_> {
    let mut groups = Groups::new();
    for case in measured.iter().filter(|case| !case.right.is_empty()) {
        let finance = ["stripe", "openbb"].contains(&case.query.provider.as_str());
        let provider = if finance { "finance".to_owned() } else { case.query.provider.clone() };
        groups.entry((case.query.suite.clone(), provider)).or_default().push(case);
    }
    groups
}

fn recall(cases: &[&Measured], source: usize) -> String {
    let found = |at: usize| cases.iter().filter(|case| case.ranks[source].is_some_and(|rank| rank < at)).count();
    let shares = AT.map(|at| format!("{:.3}", found(at) as f64 / cases.len() as f64));
    let interval = |at: usize| {
        let (low, high) = wilson(found(at), cases.len());
        format!("[{low:.2}–{high:.2}]")
    };
    format!("{}   {}   {}", shares.join(" "), interval(1), interval(5))
}

fn latency(measured: &[Measured]) -> String {
    let mut text = String::new();
    for (number, name) in ["words", "fused without the draft's decoding"].iter().enumerate() {
        let mut times: Vec<Duration> = measured.iter().map(|case| case.times[number]).collect();
        times.sort();
        let at =
            |share: f64| times.get(((times.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default();
        let _ = writeln!(text, "{name:<36} p50 {:.2?}  p99 {:.2?}  n {}", at(0.5), at(0.99), times.len());
    }
    text
}

/// Predicted probability that the right operation is among the first five, beside how often it was.
fn reliability(measured: &[Measured]) -> String {
    let mut text =
        String::from("\nfits: predicted and observed share of requests with the right operation in the first five\n");
    for (part, is_open) in [("tune", true), ("test", false)] {
        let cases: Vec<&Measured> = measured.iter().filter(|case| case.query.is_open() == is_open).collect();
        for bin in BINS.windows(2) {
            let inside: Vec<_> = cases.iter().filter(|case| case.fits >= bin[0] && case.fits < bin[1]).collect();
            if inside.is_empty() {
                continue;
            }
            let predicted = inside.iter().map(|case| case.fits).sum::<f32>() / inside.len() as f32;
            let right = inside.iter().filter(|case| case.ranks[FUSED].is_some_and(|rank| rank < 5)).count();
            let observed = right as f32 / inside.len() as f32;
            let _ = writeln!(
                text,
                "{part} {:.1}–{:.1}  predicted {predicted:.2}  observed {observed:.2}  n {}",
                bin[0],
                bin[1].min(1.0),
                inside.len()
            );
        }
    }
    text
}
