//! Steps become calls: each step goes to a worker of its capability as soon as the steps before it are answered.
//!
//! Knows workers only by what the registry says and by the wire contract; knows no catalogue (the [`Gate`] judges calls) and
//! cannot act. Start at [`Dispatcher`]; the tower stack of a capability is in `stack.rs`, one layer a line.

mod backlog;
mod balance;
mod board;
mod config;
mod directory;
mod dispatcher;
mod error;
mod event;
mod gate;
mod lobby;
mod peers;
mod retry;
mod stack;
mod worker;

pub use backlog::{BACKLOG_STEPS, Backlog, Counted, Steps};
pub use config::DispatchConfig;
pub use directory::{Directory, Worker};
pub use dispatcher::{Context, Dispatcher};
pub use error::DispatchError;
pub use event::{EventSink, StepEvent};
pub use gate::{Checked, Gate, Rejected};
pub use lobby::Lobby;
pub use peers::{Outstanding, Peer, Peers};
