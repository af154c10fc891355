//! Tokens in, tokens out: the only place that knows candle.
//!
//! A [`Model`] is one GGUF file: weights, tokenizer, chat template. An [`Engine`] owns a thread that computes with it and serves
//! [`Generation`]s: prompts that begin alike are computed once, a [`TokenMask`] decides what may be said, tokens it forces cost no
//! pass of their own. [`Embedder`] turns sentences into vectors.
//!
//! It must not know what a grammar, an operation or a request is. Start at [`Engine::generate`], then `engine/run.rs`.

mod chat;
mod config;
mod device;
mod embedder;
mod engine;
mod error;
mod gguf;
#[cfg(target_arch = "x86_64")]
mod kernel;
#[cfg(not(target_arch = "x86_64"))]
#[path = "kernel/absent.rs"]
mod kernel;
mod mask;
mod model;
mod prefix;
mod sample;
mod speculate;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod tokenizer;
mod vocabulary;

pub use chat::{ChatTemplate, Message};
pub use config::EngineConfig;
pub use device::Device;
pub use embedder::{Adapter, Adapters, Embedder, Found};
pub use engine::{Completion, Engine, Event, FinishReason, Generation, GenerationStream, Usage, Weighing};
pub use error::{Error, Result};
pub use mask::{MaskError, TokenMask, TokenSet};
pub use model::{Logits, Model, Rows, Sequence, Shape};
pub use tokenizer::Tokenizer;
pub use vocabulary::{TokenKind, Vocabulary};
