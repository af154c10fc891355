//! Keys and values of prompts seen before, as a tree of blocks: prompts that begin alike share their blocks.
//!
//! A block begins at a multiple of [`BLOCK_TOKENS`]; only full blocks have children. The least recently used leaf goes first when the
//! byte budget is exceeded, so a shared system prompt outlives the requests behind it.

use std::collections::HashMap;

use crate::error::Result;
use crate::model::{Sequence, Span};

/// Tokens per block. Smaller shares more exactly where prompts part, and copies in smaller pieces.
const BLOCK_TOKENS: usize = 64;

type BlockId = u64;

/// The parent of all first blocks.
const ROOT: BlockId = 0;

struct Block {
    parent: BlockId,
    tokens: Vec<u32>,
    span: Span,
    children: Vec<BlockId>,
    used: u64,
}

/// Remembers prompts under a byte budget.
pub(crate) struct PrefixCache {
    budget: usize,
    bytes: usize,
    clock: u64,
    next: BlockId,
    first: Vec<BlockId>,
    blocks: HashMap<BlockId, Block>,
}

// === impl PrefixCache ===

impl PrefixCache {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, bytes: 0, clock: 0, next: ROOT + 1, first: Vec::new(), blocks: HashMap::new() }
    }

    /// Bytes held.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes `sequence` begin with as much of `prompt` as it has or the cache knows; gives how many tokens that is.
    pub(crate) fn restore(&mut self, prompt: &[u32], sequence: &mut Sequence) -> Result<usize> {
        let own = common(prompt, sequence.tokens());
        let path = self.walk(prompt);
        let known: usize = path.iter().map(|(_, len)| len).sum();
        sequence.truncate(own);
        if known <= own {
            return Ok(own);
        }
        // The block in which the sequence's own tokens end is taken whole, from its beginning.
        let mut at = 0;
        sequence.truncate(own - own % BLOCK_TOKENS);
        for (id, len) in path {
            if at >= sequence.len() {
                sequence.append_span(&self.blocks[&id].span, &prompt[at..at + len])?;
            }
            at += len;
        }
        Ok(known)
    }

    /// Remembers the first `len` tokens of a sequence.
    pub(crate) fn insert(&mut self, sequence: &Sequence, len: usize) -> Result<()> {
        let tokens = &sequence.tokens()[..len.min(sequence.len())];
        self.clock += 1;
        let mut parent = ROOT;
        for (index, piece) in tokens.chunks(BLOCK_TOKENS).enumerate() {
            let from = index * BLOCK_TOKENS;
            parent = match self.child_covering(parent, piece) {
                Some(id) => self.touch(id),
                None => self.add(parent, piece, sequence.span(from, from + piece.len())?),
            };
        }
        self.evict();
        Ok(())
    }

    /// The blocks that `prompt` begins with, and how many tokens of each agree; only the last can be used in part.
    fn walk(&mut self, prompt: &[u32]) -> Vec<(BlockId, usize)> {
        self.clock += 1;
        let mut path = Vec::new();
        let (mut parent, mut rest) = (ROOT, prompt);
        loop {
            let lens = self.children(parent).iter().map(|id| (*id, common(rest, &self.blocks[id].tokens)));
            let Some((id, len)) = lens.max_by_key(|(_, len)| *len).filter(|(_, len)| *len > 0) else {
                return path;
            };
            path.push((self.touch(id), len));
            if len < BLOCK_TOKENS {
                return path;
            }
            (parent, rest) = (id, &rest[len..]);
        }
    }

    fn children(&self, parent: BlockId) -> &[BlockId] {
        match self.blocks.get(&parent) {
            Some(block) => &block.children,
            None => &self.first,
        }
    }

    fn child_covering(&self, parent: BlockId, piece: &[u32]) -> Option<BlockId> {
        self.children(parent).iter().copied().find(|id| self.blocks[id].tokens.starts_with(piece))
    }

    fn touch(&mut self, id: BlockId) -> BlockId {
        let clock = self.clock;
        if let Some(block) = self.blocks.get_mut(&id) {
            block.used = clock;
        }
        id
    }

    fn add(&mut self, parent: BlockId, piece: &[u32], span: Span) -> BlockId {
        // A shorter leaf that the new block extends would never be found again.
        let extended = |id: &BlockId| piece.starts_with(&self.blocks[id].tokens);
        if let Some(shorter) = self.children(parent).iter().copied().find(extended) {
            self.remove(shorter);
        }
        let id = self.next;
        self.next += 1;
        self.bytes += span.bytes();
        self.blocks.insert(id, Block { parent, tokens: piece.to_vec(), span, children: Vec::new(), used: self.clock });
        self.siblings(parent).push(id);
        id
    }

    fn siblings(&mut self, parent: BlockId) -> &mut Vec<BlockId> {
        match self.blocks.get_mut(&parent) {
            Some(block) => &mut block.children,
            None => &mut self.first,
        }
    }

    fn remove(&mut self, id: BlockId) {
        if let Some(block) = self.blocks.remove(&id) {
            debug_assert!(block.children.is_empty(), "only leaves are removed");
            self.bytes -= block.span.bytes();
            self.siblings(block.parent).retain(|sibling| *sibling != id);
        }
    }

    fn evict(&mut self) {
        while self.bytes > self.budget {
            let leaves = self.blocks.iter().filter(|(_, block)| block.children.is_empty());
            let Some((id, _)) = leaves.min_by_key(|(id, block)| (block.used, std::cmp::Reverse(**id))) else {
                return;
            };
            let id = *id;
            self.remove(id);
        }
    }
}

/// How many tokens two sequences have in common at their beginning.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Rows, tests::tiny_model};
    use proptest::prelude::*;
    use tokio_util::sync::CancellationToken;

    fn computed(model: &Model, tokens: &[u32]) -> Sequence {
        let mut sequence = model.sequence();
        model.forward(&mut sequence, tokens, Rows::None, &CancellationToken::new()).unwrap();
        sequence
    }

    fn known(cache: &mut PrefixCache, model: &Model, prompt: &[u32]) -> usize {
        cache.restore(prompt, &mut model.sequence()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

        /// Prompts over an alphabet of two, so that they share beginnings.
        #[test]
        fn knows_the_longest_common_beginning(
            prompts in proptest::collection::vec((0u32..4, 1usize..200), 1..8), wanted in (0u32..4, 1usize..200), own in 0usize..100,
        ) {
            let model = tiny_model();
            let spell = |(seed, len): (u32, usize)| -> Vec<u32> { (0..len as u32).map(|i| (i / 50 * seed + i) % 3).collect() };
            let mut cache = PrefixCache::new(usize::MAX);
            for prompt in &prompts {
                let tokens = spell(*prompt);
                cache.insert(&computed(&model, &tokens), tokens.len()).unwrap();
            }
            let wanted = spell(wanted);
            let mut sequence = computed(&model, &[&wanted[..own.min(wanted.len())], &[9]].concat());
            let len = cache.restore(&wanted, &mut sequence).unwrap();
            let expected = prompts.iter().map(|prompt| common(&spell(*prompt), &wanted)).max().unwrap();
            prop_assert_eq!(len, expected.max(own.min(wanted.len())));
            prop_assert_eq!(sequence.tokens(), &wanted[..len]);
        }
    }

    #[test]
    fn forgets_the_least_recently_used_end_first() {
        let model = tiny_model();
        let system: Vec<u32> = (0..128).collect();
        let prompt = |tail: u32| [&system[..], &[tail; 64]].concat();
        let block = model.shape().kv_bytes_per_token() * BLOCK_TOKENS;
        let mut cache = PrefixCache::new(4 * block);
        for tail in [200, 201] {
            cache.insert(&computed(&model, &prompt(tail)), 192).unwrap();
        }
        assert_eq!(cache.bytes(), 4 * block);
        assert_eq!(known(&mut cache, &model, &prompt(200)), 192);
        cache.insert(&computed(&model, &prompt(202)), 192).unwrap();
        assert_eq!(known(&mut cache, &model, &prompt(200)), 192);
        assert_eq!(known(&mut cache, &model, &prompt(201)), 128);
        assert_eq!(known(&mut cache, &model, &prompt(202)), 192);
        assert_eq!(cache.bytes(), 4 * block);
    }

    #[test]
    fn a_longer_prompt_replaces_the_shorter_end_it_contains() {
        let model = tiny_model();
        let tokens: Vec<u32> = (0..60).collect();
        let mut cache = PrefixCache::new(usize::MAX);
        for len in [10, 30, 60, 20] {
            cache.insert(&computed(&model, &tokens), len).unwrap();
        }
        assert_eq!(cache.bytes(), 60 * model.shape().kv_bytes_per_token());
        assert_eq!(known(&mut cache, &model, &tokens), 60);
    }
}
