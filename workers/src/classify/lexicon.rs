//! Which class the words of a text speak for: naive Bayes over the words of the examples.
//!
//! Sentence embeddings know that a bill is about money, but not that `cus_8f` is a Stripe customer or a `statefulset` is
//! Kubernetes'. Words know that and nothing else (`--bench routing` measures both together).

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use regex::Regex;
use rust_stemmers::{Algorithm, Stemmer};

/// Examples that an unseen word counts as, in every class. A bigger value trusts rare words less.
const SMOOTHING: f32 = 0.3;

/// Most words of a text that are looked at; a longer one has said by then what it is about.
const MAX_WORDS: usize = 64;

/// Values that say by their form whose they are: the prefix stays, what is behind it is one of millions.
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x) (?P<scheme>s3://|arn:aws)[^\s]* | \b(?P<prefix>[a-z]{1,12}_)[A-Za-z0-9]{2,}\b
        | \b(?P<dashed>[a-z]{1,12}-)[0-9a-f]{3,}\b | [\w.+-]+(?P<mail>@)[\w-]+\.\w+ ",
    )
    .expect("a constant pattern")
});

/// How much more often each word stands in each class than in the others.
#[derive(Debug, Default)]
pub struct Lexicon {
    /// Natural logarithm of the share of the class's examples that have the word, less the mean over the classes.
    weights: HashMap<String, Vec<f32>>,
    classes: usize,
}

// === impl Lexicon ===

impl Lexicon {
    /// Counts the words of the examples of each class.
    pub fn of<'a, E: Iterator<Item = &'a str>>(classes: impl Iterator<Item = E>) -> Self {
        let mut counts: HashMap<String, Vec<f32>> = HashMap::new();
        let mut sizes: Vec<f32> = Vec::new();
        for (class, examples) in classes.enumerate() {
            sizes.push(0.0);
            for example in examples {
                sizes[class] += 1.0;
                for word in words(example) {
                    let count = counts.entry(word).or_default();
                    count.resize(count.len().max(class + 1), 0.0);
                    count[class] += 1.0;
                }
            }
        }
        for shares in counts.values_mut() {
            shares.resize(sizes.len(), 0.0);
            for (share, size) in shares.iter_mut().zip(&sizes) {
                *share = ((*share + SMOOTHING) / (size + 2.0 * SMOOTHING)).ln();
            }
            let mean = shares.iter().sum::<f32>() / shares.len() as f32;
            shares.iter_mut().for_each(|share| *share -= mean);
        }
        Self { weights: counts, classes: sizes.len() }
    }

    /// What the words of a text say for each class, in the order of the classes; words that no example has say nothing.
    pub fn score(&self, text: &str) -> Vec<f32> {
        let mut sums = vec![0.0; self.classes];
        for word in words(text) {
            let Some(weights) = self.weights.get(&word) else { continue };
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
        sums
    }
}

/// Stems of the words, and prefixes of the values, each once.
fn words(text: &str) -> BTreeSet<String> {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut found = BTreeSet::new();
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    for value in VALUES.captures_iter(text) {
        let whole = value.get(0).map_or(0..0, |whole| whole.range());
        rest.push_str(&text[end..whole.start]);
        rest.push(' ');
        end = whole.end;
        let prefix = ["scheme", "prefix", "dashed", "mail"].iter().find_map(|name| value.name(name));
        found.extend(prefix.map(|prefix| prefix.as_str().to_owned()));
    }
    rest.push_str(&text[end..]);
    let plain = rest.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().any(char::is_alphabetic));
    found.extend(plain.take(MAX_WORDS).map(|word| stemmer.stem(&word.to_lowercase()).into_owned()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_count_by_their_prefix() {
        let found = words("Refund ch_3Nk and stop i-0abc12 for a@b.de, see s3://x/y");
        for word in ["ch_", "i-", "@", "s3://", "refund", "stop"] {
            assert!(found.contains(word), "{word}: {found:?}");
        }
        assert!(!found.iter().any(|word| word.contains("0abc")));
    }

    #[test]
    fn a_word_of_one_class_speaks_for_it() {
        let classes = [vec!["restart the statefulset", "list the pods"], vec!["restart the box", "list the queues"]];
        let lexicon = Lexicon::of(classes.iter().map(|examples| examples.iter().copied()));
        let scores = lexicon.score("restart the statefulset queue");
        assert!(lexicon.score("statefulset")[0] > 0.5);
        assert!((scores[0] - scores[1]).abs() < 0.1, "{scores:?}");
        assert_eq!(lexicon.score("zebra"), [0.0, 0.0]);
    }
}
