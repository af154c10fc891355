//! Describes each proposed operation by a few numbers, each between about 0 and 1.

use std::collections::BTreeMap;

use super::{Source, Wish};
use crate::catalogue::{Catalogue, Hit, OperationRef};

/// How many numbers describe a proposal.
pub const FEATURES: usize = 15;

/// What they are, in order; the rows of `weights.json`.
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "words_share",
    "words_rank",
    "meaning_near",
    "meaning_rank",
    "draft_score",
    "draft_exact",
    "draft_rank",
    "draft_service",
    "popularity",
    "words_and_meaning",
    "path_value_missing",
    "phrase_near",
    "phrase_rank",
    "phrase_cosine",
    "has_phrases",
];

/// The numbers of one proposal.
pub type Features = [f32; FEATURES];

/// A draft this sure names the operation.
const EXACT: f32 = 0.95;
/// Cosines within this distance of the best are worth telling apart.
const NEAR: f32 = 0.3;
/// Phrases less like the request than this say nothing.
const PHRASE_FLOOR: f32 = 0.4;

/// An operation that some source proposed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposed {
    /// Which operation.
    pub operation: OperationRef,
    /// Who proposed it.
    pub sources: Source,
    /// What speaks for it.
    pub features: Features,
    /// Its cosine with the request; 0 without vectors.
    pub cosine: f32,
}

/// What each source proposes, best first.
pub(super) struct Lists {
    pub words: Vec<Hit>,
    pub meaning: Vec<Hit>,
    pub phrase: Vec<Hit>,
    pub draft: Vec<Hit>,
}

/// Joins the lists.
pub(super) fn describe(catalogue: &Catalogue, wish: &Wish<'_>, lists: &Lists) -> Vec<Proposed> {
    let Lists { words, meaning, phrase, draft } = lists;
    let mut found: BTreeMap<OperationRef, Proposed> = BTreeMap::new();
    for (list, number) in [words, meaning, phrase, draft].into_iter().zip(0..) {
        for (rank, hit) in list.iter().enumerate() {
            let empty = Proposed {
                operation: hit.operation,
                sources: Source::default(),
                features: [0.0; FEATURES],
                cosine: 0.0,
            };
            let proposed = found.entry(hit.operation).or_insert(empty);
            let nearness = 1.0 / (1.0 + rank as f32);
            match number {
                0 => proposed.note_words(hit.score / list[0].score.max(f32::MIN_POSITIVE), nearness),
                1 => proposed.note_meaning(nearness),
                2 => proposed.note_phrase(nearness),
                _ => proposed.note_draft(hit.score, nearness),
            }
        }
    }
    let best = [meaning, phrase].map(|list| list.first().map_or(0.0, |hit| hit.score));
    let drafted_service = draft.first().and_then(|hit| Some((service_of(catalogue, hit.operation)?, hit.score)));
    let identifiers = identifiers(wish.text);
    let mut found: Vec<Proposed> = found.into_values().collect();
    for proposed in &mut found {
        proposed.note_nearness(catalogue, wish, best);
        proposed.note_surroundings(catalogue, identifiers);
        proposed.note_drafted_service(catalogue, drafted_service);
    }
    found
}

fn service_of(catalogue: &Catalogue, at: OperationRef) -> Option<(u32, &str)> {
    catalogue.name(at).map(|(_, service, _)| (at.pack, service))
}

/// Words that can stand in a path: with a digit, or a mark within (`cus_abc`, `price_gold`).
fn identifiers(text: &str) -> usize {
    let word = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let is_identifier = |word: &&str| {
        let letters = word.trim_matches(|c: char| !c.is_alphanumeric());
        letters.contains('_')
            || (letters.bytes().any(|b| b.is_ascii_digit()) && letters.bytes().any(|b| b.is_ascii_alphabetic()))
    };
    text.split(word).filter(is_identifier).count()
}

// === impl Proposed ===

impl Proposed {
    /// The same had nobody said a phrase for it; `None` when nothing else proposed it.
    pub fn without_phrases(&self) -> Option<Self> {
        let mut muted = *self;
        muted.sources.phrase = false;
        muted.features[11..].fill(0.0);
        let Source { words, meaning, draft, .. } = self.sources;
        (words || meaning || draft).then_some(muted)
    }

    fn note_words(&mut self, share: f32, rank: f32) {
        self.sources.words = true;
        self.features[0] = share;
        self.features[1] = rank;
    }

    fn note_meaning(&mut self, rank: f32) {
        self.sources.meaning = true;
        self.features[3] = rank;
    }

    fn note_phrase(&mut self, rank: f32) {
        self.sources.phrase = true;
        self.features[12] = rank;
    }

    fn note_draft(&mut self, score: f32, rank: f32) {
        self.sources.draft = true;
        self.features[4] = score;
        self.features[5] = f32::from(u8::from(score >= EXACT));
        self.features[6] = rank;
    }

    /// Is it of the service that the draft is surest of?
    fn note_drafted_service(&mut self, catalogue: &Catalogue, drafted: Option<((u32, &str), f32)>) {
        if let Some((drafted, score)) = drafted {
            self.features[7] = if service_of(catalogue, self.operation) == Some(drafted) { score } else { 0.0 };
        }
    }

    /// What does not come from a list: every proposal has a cosine, whoever proposed it. `best` of descriptions and of phrases.
    fn note_nearness(&mut self, catalogue: &Catalogue, wish: &Wish<'_>, best: [f32; 2]) {
        let Some(pack) = catalogue.packs().get(self.operation.pack as usize) else { return };
        let Some((vectors, vector)) = pack.vectors().zip(wish.vector) else { return };
        let index = self.operation.index;
        let near = |best: f32, cosine: f32| (1.0 - (best - cosine) / NEAR).max(0.0);
        self.cosine = vectors.cosines(vector, index..index + 1).first().copied().unwrap_or(0.0);
        if best[0] > 0.0 {
            self.features[2] = near(best[0], self.cosine);
        }
        if let [(_, cosine)] = vectors.phrase_cosines(vector, index..index + 1)[..] {
            self.features[11] = near(best[1], cosine);
            self.features[13] = (cosine - PHRASE_FLOOR).max(0.0) / (1.0 - PHRASE_FLOOR);
            self.features[14] = 1.0;
        }
        self.features[9] = self.features[0] * self.features[2];
    }

    fn note_surroundings(&mut self, catalogue: &Catalogue, identifiers: usize) {
        let Some(pack) = catalogue.packs().get(self.operation.pack as usize) else { return };
        let service = service_of(catalogue, self.operation);
        self.features[8] = service.and_then(|(_, name)| pack.service(name)).map_or(0.0, |service| service.popularity);
        let placeholders = pack.index().document(self.operation.index).map_or(0, |document| document.placeholders);
        self.features[10] = f32::from(u8::from(usize::from(placeholders) > identifiers));
    }
}
