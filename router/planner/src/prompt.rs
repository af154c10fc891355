//! The planner's prompt and grammar: the model splits, nothing else.
//!
//! Measured on the 1.5B (24 requests): asked for `capability: action` lines it gives most to the wrong specialist and does not stop;
//! asked to split only, with worked examples as turns of the talk, it splits 20 of 24 as a person would. So the capability of a
//! line comes from the classifier ([`crate::refusal`]), and what a line waits for from its words ([`crate::order`]).

use silverback_proto::v1::Turn;

/// What the planner calls a step that no capability serves.
pub const NONE: &str = "none";

/// Most steps one request may have; more is a batch job, not a request.
pub const MAX_STEPS: usize = 16;

/// The same for every request, so that a worker's prefix cache holds it.
pub const SYSTEM: &str = "Split the request into its actions, one per line. Copy the names and values exactly and add nothing. \
An action keeps its details. Write the thing that is meant instead of \"it\", \"her\" or \"that\".";

/// Worked examples: request, lines.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "Make a queue named jobs in eu-central-1, show the logs of pod api-1 and order a pizza.",
        "Make a queue named jobs in eu-central-1\nShow the logs of pod api-1\nOrder a pizza",
    ),
    ("Remove the job nightly and ignore errors.", "Remove the job nightly and ignore errors"),
    (
        "List the nodes that are not ready, with their labels and ages, only in zone b.",
        "List the nodes that are not ready, with their labels and ages, only in zone b",
    ),
    (
        "Create a topic called alerts and subscribe ops@acme.io to it.",
        "Create a topic called alerts\nSubscribe ops@acme.io to the topic alerts",
    ),
    (
        "Register a supplier named Ann Lee, with the phone 555-1234 and the city Oslo, and pay her 30 euros.",
        "Register a supplier named Ann Lee, with the phone 555-1234 and the city Oslo\nPay the supplier Ann Lee 30 euros",
    ),
    (
        "I need a policy reader that can read, list and tag files, with MODE=safe and LEVEL=2 in it.",
        "Create a policy reader that can read, list and tag files, with MODE=safe and LEVEL=2 in it",
    ),
    (
        "Reserve the room blue for 12 people, no catering, then mail ann@acme.io about it, subject 'Room'.",
        "Reserve the room blue for 12 people, no catering\nMail ann@acme.io about the room blue, subject 'Room'",
    ),
    (
        "Upload a.txt and b.txt to the bucket docs, but only if they are new, then refund ch_9x.",
        "Upload a.txt and b.txt to the bucket docs, but only if they are new\nRefund ch_9x",
    ),
    (
        "Make a network 172.16.0.0/12 with a gateway.",
        "Make a network 172.16.0.0/12\nMake a gateway for the network 172.16.0.0/12",
    ),
    (
        "Could you drop the tables t1, t2 and t3? Oh, and what is the weather like tomorrow?",
        "Drop the tables t1, t2 and t3\nWhat is the weather like tomorrow",
    ),
];

/// The worked examples as turns.
pub fn examples() -> Vec<Turn> {
    EXAMPLES
        .iter()
        .map(|(user, assistant)| Turn { user: (*user).to_owned(), assistant: (*assistant).to_owned() })
        .collect()
}

/// The part that is new with each request.
pub fn request(text: &str, problem: Option<&str>) -> String {
    let text = text.trim();
    match problem {
        None => text.to_owned(),
        Some(problem) => format!("{text}\n\n(An earlier try was wrong: {problem}.)"),
    }
}

/// A Lark grammar of at most [`MAX_STEPS`] lines that are not empty.
pub fn grammar() -> String {
    format!("start: LINE (\"\\n\" LINE){{0,{}}}\nLINE: /[^\\n\\s][^\\n]{{1,600}}/\n", MAX_STEPS - 1)
}
