//! The planner's door to the workers.

use std::pin::Pin;

use async_trait::async_trait;
use futures::Stream;
use silverback_proto::v1;
use tonic::Status;

/// Text as it is written, then one `done`.
pub type GenerateStream = Pin<Box<dyn Stream<Item = Result<v1::GenerateEvent, Status>> + Send>>;

/// Constrained text generation and classification, wherever it runs. The planner itself holds no model.
#[async_trait]
pub trait General: Send + Sync {
    /// Starts to write text under the request's grammar.
    async fn generate(&self, request: v1::GenerateRequest) -> Result<GenerateStream, Status>;

    /// Says how near each text is to the examples of each capability.
    async fn classify(&self, request: v1::ClassifyRequest) -> Result<v1::ClassifyReply, Status>;

    /// Says where a new wish begins in a text.
    async fn split(&self, request: v1::SplitRequest) -> Result<v1::SplitReply, Status>;

    /// Says what the specialists of a capability recognise in a text; nothing when none of them can say.
    async fn recognise(&self, capability: &str, text: &str) -> Option<v1::Recognition>;
}
