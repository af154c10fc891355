//! One process that serves capabilities: a general worker, specialist workers, or several on one shared model.
//!
//! Knows the engine, the grammar and the catalogue, and joins them; knows no router and no secret. Start at `specialist.rs`, the
//! story of a step, then [`Worker::start`].

mod announcer;
mod belief;
mod classify;
mod config;
mod drafter;
mod encoder;
mod error;
mod general;
mod likelihood;
mod mask;
mod newcomers;
mod retriever;
mod roster;
mod service;
mod specialist;
mod specialty;
mod tools;
mod usage;
mod worker;
mod writer;

pub use classify::Classifier;
pub use config::{PLAN, REFUSE_BELOW, TOOLS, WorkerConfig, WorkerFiles};
pub use drafter::Drafter;
pub use encoder::{ENCODER, load_describer, load_encoder};
pub use error::WorkerError;
pub use retriever::Retriever;
pub use specialist::Method;
pub use specialty::{DraftPrompt, Routing, Specialty, added as added_specialties, built_in as built_in_specialties};
pub use worker::{RunningWorker, Worker};
