//! Notices what a step says and its call does not: nothing that a person names or excepts is dropped in silence.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use silverback_catalogue::operation::{Effect, Operation};

use crate::evidence::{Evidence, Place, Span};
use crate::grounding::GroundedCall;
use crate::words;

/// Words that take something out of what was said before, and what they take out.
static EXCEPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:except(?:\s+for)?|excluding|but\s+not|other\s+than|apart\s+from|all\s+but)\s+(?P<what>.+?)(?:[,;.!?](?:\s|$)|$)")
        .expect("the pattern is fixed")
});

/// What a finished call leaves out of its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// An exception, e.g. `except the logs`: the call would do more than was asked.
    Exception(String),
    /// A value that can be nothing but a value, e.g. an id or a path.
    Value(String),
    /// The call changes something, says nothing of the step, and the step does not even name what it makes.
    Everything,
}

/// The first thing of the step that the call leaves out, the most dangerous first.
pub fn leftover(operation: &Operation, call: &GroundedCall, evidence: &Evidence) -> Option<Leftover> {
    let arguments = serde_json::Value::Object(call.kept.clone());
    if call.kept.is_empty() && operation.effect_of(&arguments) != Effect::Read && !is_named(operation, evidence) {
        return Some(Leftover::Everything);
    }
    let step = evidence.step_text();
    let is_said = |range: &Range<usize>| {
        let mut spoken = call.proofs.iter().filter(|proof| proof.start < proof.end);
        spoken.any(|proof| proof.start < range.end && range.start < proof.end)
    };
    let exceptions = EXCEPTION.captures_iter(step).filter_map(|captures| {
        let what = captures.name("what")?.range();
        (!is_said(&what)).then(|| captures.get(0).map(|whole| step[whole.start()..what.end].to_owned()))?
    });
    let said = arguments.to_string();
    let is_placed = |span: &&Span| {
        is_said(&(span.start..span.end))
            || said.contains(&span.text)
            || evidence.session().iter().any(|referent| referent.name == span.text)
    };
    let values = evidence.spans().filter(|span| span.place == Place::Step && span.is_plainly_a_value());
    let values = values.filter(|span| !is_placed(span)).map(|span| Leftover::Value(span.text.clone()));
    exceptions.map(Leftover::Exception).chain(values).next()
}

/// Does the step name what the operation works on: the last word of its name, which is the thing?
fn is_named(operation: &Operation, evidence: &Evidence) -> bool {
    let said: Vec<String> = words::split(evidence.step_text()).into_iter().map(|word| word.stem).collect();
    let name = words::split_identifier(&operation.name);
    let things = name.get(1..).unwrap_or_default();
    // A verb alone ("Decrypt") names no thing.
    things.last().is_some_and(|word| said.contains(&words::stem(word)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::grounding::ground_arguments;
    use crate::testing::{evidence, operation};

    fn left(key: &str, effect: Effect, text: &str, arguments: Value) -> Option<Leftover> {
        let property = |name: &String| (name.clone(), json!({ "type": "string", "description": name }));
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let properties: Map<String, Value> = arguments.keys().map(property).collect();
        let mut operation = operation(key, json!({ "type": "object", "properties": properties }));
        operation.effect = effect;
        let evidence = evidence(text);
        leftover(&operation, &ground_arguments(&operation, &arguments, &evidence), &evidence)
    }

    #[test]
    fn an_exception_without_a_place_is_left_over() {
        let copy = |text, arguments| left("aws/s3/cp", Effect::Idempotent, text, arguments);
        let both = json!({ "source": "s3://raw", "destination": "s3://clean" });
        let text = "Copy everything from s3://raw to s3://clean except the logs";
        assert_eq!(copy(text, both.clone()), Some(Leftover::Exception("except the logs".into())));
        assert_eq!(copy("Copy everything from s3://raw to s3://clean", both), None);
    }

    #[test]
    fn a_plain_value_without_a_place_is_left_over() {
        let text = "Stop i-0abc123 in arn:aws:ecs:eu-west-1:1:cluster/x";
        let stop = left("aws/ec2/StopInstance", Effect::Idempotent, text, json!({ "instance_id": "i-0abc123" }));
        assert_eq!(stop, Some(Leftover::Value("arn:aws:ecs:eu-west-1:1:cluster/x".into())));
    }

    #[test]
    fn a_change_without_arguments_must_be_named() {
        let bare = |effect, name, text| left(&format!("aws/ec2/{name}"), effect, text, json!({}));
        let create = |text| bare(Effect::Irreversible, "CreateInternetGateway", text);
        assert_eq!(create("Create an internet gateway"), None);
        assert_eq!(create("Make it public"), Some(Leftover::Everything));
        assert_eq!(bare(Effect::Read, "DescribeInstances", "which machines run"), None);
    }
}
