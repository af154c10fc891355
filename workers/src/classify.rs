//! Says which capability a text is about, by its nearest examples on sentence embeddings.
//!
//! The score of a class is a softmax over the mean similarity of its nearest examples. `none` is a class with examples of its own,
//! since distance alone cannot tell "Slack" from "S3". New capabilities bring their examples with their card: no training.
//! Classes of like size vote alike: many examples lie nearer to everything.

mod shelf;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex},
};

use sha2::{Digest, Sha256};
use silverback_catalogue::Vectors;
use silverback_engine::Embedder;

use self::shelf::Shelf;
use crate::{WorkerError, specialty};

/// Examples of a class that vote. One is noise, many punish a class of many topics.
const NEAREST: usize = 3;

/// Softmax temperature over cosine similarity; smaller is more certain. Tuned on the examples themselves, leave one out.
const TEMPERATURE: f32 = 0.06;

/// What `none` must be nearer than a capability: a specialist refuses too what fits nothing of its own, and knows more.
const DOUBT: f32 = 0.015;

/// Classes whose vectors are kept in memory, of about 100 kB each.
const MAX_KEPT: usize = 128;

/// The class of what nobody serves.
const NONE: &str = "none";

/// Embeddings of examples and how to get more.
pub struct Classifier {
    embedder: Arc<Embedder>,
    shelf: Shelf,
    none: Arc<Vectors>,
    /// By the digest of their examples.
    kept: Mutex<HashMap<[u8; 32], Arc<Vectors>>>,
}

/// Scores by capability, `none` included; they add up to 1.
pub type Scores = BTreeMap<String, f64>;

// === impl Classifier ===

impl Classifier {
    /// Takes the vectors of the `none` class and of the examples that are shipped from `shelf`, a folder; computes and puts there what
    /// it lacks, which takes seconds once.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn new(embedder: Arc<Embedder>, shelf: &Path) -> Result<Self, WorkerError> {
        let none = Arc::default();
        let mut classifier = Self { embedder, shelf: Shelf::new(shelf), none, kept: Mutex::default() };
        classifier.none = classifier.class(&specialty::none_examples())?;
        for specialty in specialty::built_in() {
            classifier.class(&specialty.routing.examples)?;
        }
        Ok(classifier)
    }

    /// Scores each text against each class; blocks for about 15 ms a text.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn classify(&self, texts: &[String], classes: &[(String, Vec<String>)]) -> Result<Vec<Scores>, WorkerError> {
        let mut known = vec![(NONE, self.none.clone())];
        for (name, examples) in classes {
            known.push((name, self.class(examples)?));
        }
        let vectors = self.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(vectors.iter().map(|vector| score(vector, &known)).collect())
    }

    /// The vectors of a class: from memory, from the shelf, or computed.
    fn class(&self, examples: &[String]) -> Result<Arc<Vectors>, WorkerError> {
        let digest = digest(examples);
        let lock = || self.kept.lock().expect("no code panics while it holds this lock");
        if let Some(found) = lock().get(&digest) {
            return Ok(found.clone());
        }
        let vectors = match self.shelf.take(digest) {
            Some(vectors) => vectors,
            None => {
                let vectors = self.encode(examples, digest)?;
                self.shelf.put(&vectors);
                vectors
            }
        };
        let (vectors, mut kept) = (Arc::new(vectors), lock());
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(digest, vectors.clone());
        Ok(vectors)
    }

    fn encode(&self, examples: &[String], digest: [u8; 32]) -> Result<Vectors, WorkerError> {
        let mut vectors = Vectors::new(shelf::ENCODER, digest);
        for vector in self.embed(&examples.iter().map(String::as_str).collect::<Vec<_>>())? {
            vectors.push(&vector).map_err(|reason| WorkerError::WarmUpFailed { reason })?;
        }
        Ok(vectors)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, WorkerError> {
        self.embedder.embed(texts).map_err(|source| WorkerError::EmbedFailed { source })
    }
}

fn score(vector: &[f32], classes: &[(&str, Arc<Vectors>)]) -> Scores {
    let similarity =
        |name: &str, examples: &Vectors| nearness(vector, examples) - if name == NONE { DOUBT } else { 0.0 };
    let shares: Vec<f32> =
        classes.iter().map(|(name, examples)| (similarity(name, examples) / TEMPERATURE).exp()).collect();
    let total: f32 = shares.iter().sum();
    let names = classes.iter().map(|(name, _)| (*name).to_owned());
    names.zip(shares).map(|(name, share)| (name, f64::from(share / total))).collect()
}

/// Mean similarity of the nearest examples; -1 without any.
fn nearness(vector: &[f32], examples: &Vectors) -> f32 {
    let mut similarities = examples.cosines(vector, 0..examples.len() as u32);
    similarities.sort_by(|a: &f32, b| b.total_cmp(a));
    similarities.truncate(NEAREST);
    if similarities.is_empty() { -1.0 } else { similarities.iter().sum::<f32>() / similarities.len() as f32 }
}

fn digest(examples: &[String]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for example in examples {
        hasher.update(example);
        hasher.update([0]);
    }
    hasher.finalize().into()
}
