//! What happens while steps are answered.

use silverback_graph::{Call, StepId, Unanswered};
use tokio::sync::mpsc;

/// Where events go. Bounded by its maker: a client that does not read slows its own request down and no other.
pub type EventSink = mpsc::Sender<StepEvent>;

/// Something that happened to a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepEvent {
    /// A worker has it, in this stage. Repeated for each stage; dropped when the client reads too slowly.
    Started {
        /// The step.
        step: StepId,
        /// Id of the worker.
        worker: String,
        /// 1 for the first try.
        attempt: u32,
        /// Empty at first, then the worker's own word: `draft`, `retrieve`, `ground`, `verify`.
        stage: String,
    },
    /// A call that passed the gate; its id is `s2-c1` until the plan is merged.
    CallReady(Box<Call>),
    /// The step, or a part of it, has no call.
    Failed(Unanswered),
}
