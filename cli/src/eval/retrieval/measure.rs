//! One request: where each source has the right operation, and how long it took.

use std::time::{Duration, Instant};

use silverback_catalogue::{
    Catalogue, Hit, OperationRef, Retrieved, Scope, Wish, match_draft,
    retrieve::{Proposed, Weighing, WeightTable, propose},
};

use super::{field::Field, query::Query};

/// Candidates that are looked at.
const K: usize = 20;

/// Who is measured, in the order of the table.
pub const SOURCES: [&str; 9] =
    ["words", "meaning", "phrases", "draft", "undrafted", "unsaid", "fused", "fused+likelihood", "read"];
/// Place in [`SOURCES`] of all together without the draft.
const UNDRAFTED: usize = 4;
/// Place of all together when nobody had said a phrase for the right service, as for one that came yesterday.
const UNSAID: usize = 5;
/// Place of all together.
pub const FUSED: usize = 6;
/// Place of all together, weighed by likelihood.
const WEIGHED: usize = 7;
/// Place of the same, read beside the request: what serves.
const READ: usize = 8;

/// What became of one request.
pub struct Measured {
    /// The request.
    pub query: Query,
    /// The model's draft.
    pub draft: String,
    /// Vendor of its field, for weights.
    pub field: String,
    /// Operations that are right.
    pub right: Vec<OperationRef>,
    /// Place of the first right one by source, from 0.
    pub ranks: [Option<usize>; SOURCES.len()],
    /// What all sources found together.
    pub fused: Retrieved,
    /// The one that was put first.
    pub first: Option<OperationRef>,
    /// Probability that the right one is among the first five.
    pub fits: f32,
    /// All proposals, those without the draft, and those without phrases for the right service, for fitting.
    pub proposed: [Vec<Proposed>; 3],
    /// Search by words alone; all of it but the draft's own decoding.
    pub times: [Duration; 2],
}

// === impl Measured ===

impl Measured {
    /// Counts what came of weighing by likelihood.
    pub fn note_weighed(&mut self, weighed: &Retrieved) {
        self.note(WEIGHED, weighed);
    }

    /// Counts what came of reading the candidates beside the request.
    pub fn note_read(&mut self, read: &Retrieved) {
        self.note(READ, read);
    }

    fn note(&mut self, source: usize, found: &Retrieved) {
        self.ranks[source] = found.candidates.iter().position(|one| self.right.contains(&one.operation));
        self.first = found.candidates.first().map(|one| one.operation);
    }

    /// Counts anew under other weights, which are not shipped yet.
    pub fn weigh_with(&mut self, weighing: &Weighing) {
        let place = |proposed: &[Proposed]| {
            let found = weighing.weigh(proposed);
            let rank = found.candidates.iter().take(K).position(|one| self.right.contains(&one.operation));
            (rank, found)
        };
        let [(rank, found), (undrafted, _), (unsaid, _)] = self.proposed.each_ref().map(|proposed| place(proposed));
        (self.ranks[UNDRAFTED], self.ranks[UNSAID]) = (undrafted, unsaid);
        (self.ranks[FUSED], self.ranks[WEIGHED], self.ranks[READ]) = (rank, rank, rank);
        self.first = found.candidates.first().map(|one| one.operation);
        self.fits = found.fits;
        self.fused = found;
    }
}

/// Asks every source; nothing when the catalogue has no such operation (a command that is no API operation).
pub fn measure(field: &Field, query: Query, draft: String) -> Option<Measured> {
    let right = field.resolve(&query.accepted);
    if right.is_empty() && !query.accepted.is_empty() {
        return None;
    }
    let (catalogue, all) = (field.retriever.catalogue(), Scope::default());
    let started = Instant::now();
    let words = catalogue.search(&query.text, K);
    let words_time = started.elapsed();
    let started = Instant::now();
    let vector = field.retriever.vector(&query.text);
    let wish = Wish { text: &query.text, vector: vector.as_deref(), draft: &draft };
    let fused = field.retriever.retrieve(&wish, K);
    let fused_time = started.elapsed();
    let without = Wish { draft: "", ..wish };
    let undrafted = field.retriever.retrieve(&without, K);
    let meaning = wish.vector.map(|vector| catalogue.nearest_in(all, vector, K)).unwrap_or_default();
    let phrases = wish.vector.map(|vector| catalogue.said_in(all, vector, K)).unwrap_or_default();
    let drafted = if draft.is_empty() { Vec::new() } else { match_draft(catalogue, all, &draft, K) };
    let of_hits = |hits: &[Hit]| hits.iter().position(|hit| right.contains(&hit.operation));
    let of_fused = |found: &Retrieved| found.candidates.iter().position(|one| right.contains(&one.operation));
    let rank = of_fused(&fused);
    let [words, meaning, phrases, drafted] = [words, meaning, phrases, drafted].map(|hits| of_hits(&hits));
    let proposed = propose(catalogue, all, &wish);
    let unsaid = without_phrases(catalogue, &proposed, &right);
    let of_unsaid = of_fused(&WeightTable::shipped().weigh(catalogue, &unsaid));
    let ranks = [words, meaning, phrases, drafted, of_fused(&undrafted), of_unsaid, rank, rank, rank];
    Some(Measured {
        ranks,
        first: fused.candidates.first().map(|candidate| candidate.operation),
        fits: fused.fits,
        proposed: [proposed, propose(catalogue, all, &without), unsaid],
        times: [words_time, fused_time],
        field: field.specialty.providers[0].clone(),
        fused,
        right,
        draft,
        query,
    })
}

/// What would be proposed had nobody said a phrase for the services of the right operations.
fn without_phrases(catalogue: &Catalogue, proposed: &[Proposed], right: &[OperationRef]) -> Vec<Proposed> {
    let service = |at: OperationRef| catalogue.name(at).map(|(_, service, _)| (at.pack, service));
    let silent: Vec<_> = right.iter().map(|at| service(*at)).collect();
    let mute = |one: &Proposed| {
        if silent.contains(&service(one.operation)) { one.without_phrases() } else { Some(*one) }
    };
    proposed.iter().filter_map(mute).collect()
}
