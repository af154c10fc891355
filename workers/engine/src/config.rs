//! Settings of the engine. Nothing here reads the environment: the binary composes configurations.

/// How much the engine may hold and how it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Longest prompt plus answer. More costs memory when used: 57 kB a token for a 1.5B model.
    pub context_tokens: usize,
    /// Prompt tokens per forward pass. More is a little faster, and a cancelled prompt holds the engine longer.
    pub prefill_chunk_tokens: usize,
    /// Requests that may wait. More means longer waits before a caller is told to come back.
    pub queue_limit: usize,
    /// Memory for prompts seen before. More remembers more prompts.
    pub prefix_cache_bytes: usize,
    /// Most tokens guessed ahead from the text so far when decoding greedily; 0 turns it off. Guesses begin with one token (a pass of two
    /// costs 1.15 times a pass of one), and grow while they prove right: 3 (1.6 times), 7 (2.7 times).
    pub speculation_tokens: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            context_tokens: 8192,
            prefill_chunk_tokens: 256,
            queue_limit: 64,
            prefix_cache_bytes: 384 << 20,
            speculation_tokens: 7,
        }
    }
}
