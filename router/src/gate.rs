//! Nothing leaves the router unchecked: every call is held against the catalogue that its worker says it used.
//!
//! The worker's word is taken for nothing but the operation and its arguments: effect, undo and invocation are written anew from
//! the catalogue, so that what a person reads is what the arguments say. A call that fails is told to the worker once (`dispatch` asks again), then it becomes
//! a line in `unanswered`.
//! Start at [`CatalogueGate`]; `judge.rs` holds the rules, `packs.rs` where packs come from.

mod fetch;
mod judge;
mod packs;

use std::{
    collections::BTreeMap,
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use metrics::{counter, histogram};
use silverback_catalogue::Pack;
use silverback_dispatch::{Checked, Gate, Peers, Rejected, Worker};
use silverback_graph::{Answer, Call, Diagnostic, Invocation, Merged, Severity, Step, Unanswered, references};
use silverback_proto::v1;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::{RouterError, config::RouterLimits};
use judge::{Judged, Problem, judge, write_invocation};
use packs::Packs;

/// Catalogues one answer may name: a worker that makes the router open more has a defect or an intent.
const MAX_CATALOGUES: usize = 4;

/// Pairs of worker and operation that are counted; more are counted as `other`. Bigger: more lines in each scrape.
const MAX_COUNTERS: usize = 1024;

/// What a worker is told about one call, and the characters of each sentence: it comes back into a model's prompt.
const MAX_FAULTS: usize = 8;
const MAX_MESSAGE: usize = 300;

/// Counter: calls that were not passed on, by `worker` and `operation`.
pub(crate) const REJECTED: &str = "silverback_calls_rejected_total";
/// Histogram: time to check the calls of one answer.
pub(crate) const CHECK_SECONDS: &str = "silverback_gate_check_seconds";

/// Packs by digest, or why there is none.
type OpenPacks = BTreeMap<String, Result<Arc<Pack>, String>>;

/// Checks calls against catalogue packs.
pub struct CatalogueGate {
    packs: Packs,
    rejected: Mutex<BTreeMap<(String, String), u64>>,
}

/// How often calls of one operation by one worker were not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Id of the worker.
    pub worker: String,
    /// `provider service operation`; `unknown` for all that are in no catalogue.
    pub operation: String,
    /// Times.
    pub count: u64,
}

// === impl CatalogueGate ===

impl CatalogueGate {
    /// A gate over the packs in a folder; what is not there is fetched from the worker and kept in `fetched/` below it.
    ///
    /// # Errors
    /// When that folder cannot be made.
    pub fn new(packs_dir: PathBuf, peers: Arc<Peers>, limits: &RouterLimits) -> Result<Self, RouterError> {
        Ok(Self { packs: Packs::new(packs_dir, peers, limits)?, rejected: Mutex::default() })
    }

    /// What was not passed on since the start, by worker and operation.
    pub fn rejections(&self) -> Vec<Rejection> {
        let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |((worker, operation), count): (&(String, String), &u64)| Rejection {
            worker: worker.clone(),
            operation: operation.clone(),
            count: *count,
        };
        rejected.iter().map(row).collect()
    }

    /// Writes the invocations of calls with references anew: merging has given the calls they name new numbers.
    pub(crate) async fn write_out(&self, merged: &mut Merged) {
        for call in &mut merged.calls {
            if references(&call.arguments).is_ok_and(|found| found.is_empty()) {
                continue;
            }
            let pack = self.packs.open(&call.catalogue, None).await;
            let mut written = call.clone();
            let result = spawn_blocking(move || write_invocation(pack?, &mut written).map(|()| written)).await;
            match result.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(written) => *call = written,
                Err(reason) => {
                    // The old words would name other calls: none are better.
                    call.invocation = Invocation::Command(Vec::new());
                    merged.diagnostics.push(not_written(call, &reason));
                }
            }
        }
    }

    async fn open_packs(&self, worker: &Worker, calls: &[Call], earlier: &[Call]) -> OpenPacks {
        let mut open = OpenPacks::new();
        for digest in calls.iter().map(|call| &call.catalogue) {
            if !open.contains_key(digest) && open.len() < MAX_CATALOGUES {
                open.insert(digest.clone(), self.packs.open(digest, Some(worker)).await);
            }
        }
        // Those of earlier calls passed here before; this worker is not asked for them.
        for digest in earlier.iter().map(|call| &call.catalogue) {
            if !open.contains_key(digest) {
                open.insert(digest.clone(), self.packs.open(digest, None).await);
            }
        }
        open
    }

    fn reject(&self, worker: &Worker, step: &Step, call: &Call, problem: Problem) -> Rejected {
        let (operation, Problem { reason, faults, is_known }) = (call.title(), problem);
        warn!(worker = %worker.id, %operation, reason, "call not passed on");
        self.count(&worker.id, if is_known { &operation } else { "unknown" });
        let text = format!("the specialist's call {operation} was not passed on: {reason}");
        let told = faults.into_iter().take(MAX_FAULTS).map(|fault| v1::Fault {
            provider: call.provider.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            pointer: fault.pointer,
            code: fault.code.name().to_owned(),
            message: fault.message.chars().take(MAX_MESSAGE).collect(),
        });
        Rejected { unanswered: Unanswered::of_step(step, text), faults: told.collect() }
    }

    /// Names of operations come from catalogues and names of workers from the registry, so that nobody can make up labels.
    fn count(&self, worker: &str, operation: &str) {
        let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (worker.to_owned(), operation.to_owned());
        if rejected.len() >= MAX_COUNTERS && !rejected.contains_key(&key) {
            key = ("other".to_owned(), "other".to_owned());
        }
        counter!(REJECTED, "worker" => key.0.clone(), "operation" => key.1.clone()).increment(1);
        *rejected.entry(key).or_default() += 1;
    }
}

#[async_trait]
impl Gate for CatalogueGate {
    async fn check(&self, worker: &Worker, step: &Step, earlier: &[Call], mut answer: Answer) -> Checked {
        let started = Instant::now();
        let mut rejected = Vec::new();
        let calls: Vec<Call> = mem::take(&mut answer.calls).iter().map(Call::seen_from_outside).collect();
        let packs = self.open_packs(worker, &calls, earlier).await;
        let earlier = earlier.to_vec();
        // Decoding a service of a pack takes milliseconds of a core.
        let judged = spawn_blocking(move || judge(calls, &earlier, &packs)).await.unwrap_or_default();
        for Judged { call, verdict } in judged {
            match verdict {
                Ok(()) => answer.calls.push(call),
                Err(problem) => rejected.push(self.reject(worker, step, &call, problem)),
            }
        }
        histogram!(CHECK_SECONDS).record(started.elapsed());
        Checked { answer, rejected }
    }
}

fn not_written(call: &Call, reason: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "no-invocation".to_owned(),
        message: format!("{} cannot be written as a command: {reason}", call.id),
        about: vec![call.id.to_string()],
    }
}
