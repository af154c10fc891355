//! Reads a request and a description at once (a cross-encoder, Nogueira and Cho 2019) and says how well the one answers the other.
//!
//! A vector knows nothing of what it will be compared with; here each word sees both texts. Costs a pass a pair, so it is for the few
//! that vectors and words have found. The score joins what the pair's states say (`head`), how near the two texts lie and how near each
//! word of the request lies to the nearest of the description (Khattab and Zaharia 2020), each weighed by `mix`.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::{
    Adapter,
    bert::Bert,
    vectors::{cosine, dot, sum},
};
use crate::error::{Error, Result};

/// Tokens that are read of a request and of a description; what it was trained on.
const MAX_REQUEST: usize = 44;
const MAX_DESCRIPTION: usize = 57;
/// Likeness of a word to a description without any.
const NOTHING: f32 = -1.0;

/// An encoder with an adapter that reads pairs.
pub(super) struct Reader {
    model: Bert,
    head: Vec<f32>,
    /// Weights of the two likenesses.
    mix: [f32; 2],
    /// What opens a pair, and what ends each of its texts.
    marks: [u32; 2],
}

/// A request and a description, ready to be read.
pub(super) struct Pair {
    ids: Vec<u32>,
    request: Range<usize>,
    description: Range<usize>,
}

// === impl Reader ===

impl Reader {
    /// # Errors
    /// [`Error::AdapterRefused`] when the adapter has no head for pairs.
    pub fn new(model: Bert, adapter: &Adapter, marks: [u32; 2]) -> Result<Self> {
        let mix = adapter.own("mix", 2)?;
        Ok(Self { head: adapter.own("head", model.width())?.to_vec(), mix: [mix[0], mix[1]], marks, model })
    }

    /// The request with each description.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn pairs(&self, tokenizer: &Tokenizer, request: &str, descriptions: &[String]) -> Result<Vec<Pair>> {
        let failed = |why: tokenizers::Error| Error::TokenizeFailed(why.to_string());
        let request = tokenizer.encode(request, false).map_err(failed)?;
        let request = &request.get_ids()[..request.len().min(MAX_REQUEST)];
        let descriptions = tokenizer.encode_batch(descriptions.iter().map(String::as_str).collect(), false);
        let [open, end] = self.marks;
        let pair = |description: &[u32]| {
            let ids = [&[open], request, &[end], description, &[end]].concat();
            let split = 1 + request.len();
            Pair { request: 1..split, description: split + 1..ids.len() - 1, ids }
        };
        let encoded = descriptions.map_err(failed)?;
        Ok(encoded.iter().map(|one| pair(&one.get_ids()[..one.len().min(MAX_DESCRIPTION)])).collect())
    }

    /// One score a pair.
    pub fn read(&self, pairs: &[Pair]) -> Vec<f32> {
        let texts: Vec<&[u32]> = pairs.iter().map(|pair| pair.ids.as_slice()).collect();
        let states = self.model.forward(&texts);
        let mut rest = states.as_slice();
        let score = |pair: &Pair| {
            let own;
            (own, rest) = rest.split_at(pair.ids.len() * self.model.width());
            self.score(own, pair)
        };
        pairs.iter().map(score).collect()
    }

    fn score(&self, states: &[f32], pair: &Pair) -> f32 {
        let width = self.model.width();
        let part = |range: &Range<usize>| &states[range.start * width..range.end * width];
        let (request, description) = (part(&pair.request), part(&pair.description));
        let all = sum(states, width);
        let said = dot(&all, &self.head) / pair.ids.len() as f32;
        let near = cosine(&sum(request, width), &sum(description, width));
        let nearest = |word: &[f32]| {
            let words = description.chunks_exact(width);
            words.map(|other| cosine(word, other)).fold(NOTHING, f32::max)
        };
        let words = request.chunks_exact(width);
        let covered = words.map(nearest).sum::<f32>() / pair.request.len().max(1) as f32;
        said + self.mix[0] * near + self.mix[1] * covered
    }
}
