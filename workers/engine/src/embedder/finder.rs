//! Finds in a request what each place of an operation is given: the request and the descriptions of all places are read at once, and
//! each place points at words (zero-shot tagging as in GLiNER, Zaratiana et al. 2023, with an answer "not asked for").
//!
//! Places read at once compete: a word that names the pod does not name its namespace.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::{
    Adapter,
    bert::Bert,
    vectors::{dot, logistic, mean},
    words::{Word, words},
};
use crate::error::{Error, Result};

/// Tokens that are read of a request, and of everything. It was trained on 72 and 480; long identifiers take many.
const MAX_REQUEST: usize = 110;
const MAX_ALL: usize = 480;
/// From this probability on a place is asked for.
const ASKED: f32 = 0.5;
/// Below this a word is no value, whatever is asked for.
const FAINT: f32 = 0.1;
/// Words that are kept of those that are more likely none.
const MAX_FAINT: usize = 3;

/// An encoder with an adapter that points.
pub(super) struct Finder {
    model: Bert,
    asked: Vec<f32>,
    /// Matrices `[width, width]` between a place and a word: does its value begin here, does it go on here?
    begin: Vec<f32>,
    inside: Vec<f32>,
    /// Of begin, inside, asked.
    bias: [f32; 3],
    marks: [u32; 2],
}

/// What a request gives one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Probability that the request gives it anything.
    pub asked: f32,
    /// Bytes of the request that hold values for it, and how sure each is, 0 to 1: those from 0.5 on in their order, then a few others.
    pub spans: Vec<(Range<usize>, f32)>,
}

// === impl Finder ===

impl Finder {
    /// # Errors
    /// [`Error::AdapterRefused`] when the adapter has no heads for places.
    pub fn new(model: Bert, adapter: &Adapter, marks: [u32; 2]) -> Result<Self> {
        let width = model.width();
        let bias = adapter.own("bias", 3)?;
        Ok(Self {
            asked: adapter.own("asked", width)?.to_vec(),
            begin: adapter.own("begin", width * width)?.to_vec(),
            inside: adapter.own("inside", width * width)?.to_vec(),
            bias: [bias[0], bias[1], bias[2]],
            marks,
            model,
        })
    }

    /// One answer a place; places that are too many to be read have none.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn find(&self, tokenizer: &Tokenizer, request: &str, title: &str, places: &[&str]) -> Result<Vec<Found>> {
        let failed = |why: tokenizers::Error| Error::TokenizeFailed(why.to_string());
        let said = tokenizer.encode(request, false).map_err(failed)?;
        let pieces = said.len().min(MAX_REQUEST);
        let words = words(request, &said.get_offsets()[..pieces]);
        let [open, end] = self.marks;
        let title = tokenizer.encode(title, false).map_err(failed)?;
        let mut ids = [&[open], &said.get_ids()[..pieces], &[end], title.get_ids(), &[end]].concat();
        let mut ranges = Vec::with_capacity(places.len());
        for place in tokenizer.encode_batch(places.to_vec(), false).map_err(failed)? {
            if ids.len() + place.len() + 1 > MAX_ALL {
                break;
            }
            ranges.push(ids.len()..ids.len() + place.len());
            ids.extend(place.get_ids());
            ids.push(end);
        }
        let states = self.model.forward(&[&ids]);
        let width = self.model.width();
        let state = |tokens: &Range<usize>| mean(&states[tokens.start * width..tokens.end * width], width);
        let said: Vec<Vec<f32>> =
            words.iter().map(|word| state(&(word.pieces.start + 1..word.pieces.end + 1))).collect();
        let answer = |range: &Range<usize>| {
            let place = state(range);
            let asked = logistic(dot(&place, &self.asked) + self.bias[2]);
            let logits = [(&self.begin, self.bias[0]), (&self.inside, self.bias[1])].map(|(matrix, bias)| {
                let pointer = through(&place, matrix);
                said.iter().map(|word| dot(word, &pointer) + bias).collect::<Vec<f32>>()
            });
            let mut spans = spans(&logits, &words);
            // Another place may be surer of the same word: the next best is then wanted.
            spans.extend(faint(&logits[0], &words).take(if asked >= ASKED { MAX_FAINT } else { 0 }));
            Found { asked, spans }
        };
        Ok(ranges.iter().map(answer).collect())
    }
}

/// Words where a value may begin, though more likely not; likeliest first.
fn faint(begin: &[f32], words: &[Word]) -> impl Iterator<Item = (Range<usize>, f32)> {
    let mut found: Vec<_> =
        begin.iter().zip(words).map(|(logit, word)| (word.bytes.clone(), logistic(*logit))).collect();
    found.retain(|(_, sure)| (FAINT..0.5).contains(sure));
    found.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    found.into_iter()
}

/// Runs of words that begin and go on.
fn spans([begin, inside]: &[Vec<f32>; 2], words: &[Word]) -> Vec<(Range<usize>, f32)> {
    let mut found: Vec<(Range<usize>, f32)> = Vec::new();
    let mut is_open = false;
    for ((begins, goes_on), word) in begin.iter().zip(inside).zip(words) {
        if *begins > 0.0 && begins >= goes_on {
            found.push((word.bytes.clone(), logistic(*begins)));
            is_open = true;
        } else if is_open && *goes_on > 0.0 {
            found.last_mut().expect("one is open").0.end = word.bytes.end;
        } else {
            is_open = false;
        }
    }
    found
}

/// `vector · matrix`, the matrix `[width, width]` by rows.
fn through(vector: &[f32], matrix: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; vector.len()];
    for (number, row) in vector.iter().zip(matrix.chunks_exact(vector.len())) {
        out.iter_mut().zip(row).for_each(|(out, weight)| *out += number * weight);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_words_become_spans() {
        let offsets = [(0, 3), (4, 8), (9, 12), (13, 15), (16, 20)];
        let words: Vec<Word> = words("add web and in shop", &offsets.map(|(start, end)| (start, end.min(19))));
        let logits = [vec![-1.0, 2.0, -1.0, -1.0, 3.0], vec![-1.0, 1.0, 0.5, -2.0, 0.1]];
        let found: Vec<Range<usize>> = spans(&logits, &words).into_iter().map(|(range, _)| range).collect();
        assert_eq!(found, [4..12, 16..19]);
    }

    #[test]
    fn a_word_that_only_goes_on_begins_nothing() {
        assert!(spans(&[vec![-1.0], vec![4.0]], &words("web", &[(0, 3)])).is_empty());
    }
}
