//! Holds the cases of `tests/requests` against the catalogue and against the scorer that reads them.
//!
//! A wrong truth costs more than a wrong answer: it is believed. What needs the catalogue runs where `SILVERBACK_TEST_PACKS` names a folder of
//! packs, else it says that it was skipped. Must not know what the product answers. Start at [`suites::all`].

// The command line's own reader and scorer, not a copy of them: it is their verdict that is tested.
#[path = "../../cli/src/eval"]
#[allow(dead_code)] // a binary's modules; only part of them is used here
mod eval {
    pub mod case;
    pub mod score;
}

mod catalogued;
mod scored;
mod suites;
mod wording;
