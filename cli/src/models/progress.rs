//! Shows how far a download is: a bar on a terminal, plain lines elsewhere.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// Plain lines come at every tenth of a file.
const LINES_PER_FILE: u64 = 10;

/// Where progress goes.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Bars on a terminal.
    Bars(MultiProgress),
    /// One line now and then.
    Lines,
}

/// The progress of one file.
#[derive(Clone, Debug)]
pub struct Meter {
    shown: Shown,
    label: String,
    total: u64,
    done: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
}

// === impl Progress ===

impl Progress {
    /// Bars when standard error is a terminal.
    pub fn detect() -> Self {
        if console::Term::stderr().is_term() {
            Progress::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
        } else {
            Progress::Lines
        }
    }

    /// Begins a file of `total` bytes.
    pub fn start(&self, label: &str, total: u64) -> Meter {
        let shown = match self {
            Progress::Bars(bars) => {
                let style =
                    ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {wide_msg}")
                        .expect("the template is valid");
                let bar = ProgressBar::new(total).with_style(style).with_prefix(label.to_owned());
                Shown::Bar(bars.add(bar))
            }
            Progress::Lines => Shown::Lines,
        };
        Meter { shown, label: label.to_owned(), total, done: Arc::default() }
    }

    /// Says one line without tearing a bar.
    pub fn say(&self, line: &str) {
        match self {
            Progress::Bars(bars) => bars.suspend(|| terminal::say(line)),
            Progress::Lines => terminal::say(line),
        }
    }
}

// === impl Meter ===

impl Meter {
    /// Begins another way to the same file.
    pub fn stage(&self, what: &str) {
        self.done.store(0, Ordering::Relaxed);
        match &self.shown {
            Shown::Bar(bar) => {
                bar.reset();
                bar.set_message(what.to_owned());
            }
            Shown::Lines => terminal::say(&format!("{}: {what} ({})", self.label, HumanBytes(self.total))),
        }
    }

    /// So many bytes were hashed: too quick for lines.
    pub fn hashed(&self, bytes: u64) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_position(bytes);
        }
    }

    /// So many bytes are there.
    pub fn set(&self, bytes: u64) {
        self.note(self.done.swap(bytes, Ordering::Relaxed), bytes);
    }

    /// So many more bytes are there.
    pub fn add(&self, bytes: u64) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        self.note(before, before + bytes);
    }

    /// The file is done; says so in one line when it took work.
    pub fn finish(&self, line: Option<&str>) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        if let Some(line) = line {
            terminal::say(&format!("{}: {line}", self.label));
        }
    }

    fn note(&self, before: u64, now: u64) {
        match &self.shown {
            Shown::Bar(bar) => bar.set_position(now),
            Shown::Lines => {
                let tenth = |bytes: u64| bytes.saturating_mul(LINES_PER_FILE) / self.total.max(1);
                if tenth(now) > tenth(before) && now < self.total {
                    terminal::say(&format!("{}: {} of {}", self.label, HumanBytes(now), HumanBytes(self.total)));
                }
            }
        }
    }
}
