//! Says which capability a text is about, by its nearest examples on sentence embeddings.
//!
//! The score of a class is a softmax over the mean similarity of its nearest examples. `none` is a class with examples of its own,
//! since distance alone cannot tell "Slack" from "S3". New capabilities bring their examples with their card: no training.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use silverback_engine::Embedder;

use crate::{WorkerError, specialty};

/// Examples of a class that vote. One is noise, many punish a class of many topics.
const NEAREST: usize = 3;

/// Softmax temperature over cosine similarity; smaller is more certain. Tuned on the examples themselves, leave one out.
const TEMPERATURE: f32 = 0.06;

/// Texts whose embeddings are kept: bounds memory at about 12 MB.
const MAX_KEPT: usize = 8192;

/// The class of what nobody serves.
const NONE: &str = "none";

/// Embeddings of examples and how to get more.
pub struct Classifier {
    embedder: Arc<Embedder>,
    none: Vec<Vec<f32>>,
    kept: Mutex<HashMap<String, Vec<f32>>>,
}

/// Scores by capability, `none` included; they add up to 1.
pub type Scores = BTreeMap<String, f64>;

// === impl Classifier ===

impl Classifier {
    /// Embeds the `none` class and the examples that are shipped.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn new(embedder: Arc<Embedder>) -> Result<Self, WorkerError> {
        let mut classifier = Self { embedder, none: Vec::new(), kept: Mutex::default() };
        let none = specialty::none_examples();
        classifier.none = classifier.embed(&none.iter().map(String::as_str).collect::<Vec<_>>())?;
        for specialty in specialty::built_in() {
            classifier.keep(&specialty.routing.examples)?;
        }
        Ok(classifier)
    }

    /// Scores each text against each class; blocks for about 15 ms a text.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn classify(&self, texts: &[String], classes: &[(String, Vec<String>)]) -> Result<Vec<Scores>, WorkerError> {
        for (_, examples) in classes {
            self.keep(examples)?;
        }
        let vectors = self.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(vectors.iter().map(|vector| self.score(vector, classes)).collect())
    }

    fn score(&self, vector: &[f32], classes: &[(String, Vec<String>)]) -> Scores {
        let kept = self.kept.lock().expect("no code panics while it holds this lock");
        let mut near = vec![(NONE.to_owned(), nearness(vector, self.none.iter()))];
        for (name, examples) in classes {
            near.push((name.clone(), nearness(vector, examples.iter().filter_map(|example| kept.get(example)))));
        }
        let total: f32 = near.iter().map(|(_, similarity)| (similarity / TEMPERATURE).exp()).sum();
        near.into_iter().map(|(name, similarity)| (name, f64::from((similarity / TEMPERATURE).exp() / total))).collect()
    }

    /// Embeds the examples that are new.
    fn keep(&self, examples: &[String]) -> Result<(), WorkerError> {
        let new: Vec<&str> = {
            let kept = self.kept.lock().expect("no code panics while it holds this lock");
            let room = MAX_KEPT.saturating_sub(kept.len());
            examples.iter().filter(|example| !kept.contains_key(*example)).take(room).map(String::as_str).collect()
        };
        if new.is_empty() {
            return Ok(());
        }
        let vectors = self.embed(&new)?;
        let mut kept = self.kept.lock().expect("no code panics while it holds this lock");
        kept.extend(new.into_iter().map(str::to_owned).zip(vectors));
        Ok(())
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, WorkerError> {
        self.embedder.embed(texts).map_err(|source| WorkerError::EmbedFailed { source })
    }
}

/// Mean similarity of the nearest examples; both sides have length 1, so the product is the cosine.
fn nearness<'a>(vector: &[f32], examples: impl Iterator<Item = &'a Vec<f32>>) -> f32 {
    let mut similarities: Vec<f32> =
        examples.map(|example| example.iter().zip(vector).map(|(a, b)| a * b).sum()).collect();
    similarities.sort_by(|a: &f32, b| b.total_cmp(a));
    similarities.truncate(NEAREST);
    if similarities.is_empty() { -1.0 } else { similarities.iter().sum::<f32>() / similarities.len() as f32 }
}
