//! Tells KEDA how many workers of each capability are needed.
//!
//! Follows the registry and the backlog of every router in it, keeps the sum in memory, and answers KEDA's external scaler
//! contract from there: replicas of it know the same and share nothing. Knows no plan, no model and nothing of Kubernetes; it
//! starts and stops nobody itself. Start at [`Scaler::start`]; what counts for whom is in `demand.rs`.

mod config;
mod demand;
mod error;
mod follow;
mod reports;
mod scaler;
mod service;
mod trigger;

pub use config::{ScalerConfig, ScalerLimits};
pub use error::ScalerError;
pub use scaler::{RunningScaler, Scaler};
pub use trigger::{DEFAULT_TARGET, Trigger};
