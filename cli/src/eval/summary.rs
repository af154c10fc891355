//! Totals over the scores of a suite, for people and for programs.

use serde_json::{Value, json};

use super::{
    score::{Refusal, Score, Tally},
    share::wilson,
};

/// What stands over the columns of [`Summary::row`].
pub const HEADER: &str = "\
cases   operation right   whole plan right [95 %]   calls P/R    arguments P/R   refs    invented      refused   median  p95
                                                                                        names values  right false    s       s
";

/// Totals over some scores.
#[derive(Default)]
pub struct Summary {
    cases: usize,
    operation_right: usize,
    exact: usize,
    /// Calls of which a value was invented, and all.
    invented: (usize, usize),
    invented_names: usize,
    obeyed: usize,
    references: (usize, usize),
    nodes: Tally,
    edges: Tally,
    arguments: Tally,
    refusals: Refusals,
    seconds: Vec<f64>,
}

/// How refusing went.
#[derive(Default)]
struct Refusals {
    /// Rightly refused, of all that nobody could serve.
    right: (usize, usize),
    /// Refused, of all that could be served.
    wrong: (usize, usize),
}

// === impl Summary ===

impl Summary {
    /// Adds up.
    pub fn of<'a>(scores: impl Iterator<Item = &'a Score>) -> Self {
        let mut summary = Self::default();
        scores.for_each(|score| summary.add(score));
        summary.seconds.sort_by(f64::total_cmp);
        summary
    }

    fn add(&mut self, score: &Score) {
        let counts = &score.counts;
        self.cases += 1;
        self.operation_right += usize::from(score.operation_right);
        self.exact += usize::from(score.exact);
        self.invented.0 += counts.invented_values.min(counts.nodes.said);
        self.invented.1 += counts.nodes.said;
        self.invented_names += counts.invented_names;
        self.obeyed += counts.obeyed;
        self.references.0 += counts.references.0;
        self.references.1 += counts.references.1;
        self.nodes.add(counts.nodes);
        self.edges.add(counts.edges);
        self.arguments.add(counts.arguments);
        self.refusals.add(score);
        self.seconds.push(score.total_ms / 1e3);
    }

    /// A line of the table.
    pub fn row(&self, name: &str) -> String {
        let (low, high) = wilson(self.exact, self.cases);
        let obeyed = if self.obeyed > 0 { format!("  {} orders obeyed", self.obeyed) } else { String::new() };
        format!(
            "{:>5}   {:>5} {:>5.0} %      {:>5} {:>5.0} % [{:>2.0}–{:<3.0}]     {}    {}     {:>3}/{:<3}  {:>4} {:>5.1} %  {:>3}/{:<3} {:>2}/{:<3} {:>6.1} {:>7.1}   {name}{obeyed}\n",
            self.cases,
            self.operation_right,
            percent(self.operation_right, self.cases),
            self.exact,
            percent(self.exact, self.cases),
            low * 100.0,
            high * 100.0,
            self.nodes.shown(),
            self.arguments.shown(),
            self.references.0,
            self.references.1,
            self.invented_names,
            percent(self.invented.0, self.invented.1),
            self.refusals.right.0,
            self.refusals.right.1,
            self.refusals.wrong.0,
            self.refusals.wrong.1,
            self.quantile(0.5),
            self.quantile(0.95),
        )
    }

    /// The same for programs.
    pub fn document(&self) -> Value {
        let interval = |part, whole| {
            let (low, high) = wilson(part, whole);
            json!([low, high])
        };
        let (right, wrong) = (self.refusals.right, self.refusals.wrong);
        json!({"cases": self.cases,
            "operation_right": self.operation_right, "operation_interval_95": interval(self.operation_right, self.cases),
            "exact": self.exact, "exact_interval_95": interval(self.exact, self.cases),
            "calls": self.nodes, "edges": self.edges, "arguments": self.arguments, "references": self.references,
            "invented_names": self.invented_names, "calls_with_invented_values": self.invented.0, "calls_said": self.invented.1,
            "orders_obeyed": self.obeyed,
            "refused": {"right": right.0, "of": right.1, "interval_95": interval(right.0, right.1)},
            "false_refusals": {"count": wrong.0, "of": wrong.1, "interval_95": interval(wrong.0, wrong.1)},
            "median_s": self.quantile(0.5), "p95_s": self.quantile(0.95)})
    }

    fn quantile(&self, share: f64) -> f64 {
        let last = self.seconds.len().saturating_sub(1);
        self.seconds.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
    }
}

// === impl Refusals ===

impl Refusals {
    fn add(&mut self, score: &Score) {
        match score.refusal {
            Some(Refusal::Right) => self.right.0 += 1,
            Some(Refusal::False) => self.wrong.0 += 1,
            Some(Refusal::Missed) | None => {}
        }
        let is_unserved = matches!(score.refusal, Some(Refusal::Right | Refusal::Missed));
        self.right.1 += usize::from(is_unserved);
        self.wrong.1 += usize::from(!is_unserved);
    }
}

// === impl Tally ===

impl Tally {
    fn add(&mut self, other: Tally) {
        self.right += other.right;
        self.said += other.said;
        self.wanted += other.wanted;
    }

    /// Precision and recall, in hundredths.
    fn shown(self) -> String {
        let part =
            |whole: usize| if whole == 0 { "  –".to_owned() } else { format!("{:>3.0}", percent(self.right, whole)) };
        format!("{} /{}", part(self.said), part(self.wanted))
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
