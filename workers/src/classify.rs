//! Says which capability a text is about, by the examples of each: the nearest on sentence embeddings, and their words.
//!
//! The score of a class is a softmax over the mean similarity of its nearest examples plus what the text's words say for it
//! (`lexicon.rs`). `none` is a class with examples of its own, since distance alone cannot tell "Slack" from "S3". New capabilities
//! bring their examples with their card: no training.

mod lexicon;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use silverback_engine::Embedder;

use self::lexicon::Lexicon;

use crate::{WorkerError, specialty};

/// Examples of a class that vote. One is noise, many punish a class of many topics.
const NEAREST: usize = 3;

/// Softmax temperature over cosine similarity; smaller is more certain. Tuned on the examples themselves, leave one out.
const TEMPERATURE: f32 = 0.06;

/// What one unit of log odds of the words counts beside the similarity. Chosen by eye, not tuned yet: `--bench routing` measures it.
const WORDS: f32 = 0.5;

/// Texts whose embeddings are kept: bounds memory at about 12 MB.
const MAX_KEPT: usize = 8192;

/// The class of what nobody serves.
const NONE: &str = "none";

/// Embeddings of examples and how to get more.
pub struct Classifier {
    embedder: Arc<Embedder>,
    none: Vec<Vec<f32>>,
    none_examples: Vec<String>,
    kept: Mutex<HashMap<String, Vec<f32>>>,
    /// Words of the classes that were asked for last: they change when a card comes or goes.
    lexicon: Mutex<Arc<(Vec<Class>, Lexicon)>>,
}

/// A capability with its examples.
pub type Class = (String, Vec<String>);

/// Scores by capability, `none` included; they add up to 1.
pub type Scores = BTreeMap<String, f64>;

// === impl Classifier ===

impl Classifier {
    /// Embeds the `none` class and the examples that are shipped.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn new(embedder: Arc<Embedder>) -> Result<Self, WorkerError> {
        let none_examples = specialty::none_examples();
        let (kept, lexicon) = (Mutex::default(), Mutex::default());
        let mut classifier = Self { embedder, none: Vec::new(), none_examples, kept, lexicon };
        classifier.none = classifier.embed(&classifier.none_examples.iter().map(String::as_str).collect::<Vec<_>>())?;
        for specialty in specialty::built_in() {
            classifier.keep(&specialty.routing.examples)?;
        }
        Ok(classifier)
    }

    /// Scores each text against each class; blocks for about 15 ms a text.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub fn classify(&self, texts: &[String], classes: &[Class]) -> Result<Vec<Scores>, WorkerError> {
        for (_, examples) in classes {
            self.keep(examples)?;
        }
        let vectors = self.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
        let lexicon = self.lexicon(classes);
        let scored =
            texts.iter().zip(&vectors).map(|(text, vector)| self.score(vector, &lexicon.1.score(text), classes));
        Ok(scored.collect())
    }

    fn score(&self, vector: &[f32], words: &[f32], classes: &[Class]) -> Scores {
        let kept = self.kept.lock().expect("no code panics while it holds this lock");
        let near_examples = classes.iter().map(|(name, examples)| {
            (name.clone(), nearness(vector, examples.iter().filter_map(|example| kept.get(example))))
        });
        let none = (NONE.to_owned(), nearness(vector, self.none.iter()));
        let near: Vec<(String, f32)> = std::iter::once(none).chain(near_examples).collect();
        let logits: Vec<f32> =
            near.iter().zip(words).map(|((_, similarity), words)| similarity / TEMPERATURE + WORDS * words).collect();
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let total: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
        near.into_iter().zip(logits).map(|((name, _), logit)| (name, f64::from((logit - most).exp() / total))).collect()
    }

    /// The words of `none` and of these classes, in this order.
    fn lexicon(&self, classes: &[Class]) -> Arc<(Vec<Class>, Lexicon)> {
        let mut last = self.lexicon.lock().expect("no code panics while it holds this lock");
        if last.0 != classes || classes.is_empty() {
            let all = std::iter::once(&self.none_examples).chain(classes.iter().map(|(_, examples)| examples));
            *last = Arc::new((classes.to_vec(), Lexicon::of(all.map(|examples| examples.iter().map(String::as_str)))));
        }
        last.clone()
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
