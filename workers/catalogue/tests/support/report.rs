//! Counts what became of examples, by half.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Looked at while fixing, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    Work,
    HeldOut,
}

/// What became of one example. The reason says why it is not right, in few words that many share; the detail is for reading.
#[derive(Debug)]
pub enum Outcome {
    Unparsed,
    Unnamed,
    Differs { is_valid: bool, reason: String, detail: String },
    Refused { reason: String, detail: String },
    Right,
}

/// How many examples got how far: `[all, parsed, named, equal, valid]`.
pub type Counts = [usize; 5];

/// Counts of both halves, and how often for which reason.
#[derive(Default)]
pub struct Report {
    counts: BTreeMap<Half, Counts>,
    reasons: BTreeMap<(String, Half), usize>,
}

// === impl Half ===

impl Half {
    /// By the second byte: the first one says which services are blind.
    pub fn of(service: &str) -> Self {
        if Sha256::digest(service.as_bytes())[1] < 128 { Self::Work } else { Self::HeldOut }
    }
}

// === impl Report ===

impl Report {
    pub fn add(&mut self, half: Half, text: &str, outcome: Outcome) {
        let (reached, reason, detail) = match outcome {
            Outcome::Unparsed => ([true, false, false, false, false], "no command line".to_owned(), String::new()),
            Outcome::Unnamed => ([true, true, false, false, false], "operation not named".to_owned(), String::new()),
            Outcome::Differs { is_valid, reason, detail } => ([true, true, true, false, is_valid], reason, detail),
            Outcome::Refused { reason, detail } => ([true, true, true, true, false], reason, detail),
            Outcome::Right => ([true; 5], String::new(), String::new()),
        };
        for (count, is_reached) in self.counts.entry(half).or_default().iter_mut().zip(reached) {
            *count += usize::from(is_reached);
        }
        if reason.is_empty() {
            return;
        }
        // Of the held-out half only figures are shown.
        if half == Half::Work {
            println!("{reason}: {text}\n    {detail}");
        }
        *self.reasons.entry((reason, half)).or_default() += 1;
    }

    pub fn counts(&self, half: Half) -> Counts {
        self.counts.get(&half).copied().unwrap_or_default()
    }

    pub fn print(&self, of: &str) {
        for (half, [all, parsed, named, equal, valid]) in &self.counts {
            println!(
                "{of}, {half:?}: {all} examples, {parsed} parse, {named} name the operation, {equal} equal, {valid} valid"
            );
        }
        for ((reason, half), count) in &self.reasons {
            println!("    {count:>4} {half:?}: {reason}");
        }
    }
}
