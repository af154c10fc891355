//! Splits a request into steps.
//!
//! A general worker splits the request into lines under a grammar; this crate makes the prompt and the grammar, reads the lines as they
//! come, gives each to the capability it is about (as specialists recognise it in their catalogues), and refuses what no capability fits. It holds no model (the [`General`] trait is its door to one), cannot act, and knows
//! no worker by address. Start at [`plan`].

mod error;
mod general;
mod order;
mod plan;
mod prompt;
mod quoted;
mod refusal;
mod sense;
mod shape;
mod simple;
mod wish;

pub use error::PlannerError;
pub use general::{General, GenerateStream};
pub use plan::{CapabilityInfo, Planned, plan};
