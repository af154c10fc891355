//! How likely each of several texts is after a prompt: for choosing among what exists, where decoding would invent.
//!
//! The texts are walked as a tree, in the order of their tokens: what two of them begin with is computed once, and no text's last token
//! is computed at all.

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Workbench;
use crate::error::{Error, Result};
use crate::model::Rows;

/// Texts that could follow a prompt.
pub struct Weighing {
    /// The prompt; see [`crate::Model::encode_chat`].
    pub prompt: Vec<u32>,
    /// Tokens of each text; none may be empty.
    pub texts: Vec<Vec<u32>>,
    /// Ends the work within one pass.
    pub cancel: CancellationToken,
}

/// A weighing on its way to the thread.
pub(super) struct Job {
    pub(super) weighing: Weighing,
    pub(super) reply: oneshot::Sender<Result<Vec<f32>>>,
}

/// A token of the text that was walked last, with what may follow it.
struct Node {
    token: u32,
    after: Option<Row>,
}

/// Logits after a token, ready to be read as likelihoods.
struct Row {
    logits: Vec<f32>,
    /// Logarithm of the sum of all their exponentials.
    total: f32,
}

// === impl Row ===

impl Row {
    fn new(logits: &[f32]) -> Self {
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
        Self { logits: logits.to_vec(), total: most + sum.ln() as f32 }
    }

    fn likelihood(&self, token: u32) -> f32 {
        self.logits[token as usize] - self.total
    }
}

// === impl Workbench ===

impl Workbench {
    /// Log-likelihood of each text, in their order.
    pub(super) fn weigh(&mut self, weighing: &Weighing) -> Result<Vec<f32>> {
        let root = self.weigh_prompt(weighing)?;
        let mut order: Vec<usize> = (0..weighing.texts.len()).collect();
        order.sort_by_key(|index| &weighing.texts[*index]);
        let mut likelihoods = vec![f32::MIN; weighing.texts.len()];
        let mut path: Vec<Node> = Vec::new();
        for index in order {
            let text = &weighing.texts[index];
            let common = path.iter().zip(text).take_while(|(node, token)| node.token == **token).count();
            path.truncate(common);
            self.walk(weighing, text, &mut path)?;
            let before = std::iter::once(Some(&root)).chain(path.iter().map(|node| node.after.as_ref()));
            likelihoods[index] = before.zip(text).filter_map(|(row, token)| Some(row?.likelihood(*token))).sum();
        }
        Ok(likelihoods)
    }

    /// What may follow the prompt; its beginning is taken from memory and remembered for others.
    fn weigh_prompt(&mut self, weighing: &Weighing) -> Result<Row> {
        let reusable = &weighing.prompt[..weighing.prompt.len() - 1];
        let known = self.prefixes.restore(reusable, &mut self.sequence)?;
        let logits =
            self.model.forward(&mut self.sequence, &weighing.prompt[known..], Rows::Last(1), &weighing.cancel)?;
        self.prefixes.insert(&self.sequence, weighing.prompt.len())?;
        Ok(Row::new(logits.row(0)))
    }

    /// Computes what is missing on the way to a text's last token.
    fn walk(&mut self, weighing: &Weighing, text: &[u32], path: &mut Vec<Node>) -> Result<()> {
        // A node that was the end of another text has nothing after it yet.
        let computed = path.iter().take_while(|node| node.after.is_some()).count();
        self.sequence.truncate(weighing.prompt.len() + computed);
        path.truncate(computed);
        let (last, inner) = text.split_last().ok_or(Error::PromptEmpty)?;
        let new = &inner[computed.min(inner.len())..];
        if !new.is_empty() {
            let logits = self.model.forward(&mut self.sequence, new, Rows::Last(new.len()), &weighing.cancel)?;
            let nodes = new.iter().enumerate();
            path.extend(nodes.map(|(index, token)| Node { token: *token, after: Some(Row::new(logits.row(index))) }));
        }
        if path.len() < text.len() {
            path.push(Node { token: *last, after: None });
        }
        Ok(())
    }
}
