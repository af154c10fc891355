//! Whether a call fits, as a number: small models call something whatever they are asked.
//!
//! Four signs that fail differently. Left free, a model that finds no tool makes one up ("book_flight"): then it finds the name of the
//! one that there is unlikely. Shown its call, it doubts more when the call misses the request. The tool's description lies far
//! from the request's meaning. Or the request does not say what the call needs.

use silverback_engine::{Embedder, Message};
use tracing::debug;

use super::{Answering, CLOSE, OPEN, ToolCaller, Written};
use crate::{WorkerError, writer::Order};

/// Probability from which a tool is called unless the caller demands one.
pub(super) const CALL_FROM: f32 = 0.5;

/// Weights of a logistic curve over a constant and the four signs. Fitted on 200 cases of the tune part of BFCL (tests/bfcl),
/// those without and those with a right call counting the same: .96 of the one and .84 of the other fall on their side.
const WEIGHTS: [f32; 5] = [-1.04, 0.81, 1.59, 2.59, -2.97];

/// Likelihoods below this are told apart no more.
const LEAST_LIKELIHOOD: f32 = -6.0;
/// How the model begins a call when it is left free.
const FREE: &str = "```json\n{\n  \"name\": \"";
const QUESTION: &str = "Does this call do what was asked? Answer yes or no.";

// === impl ToolCaller ===

impl ToolCaller {
    /// Probability that this call is meant.
    pub(super) async fn fit(&self, answering: &Answering<'_>, written: &Written) -> Result<f32, WorkerError> {
        let (named, agreed) = (self.named(answering, written).await?, self.agreed(answering, written).await?);
        let near = self.near(answering, written).await?;
        let operation = &written.operation;
        let required = operation.properties().filter(|(name, _)| operation.is_required(name)).count();
        let unsaid = written.call.unsaid.len() as f32 / required.max(1) as f32;
        let signs = [1.0, named, agreed, near, unsaid];
        let sum: f32 = WEIGHTS.iter().zip(signs).map(|(weight, sign)| weight * sign).sum();
        let about: String = answering.conversation.last.chars().take(80).collect();
        debug!(named, agreed, near, unsaid, sum, about, tool = operation.name, "call weighed");
        Ok(1.0 / (1.0 + (-sum).exp()))
    }

    /// Log-likelihood of the tool's name where the model is free to make one up.
    async fn named(&self, answering: &Answering<'_>, written: &Written) -> Result<f32, WorkerError> {
        let order = Order { opener: FREE.to_owned(), ..answering.order.clone() };
        let likelihoods = self.writer.weigh(order, std::slice::from_ref(&written.operation.name)).await?;
        Ok(likelihoods[0].max(LEAST_LIKELIHOOD))
    }

    /// Logarithmic odds that the model, shown its call, says yes.
    async fn agreed(&self, answering: &Answering<'_>, written: &Written) -> Result<f32, WorkerError> {
        let mut order = answering.order.clone();
        order.messages.push(Message::assistant(format!("{OPEN}\n{}{CLOSE}", written.text)));
        order.messages.push(Message::user(QUESTION));
        let said = self.writer.weigh(order, &["yes", "Yes", "no", "No"].map(str::to_owned)).await?;
        Ok((said[0].exp() + said[1].exp()).ln() - (said[2].exp() + said[3].exp()).ln())
    }

    /// Cosine of the request with what the tool says of itself.
    async fn near(&self, answering: &Answering<'_>, written: &Written) -> Result<f32, WorkerError> {
        let (embedder, request) = (self.embedder.clone(), answering.conversation.last.clone());
        let name = written.operation.name.replace(['_', '-', '.'], " ");
        let description = format!("{name}: {}", written.operation.words.join(" "));
        let embedding = tokio::task::spawn_blocking(move || cosine(&embedder, &request, &description));
        let embedded = embedding.await.map_err(|source| WorkerError::CallUnfinished { reason: source.to_string() })?;
        embedded.map_err(|source| WorkerError::EmbedFailed { source })
    }
}

fn cosine(embedder: &Embedder, request: &str, description: &str) -> Result<f32, silverback_engine::Error> {
    let (request, description) = (embedder.embed_requests(&[request])?, embedder.embed(&[description])?);
    Ok(request[0].iter().zip(&description[0]).map(|(a, b)| a * b).sum())
}
