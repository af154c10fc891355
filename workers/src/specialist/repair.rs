//! Reads what the router found wrong with an earlier answer to this step, so that it is not said again.

use silverback_catalogue::Operation;
use silverback_proto::v1::Fault;

use super::Task;

/// Errors that are told to the model; the first ones are enough to see what is wrong.
const MAX_TOLD: usize = 5;
/// Longest sentence told, in characters: what a router sends must not fill the prompt.
const MAX_SENTENCE: usize = 300;

/// What was wrong with an operation's call.
pub struct Faults<'a> {
    faults: Vec<&'a Fault>,
}

// === impl Faults ===

impl<'a> Faults<'a> {
    /// Those of this operation; none when the step was not answered before.
    pub fn of(task: &'a Task, operation: &Operation) -> Self {
        let is_same = |fault: &&Fault| {
            (fault.provider.as_str(), fault.service.as_str(), fault.operation.as_str())
                == (operation.provider.as_str(), operation.service.as_str(), operation.name.as_str())
        };
        Self { faults: task.request.repair.iter().filter(is_same).collect() }
    }

    /// Was the operation refused as a whole, so that another must be found?
    pub fn is_refused(&self) -> bool {
        self.faults.iter().any(|fault| fault.pointer.is_empty())
    }

    /// Was what this parameter said refused?
    pub fn concern(&self, parameter: &str) -> bool {
        self.faults.iter().any(|fault| parameter_of(&fault.pointer) == parameter)
    }

    /// Sentences for the prompt; empty without faults.
    pub fn told(&self) -> String {
        let sentences = self.faults.iter().take(MAX_TOLD).map(|fault| {
            let message = fault.message.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
            format!("Wrong before: {} {}\n", fault.pointer, message.take(MAX_SENTENCE).collect::<String>())
        });
        sentences.collect()
    }
}

/// Name of the top-level parameter that a JSON pointer (RFC 6901) leads into.
fn parameter_of(pointer: &str) -> String {
    pointer.split('/').nth(1).unwrap_or_default().replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use silverback_catalogue::{Effect, Invocation};
    use silverback_proto::v1::AnswerRequest;
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn operation(name: &str) -> Operation {
        Operation {
            provider: "aws".into(),
            service: "ec2".into(),
            name: name.into(),
            summary: String::new(),
            words: Vec::new(),
            effect: Effect::Read,
            undo: None,
            invocation: Invocation::Command { words: Vec::new() },
            parameters: json!({"type": "object"}),
            result: json!(null),
            semantics: Default::default(),
            definitions: Default::default(),
        }
    }

    fn task(faults: &[(&str, &str)]) -> Task {
        let fault = |(pointer, message): &(&str, &str)| Fault {
            provider: "aws".into(),
            service: "ec2".into(),
            operation: "DescribeVpcs".into(),
            pointer: (*pointer).into(),
            code: "type".into(),
            message: (*message).into(),
        };
        let request = AnswerRequest { repair: faults.iter().map(fault).collect(), ..AnswerRequest::default() };
        Task { request, cancel: CancellationToken::new() }
    }

    #[test]
    fn a_fault_concerns_its_own_operation_and_parameter_alone() {
        let task = task(&[("/Filters/0/Na~1me", "must be a string"), ("/a~1b~0c", "x\u{1b}[2J")]);
        let faults = Faults::of(&task, &operation("DescribeVpcs"));
        assert!(faults.concern("Filters") && faults.concern("a/b~c") && !faults.concern("MaxResults"));
        assert!(!faults.is_refused());
        assert_eq!(faults.told(), "Wrong before: /Filters/0/Na~1me must be a string\nWrong before: /a~1b~0c x [2J\n");
        let others = Faults::of(&task, &operation("CreateVpc"));
        assert!(!others.concern("Filters") && others.told().is_empty());
    }

    #[test]
    fn a_fault_without_a_place_refuses_the_operation() {
        let task = task(&[("", "aws has no operation ec2 DescribeVpcs")]);
        assert!(Faults::of(&task, &operation("DescribeVpcs")).is_refused());
        assert!(!Faults::of(&task, &operation("CreateVpc")).is_refused());
    }
}
