//! Finds the operations that may be meant: by the words and the meaning of the step, by what the draft names, and, where these leave
//! it open, by which of their names the model finds likely.

use std::time::Instant;

use silverback_catalogue::{Candidate, Retrieved, Wish};
use silverback_decoding::Evidence;
use tracing::debug;

use super::{Specialist, Task};
use crate::{
    WorkerError,
    likelihood::{self, Asked},
    usage::Meter,
};

/// Candidates that are judged; each costs well under a millisecond.
const CANDIDATES: usize = 12;
/// Candidates whose places are looked for in the step; each costs about 50 ms on a core.
const POINTED: usize = 6;
/// What a factor of e in belief counts where candidates are judged: a required value that is missing (0.15) outweighs a factor of 5.
const NAT: f32 = 0.09;

// === impl Specialist ===

impl Specialist {
    /// The union of all sources, best first; `vector` is the step's.
    pub(super) async fn retrieve(
        &self,
        task: &Task,
        draft: &str,
        vector: Option<&[f32]>,
        meter: &mut Meter,
    ) -> Result<Retrieved, WorkerError> {
        let started = Instant::now();
        let wish = task.wish();
        let mut retrieved = self.retriever.retrieve(&Wish { text: &wish, vector, draft }, CANDIDATES);
        let (specialty, retriever) = (&self.specialty, &self.retriever);
        let asked = Asked { specialty, retriever, text: &wish, draft, cancel: &task.cancel };
        likelihood::weigh(&asked, &self.writer, &mut retrieved).await?;
        retrieved = self.read(wish, retrieved).await?;
        meter.add_retrieval(started);
        debug!(fits = retrieved.fits, "retrieved");
        retrieved.candidates.iter_mut().for_each(|candidate| candidate.score = evidence(candidate.score));
        Ok(retrieved)
    }

    /// Reads the candidates' descriptions beside the step, away from the threads that serve everybody.
    async fn read(&self, wish: String, mut retrieved: Retrieved) -> Result<Retrieved, WorkerError> {
        let retriever = self.retriever.clone();
        let reading = tokio::task::spawn_blocking(move || {
            retriever.read(&wish, &mut retrieved);
            retrieved
        });
        reading.await.map_err(WorkerError::ended)
    }

    /// Looks in the step for what the places of the likeliest candidates are given.
    pub(super) async fn point(&self, candidates: &[Candidate], evidence: &mut Evidence) -> Result<(), WorkerError> {
        let text = evidence.step_text().to_owned();
        let pointing = candidates.iter().take(POINTED).map(|candidate| {
            let (retriever, text, at) = (self.retriever.clone(), text.clone(), candidate.operation);
            tokio::task::spawn_blocking(move || retriever.point(&text, at))
        });
        for (candidate, pointing) in candidates.iter().zip(pointing.collect::<Vec<_>>()) {
            let found = pointing.await.map_err(WorkerError::ended)?;
            if let Ok(operation) = self.catalogue.operation(candidate.operation) {
                evidence.point(&operation.key(), found);
            }
        }
        Ok(())
    }
}

/// A share of belief as evidence that can be added to other evidence: its logarithm, 1 for certainty.
fn evidence(share: f32) -> f32 {
    (1.0 + NAT * share.max(f32::MIN_POSITIVE).ln()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::evidence;

    #[test]
    fn certainty_is_one_and_evidence_follows_belief() {
        assert_eq!(evidence(1.0), 1.0);
        assert!(evidence(0.5) > evidence(0.1) && evidence(0.0) == 0.0);
    }
}
