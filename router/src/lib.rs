//! The router: requests in, checked plans out. It leads; the workers are the troop.
//!
//! Holds no model and never acts. What it knows of workers comes from the registry's snapshot, what it knows of operations from
//! catalogue packs, named by digest. Start at `request.rs` (the story of one request), then [`Router::start`].

mod admit;
mod backlog;
mod config;
mod error;
mod gate;
mod general;
mod metric;
mod openai;
mod pool;
mod request;
mod server;
mod tools;
mod wire;
mod workers;

pub use admit::{Request, admit};
pub use config::{RouterConfig, RouterLimits};
pub use error::RouterError;
pub use gate::{CatalogueGate, Rejection};
pub use metric::METRICS;
pub use request::RequestPath;
pub use server::{Router, RunningRouter};
