//! Splits a request into steps.
//!
//! A general worker says where a new wish begins and, where there are several, says each in full under a grammar; this crate cuts the
//! request, makes the prompt and the grammar, reads the lines as they come, gives each to the capability it is about (as specialists
//! recognise it in their catalogues), and refuses what no capability fits. It holds no model (the [`General`] trait is its door to one),
//! cannot act, and knows no worker by address. Start at [`plan`].

mod error;
mod faithful;
mod general;
mod order;
mod plan;
mod prompt;
mod quoted;
mod refusal;
mod sense;
mod wishes;

pub use error::PlannerError;
pub use general::{General, GenerateStream};
pub use plan::{CapabilityInfo, Planned, plan};
