//! The prompt and grammar by which the general worker says each wish in full: nothing else is asked of it.
//!
//! Measured on the 1.5B: asked for `capability: action` lines it gives most to the wrong specialist and does not stop; asked to split, it
//! makes lines of details. So the wishes come from an encoder ([`crate::wishes`]), the capability of each from the classifier
//! ([`crate::refusal`]), and what a wish waits for from its words ([`crate::order`]).

use silverback_proto::v1::Turn;

use crate::faithful::MAX_LINE;

/// What the planner calls a step that no capability serves.
pub const NONE: &str = "none";

/// Most steps one request may have; more is a batch job, not a request.
pub const MAX_STEPS: usize = 16;

/// The same for every request, so that a worker's prefix cache holds it.
pub const SYSTEM: &str = "The parts of a request are numbered. Write each part so that it can be read alone: one line a part, in their order. \
Copy all its words, names and values and add nothing new. Write the thing that is meant instead of \"it\", \"her\" or \"that\". \
Where words are left out because another part says them, say them again; where the verb is left out, say it.";

/// Worked examples: parts, lines.
const EXAMPLES: &[(&[&str], &[&str])] = &[
    (
        &["Make a queue named jobs in eu-central-1", "show the logs of pod api-1", "order a pizza"],
        &["Make a queue named jobs in eu-central-1", "Show the logs of pod api-1", "Order a pizza"],
    ),
    (
        &["new topic called alerts, encrypted please", "subscribe ops@acme.io to it"],
        &["New topic called alerts, encrypted please", "Subscribe ops@acme.io to the topic alerts"],
    ),
    (
        &["pause", "unload press-4, but leave the rolls in"],
        &["Pause press-4", "Unload press-4, but leave the rolls in"],
    ),
    (
        &["Register a supplier named Ann Lee, with the phone 555-1234 and the city Oslo", "pay her 30 euros"],
        &[
            "Register a supplier named Ann Lee, with the phone 555-1234 and the city Oslo",
            "Pay the supplier Ann Lee 30 euros",
        ],
    ),
    (
        &["Nokia: the dividends since 2020", "the last three headlines", "who is its boss?"],
        &["Nokia: the dividends since 2020", "The last three headlines of Nokia", "Who is the boss of Nokia?"],
    ),
    (
        &["Reserve the room blue for 12 people, no catering", "mail ann@acme.io about it, subject 'Room'"],
        &["Reserve the room blue for 12 people, no catering", "Mail ann@acme.io about the room blue, subject 'Room'"],
    ),
    (
        &["network 172.16.0.0/12", "a gateway with it, tagged team=ops"],
        &["Make a network 172.16.0.0/12", "Make a gateway with the network 172.16.0.0/12, tagged team=ops"],
    ),
    (
        &["Turn on heater h-7", "label the heater zone=b", "how warm is it there?"],
        &["Turn on heater h-7", "Label the heater h-7 zone=b", "How warm is it at heater h-7?"],
    ),
    (
        &["Upload a.txt and b.txt to the bucket docs, but only if they are new", "refund ch_9x"],
        &["Upload a.txt and b.txt to the bucket docs, but only if they are new", "Refund ch_9x"],
    ),
];

/// The worked examples as turns.
pub fn examples() -> Vec<Turn> {
    EXAMPLES.iter().map(|(parts, lines)| Turn { user: request(parts), assistant: lines.join("\n") }).collect()
}

/// The part that is new with each request.
pub fn request(wishes: &[&str]) -> String {
    let line =
        |(number, wish): (usize, &&str)| format!("{number}. {}", wish.split_whitespace().collect::<Vec<_>>().join(" "));
    (1..).zip(wishes).map(line).collect::<Vec<_>>().join("\n")
}

/// A Lark grammar of this many lines that are not empty.
pub fn grammar(lines: usize) -> String {
    format!("start: LINE{}\nLINE: /[^\\n\\s][^\\n]{{1,{MAX_LINE}}}/\n", " \"\\n\" LINE".repeat(lines.saturating_sub(1)))
}
