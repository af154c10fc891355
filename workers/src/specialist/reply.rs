//! Puts a judged proposal into the words of the contract.

use serde_json::Value;
use silverback_catalogue::{
    Catalogue, Effect, Operation,
    command::{self, Rendered},
};
use silverback_decoding::{Leftover, Proof, Source, question_for};
use silverback_proto::v1::{self, evidence};

use super::{Outcome, Task, judge::Proposal};

/// The question for what nobody gave.
pub fn needs_input(proposal: &Proposal) -> Outcome {
    let operation = &proposal.operation;
    Outcome::NeedsInput(v1::NeedsInput {
        question: question_for(operation, &proposal.grounded.missing),
        provider: operation.provider.clone(),
        service: operation.service.clone(),
        operation: operation.name.clone(),
        parameters: proposal.grounded.missing.clone(),
    })
}

/// The reason for a call that would leave out what the step says.
pub fn left_over(operation: &Operation, left: &Leftover) -> Outcome {
    let best = format!("the best call, {}, ", operation.name);
    let reason = match left {
        Leftover::Exception(words) => format!("{best}cannot say \"{words}\": say it as a pattern, a name or a label"),
        Leftover::Value(text) => format!("{best}has no place for \"{text}\": say it another way"),
        Leftover::Everything => {
            format!("{best}would change something that the request does not name: say more exactly what")
        }
    };
    Outcome::Refused(v1::Refused { reason })
}

/// The finished calls, numbered from `c1` as a specialist's own.
pub fn calls(catalogue: &Catalogue, proposals: &[Proposal], task: &Task) -> Outcome {
    let numbered = (1..).zip(proposals).map(|(number, proposal)| call(catalogue, proposal, number, task));
    Outcome::Calls(numbered.collect())
}

fn call(catalogue: &Catalogue, proposal: &Proposal, number: usize, task: &Task) -> v1::Call {
    let operation = &proposal.operation;
    let arguments = Value::Object(proposal.grounded.kept.clone());
    let (command, http, mcp) = match command::render(operation, &arguments) {
        Rendered::Command(words) => (words, None, None),
        Rendered::Mcp { server, tool } => (Vec::new(), None, Some(v1::McpTool { server, tool })),
        Rendered::Http(parts) => {
            let headers = parts.headers.into_iter().collect();
            let http = v1::HttpRequest { method: parts.method, url: parts.url, headers, body: parts.body };
            (Vec::new(), Some(http), None)
        }
    };
    let mut after: Vec<String> = proposal
        .grounded
        .proofs
        .iter()
        .filter(|proof| proof.source == Source::Call)
        .map(|proof| proof.text.clone())
        .collect();
    after.sort();
    after.dedup();
    let pack = &catalogue.packs()[proposal.reference.pack as usize];
    v1::Call {
        id: format!("c{number}"),
        step: task.request.step.as_ref().map(|step| step.id.clone()).unwrap_or_default(),
        provider: operation.provider.clone(),
        service: operation.service.clone(),
        operation: operation.name.clone(),
        arguments_json: arguments.to_string(),
        effect: effect(operation.effect_of(&arguments)).into(),
        undo: operation.undo.clone().unwrap_or_default(),
        after,
        command,
        http,
        mcp,
        evidence: proposal.grounded.proofs.iter().map(evidence_of).collect(),
        catalogue: pack.digest(),
    }
}

fn effect(effect: Effect) -> v1::Effect {
    match effect {
        Effect::Read => v1::Effect::Read,
        Effect::Idempotent => v1::Effect::Idempotent,
        Effect::Keyed => v1::Effect::Keyed,
        Effect::Irreversible => v1::Effect::Irreversible,
    }
}

pub(crate) fn evidence_of(proof: &Proof) -> v1::Evidence {
    let source = match proof.source {
        Source::Request => evidence::Source::Request,
        Source::Session => evidence::Source::Session,
        Source::Call => evidence::Source::Call,
        Source::Resolver => evidence::Source::Resolver,
        Source::Schema => evidence::Source::Schema,
    };
    v1::Evidence {
        argument: proof.pointer.clone(),
        source: source.into(),
        start: proof.start as u32,
        end: proof.end as u32,
        text: proof.text.clone(),
        resolver: proof.resolver.clone(),
    }
}
