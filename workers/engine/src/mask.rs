//! The hook through which a grammar decides what may be said next.
//!
//! Knows no grammar: `silverback-decoding` compiles those; whoever wires the two implements [`TokenMask`].

/// A grammar's own failure, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MaskError(pub String);

/// Walks one sentence of a grammar, token by token. Every token of the output goes through [`TokenMask::accept`] in order.
pub trait TokenMask: Send {
    /// Tokens that the grammar leaves no choice about, possibly none. They are not accepted yet: the engine accepts each.
    fn forced(&mut self) -> Result<Vec<u32>, MaskError>;

    /// Which tokens may come next. End-of-text ids in it are ignored: [`TokenMask::may_stop`] decides about those.
    fn allowed(&mut self) -> Result<TokenSet, MaskError>;

    /// Moves on by one token, which was forced or allowed.
    fn accept(&mut self, token: u32) -> Result<(), MaskError>;

    /// Is the text a complete sentence of the grammar to which nothing can be added?
    fn is_complete(&mut self) -> bool;

    /// Is the text a complete sentence of the grammar, though more may follow?
    fn may_stop(&mut self) -> bool;
}

/// A set of token ids, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    words: Vec<u32>,
    len: usize,
}

// === impl TokenSet ===

impl TokenSet {
    /// No token of a vocabulary of `len` ids.
    pub fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(32)], len }
    }

    /// Every token of a vocabulary of `len` ids.
    pub fn full(len: usize) -> Self {
        let mut set = Self { words: vec![u32::MAX; len.div_ceil(32)], len };
        set.clear_tail();
        set
    }

    /// From a bit set: bit `id % 32` of word `id / 32`. Missing words count as zero, bits past `len` are dropped.
    pub fn from_words(mut words: Vec<u32>, len: usize) -> Self {
        words.resize(len.div_ceil(32), 0);
        let mut set = Self { words, len };
        set.clear_tail();
        set
    }

    /// The same set over a vocabulary of `len` ids.
    pub(crate) fn resized(self, len: usize) -> Self {
        Self::from_words(self.words, len)
    }

    fn clear_tail(&mut self) {
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.len % 32) {
            *last &= (1 << used) - 1;
        }
    }

    /// Adds a token; ids outside the vocabulary are ignored.
    pub fn insert(&mut self, token: u32) {
        if (token as usize) < self.len {
            self.words[token as usize / 32] |= 1 << (token % 32);
        }
    }

    /// Takes a token out.
    pub fn remove(&mut self, token: u32) {
        if (token as usize) < self.len {
            self.words[token as usize / 32] &= !(1 << (token % 32));
        }
    }

    /// Is the token in the set?
    pub fn contains(&self, token: u32) -> bool {
        (token as usize) < self.len && self.words[token as usize / 32] >> (token % 32) & 1 == 1
    }

    /// Is no token in the set?
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many tokens are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The tokens in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| Bits { word: *word, base: index as u32 * 32 })
    }
}

impl FromIterator<u32> for TokenSet {
    /// A set just wide enough for its largest id.
    fn from_iter<I: IntoIterator<Item = u32>>(tokens: I) -> Self {
        let tokens: Vec<u32> = tokens.into_iter().collect();
        let mut set = Self::empty(tokens.iter().max().map_or(0, |max| *max as usize + 1));
        tokens.into_iter().for_each(|token| set.insert(token));
        set
    }
}

/// The set bits of one word, lowest first.
struct Bits {
    word: u32,
    base: u32,
}

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_set_of_integers(ids in proptest::collection::btree_set(0u32..200, 0..50), gone in 0u32..200) {
            let mut set = TokenSet::empty(200);
            ids.iter().for_each(|id| set.insert(*id));
            set.remove(gone);
            let expected: BTreeSet<u32> = ids.into_iter().filter(|id| *id != gone).collect();
            prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), expected.clone());
            prop_assert_eq!(set.count(), expected.len());
            prop_assert_eq!(set.is_empty(), expected.is_empty());
            prop_assert!(expected.iter().all(|id| set.contains(*id)));
        }

        #[test]
        fn full_has_exactly_the_vocabulary(len in 0usize..100) {
            let set = TokenSet::full(len);
            prop_assert_eq!(set.count(), len);
            prop_assert!(!set.contains(len as u32));
        }
    }
}
