use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Effect, Evidence, EvidenceSource, Invocation, Plan, Reference, references};

fn step(number: usize, after: &[usize]) -> Step {
    Step {
        id: StepId::nth(number - 1),
        capability: "aws".into(),
        text: format!("text of s{number}"),
        after: after.iter().map(|number| StepId::nth(number - 1)).collect(),
    }
}

fn call(id: &str, operation: &str, effect: Effect, arguments: Value) -> Call {
    Call {
        id: id.parse().unwrap(),
        step: StepId::nth(0),
        provider: "aws".into(),
        service: "ec2".into(),
        operation: operation.into(),
        arguments: arguments.as_object().unwrap().clone(),
        effect,
        undo: None,
        after: Vec::new(),
        invocation: Invocation::Command(vec!["aws".into()]),
        evidence: Vec::new(),
        catalogue: String::new(),
    }
}

fn read(id: &str, arguments: Value) -> Call {
    call(id, "Describe", Effect::Read, arguments)
}

fn write(id: &str, arguments: Value) -> Call {
    call(id, "Create", Effect::Irreversible, arguments)
}

fn answers<const N: usize>(given: [(usize, Vec<Call>); N]) -> BTreeMap<StepId, Answer> {
    given.into_iter().map(|(number, calls)| (StepId::nth(number - 1), Answer { calls, ..Answer::default() })).collect()
}

fn reference(call: &str) -> Value {
    json!({"$ref": call, "path": "Vpc.VpcId"})
}

fn after(merged: &Merged, place: usize) -> Vec<String> {
    merged.calls[place].after.iter().map(ToString::to_string).collect()
}

fn codes(merged: &Merged) -> Vec<&str> {
    merged.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

#[test]
fn calls_are_numbered_anew_in_step_order_and_references_follow() {
    let mut subnet = write("c1", json!({"VpcId": reference("s1-c1"), "CidrBlock": "10.0.1.0/24"}));
    let source = EvidenceSource::Call;
    let argument = "/VpcId".to_owned();
    subnet.evidence =
        vec![Evidence { argument, source, start: 0, end: 0, text: "s1-c1".into(), resolver: String::new() }];
    let steps = [step(1, &[3]), step(2, &[1]), step(3, &[])];
    let merged = merge(
        &steps,
        answers([(2, vec![subnet]), (1, vec![write("c1", json!({}))]), (3, vec![read("c1", json!({}))])]),
    );
    let order: Vec<_> = merged.calls.iter().map(|call| (call.id.to_string(), call.step.to_string())).collect();
    assert_eq!(
        order,
        [("c1", "s3"), ("c2", "s1"), ("c3", "s2")].map(|(call, step)| (call.to_owned(), step.to_owned()))
    );
    assert_eq!(merged.calls[2].arguments["VpcId"], reference("c2"));
    assert_eq!(merged.calls[2].evidence[0].text, "c2");
    assert_eq!(after(&merged, 1), ["c1"]);
    assert_eq!(after(&merged, 2), ["c2"]);
    assert!(merged.diagnostics.is_empty() && merged.unanswered.is_empty());
}

#[test]
fn a_reference_within_an_answer_is_an_edge() {
    let vpc = write("c1", json!({"CidrBlock": "10.0.0.0/16"}));
    let subnet = write("c2", json!({"VpcId": reference("c1")}));
    let other = write("c3", json!({}));
    let merged = merge(&[step(1, &[])], answers([(1, vec![subnet, other, vpc])]));
    assert_eq!(after(&merged, 1), ["c1"]);
    assert!(after(&merged, 2).is_empty(), "calls of one step are independent unless said otherwise");
}

#[test]
fn a_step_without_calls_passes_its_order_on() {
    let steps = [step(1, &[]), step(2, &[1]), step(3, &[2])];
    let merged = merge(&steps, answers([(1, vec![write("c1", json!({}))]), (3, vec![read("c1", json!({}))])]));
    assert_eq!(after(&merged, 1), ["c1"]);
}

#[test]
fn a_dangling_reference_drops_the_call_and_its_dependents() {
    let calls = vec![
        write("c1", json!({"VpcId": reference("s1-c1")})),
        write("c2", json!({"X": reference("c1")})),
        read("c3", json!({})),
    ];
    let merged = merge(&[step(1, &[]), step(2, &[1])], answers([(2, calls)]));
    assert_eq!(codes(&merged), ["dangling-reference"; 2]);
    assert_eq!(merged.calls.len(), 1);
    assert_eq!(merged.unanswered.len(), 2);
    assert_eq!(merged.unanswered[0].text, "text of s2");
    assert!(merged.unanswered[0].reason.contains("/VpcId refers to s1-c1"), "{}", merged.unanswered[0].reason);
}

#[test]
fn a_misshapen_reference_drops_the_call() {
    let merged = merge(&[step(1, &[])], answers([(1, vec![write("c1", json!({"VpcId": {"$ref": "the vpc"}}))])]));
    assert_eq!(codes(&merged), ["dangling-reference"]);
    assert!(merged.calls.is_empty());
}

#[test]
fn a_circle_is_dropped_and_the_rest_stays() {
    let one = write("c1", json!({"X": reference("c2")}));
    let two = write("c2", json!({"X": reference("c1")}));
    let behind = write("c3", json!({"X": reference("c2")}));
    let merged = merge(&[step(1, &[])], answers([(1, vec![one, two, behind, read("c4", json!({}))])]));
    assert_eq!(merged.calls.len(), 1);
    assert_eq!(codes(&merged), ["cycle", "cycle", "dangling-reference"]);
}

#[test]
fn an_unknown_order_is_noted_and_the_call_stays() {
    let mut late = write("c1", json!({}));
    late.after = vec!["c9".parse().unwrap()];
    let merged = merge(&[step(1, &[])], answers([(1, vec![late])]));
    assert_eq!(codes(&merged), ["unknown-order"]);
    assert_eq!(merged.calls.len(), 1);
}

#[test]
fn ids_used_twice_or_beyond_the_limit_are_dropped() {
    let merged = merge(&[step(1, &[])], answers([(1, vec![read("c1", json!({})), read("c1", json!({"x": 1}))])]));
    assert_eq!(codes(&merged), ["duplicate-id"]);
    let many = (0..=MAX_CALLS).map(|place| write(&format!("c{}", place + 1), json!({ "x": place }))).collect();
    let merged = merge(&[step(1, &[])], answers([(1, many)]));
    assert_eq!(codes(&merged), ["too-many-calls"]);
    assert_eq!(merged.calls.len(), MAX_CALLS);
}

#[test]
fn the_same_read_is_made_once() {
    let steps = [step(1, &[]), step(2, &[]), step(3, &[2])];
    let user = read("c1", json!({"Vpc": reference("s2-c1")}));
    let merged = merge(
        &steps,
        answers([(1, vec![read("c1", json!({"a": 1}))]), (2, vec![read("c1", json!({"a": 1}))]), (3, vec![user])]),
    );
    assert_eq!(codes(&merged), ["duplicate-call"]);
    assert_eq!(merged.diagnostics[0].severity, Severity::Note);
    assert_eq!(merged.calls.len(), 2);
    assert_eq!(merged.calls[1].arguments["Vpc"], reference("c1"));
    assert_eq!(after(&merged, 1), ["c1"]);
}

#[test]
fn a_read_before_and_after_a_write_is_made_twice() {
    let steps = [step(1, &[]), step(2, &[1]), step(3, &[2])];
    let look = || vec![read("c1", json!({"a": 1}))];
    let merged = merge(&steps, answers([(1, look()), (2, vec![write("c1", json!({}))]), (3, look())]));
    assert_eq!(merged.calls.len(), 3);
    assert!(merged.diagnostics.is_empty());
}

#[test]
fn the_same_write_twice_is_kept_with_a_warning() {
    let create = || vec![write("c1", json!({"Bucket": "logs"}))];
    let merged = merge(&[step(1, &[]), step(2, &[])], answers([(1, create()), (2, create())]));
    assert_eq!(merged.calls.len(), 2);
    assert_eq!(codes(&merged), ["duplicate-call"]);
    assert_eq!(merged.diagnostics[0].severity, Severity::Warning);
    assert_eq!(merged.diagnostics[0].about, ["c1", "c2"]);
}

#[test]
fn two_writers_on_one_resource_get_an_order() {
    let stop = call("c1", "StopInstances", Effect::Idempotent, json!({"InstanceIds": ["i-1", "i-2"]}));
    let end = call("c1", "TerminateInstances", Effect::Irreversible, json!({"InstanceIds": ["i-2"]}));
    let merged = merge(&[step(1, &[]), step(2, &[])], answers([(1, vec![stop]), (2, vec![end])]));
    assert_eq!(codes(&merged), ["two-writers"]);
    assert_eq!(after(&merged, 1), ["c1"]);
}

#[test]
fn the_same_name_of_another_kind_is_another_resource() {
    let scale =
        |resource: &str| vec![call("c1", resource, Effect::Idempotent, json!({"resource": resource, "name": "web"}))];
    let merged = merge(&[step(1, &[]), step(2, &[])], answers([(1, scale("deployment")), (2, scale("service"))]));
    assert!(merged.diagnostics.is_empty());
    assert!(after(&merged, 1).is_empty());
}

#[test]
fn steps_that_are_no_graph_are_named_and_their_calls_stay() {
    let steps = [step(1, &[2]), step(2, &[1, 7])];
    let merged = merge(&steps, answers([(1, vec![write("c1", json!({}))])]));
    assert_eq!(codes(&merged), ["invalid-steps"; 2]);
    assert_eq!(merged.calls.len(), 1);
}

#[test]
fn the_hash_covers_calls_and_not_usage() {
    let steps = vec![step(1, &[])];
    let seal = |argument: &str| {
        Plan::seal(steps.clone(), merge(&steps, answers([(1, vec![write("c1", json!({ "x": argument }))])])))
    };
    let (one, mut same, other) = (seal("a"), seal("a"), seal("b"));
    same.usage.total_ms = 5.0;
    assert_eq!((&one.id, &one.hash), (&same.id, &same.hash));
    assert_ne!(one.hash, other.hash);
    assert!(one.hash.starts_with("sha256:") && one.id.starts_with("p_"));
}

/// Answers with random references, repeated reads and shared buckets.
fn arbitrary_answers() -> impl Strategy<Value = (Vec<Step>, BTreeMap<StepId, Answer>)> {
    let one =
        (any::<bool>(), 0..3u8, prop::option::of((1..6usize, 1..4usize)), prop::option::of((1..6usize, 1..4usize)));
    let answer = prop::collection::vec(one, 0..4);
    let step_edges = prop::collection::vec((1..6usize, 1..6usize), 0..6);
    (prop::collection::vec(answer, 5), step_edges).prop_map(|(given, edges)| {
        let edges_of = |number| edges.iter().filter(move |edge| edge.0 == number).map(|edge| edge.1);
        let steps = (1..=5).map(|number| step(number, &edges_of(number).collect::<Vec<_>>())).collect();
        let answers = given.into_iter().enumerate().map(|(place, calls)| {
            let calls = calls.into_iter().enumerate().map(|(number, (is_read, bucket, refers, waits))| {
                let mut arguments = json!({ "Bucket": format!("b{bucket}") });
                if let Some((step, call)) = refers {
                    arguments["X"] = reference(&format!("s{step}-c{call}"));
                }
                let id = format!("c{}", number + 1);
                let mut call = if is_read { read(&id, arguments) } else { write(&id, arguments) };
                call.after =
                    waits.map(|(step, call)| format!("s{step}-c{call}").parse().unwrap()).into_iter().collect();
                call
            });
            (StepId::nth(place), Answer { calls: calls.collect(), ..Answer::default() })
        });
        (steps, answers.collect())
    })
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_who_came_first(
        (steps, answers) in arbitrary_answers(),
        shuffled in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let other_steps: Vec<_> = shuffled.iter().map(|&place| steps[place].clone()).collect();
        let mut other_answers = answers.clone();
        other_answers.values_mut().for_each(|answer| answer.calls.reverse());
        prop_assert_eq!(Plan::seal(steps.clone(), merge(&steps, answers)), Plan::seal(other_steps.clone(), merge(&other_steps, other_answers)));
    }

    #[test]
    fn a_merged_plan_can_run_in_its_order((steps, answers) in arbitrary_answers()) {
        let asked: usize = answers.values().map(|answer| answer.calls.len()).sum();
        let merged = merge(&steps, answers);
        let mut done = BTreeSet::new();
        for (place, call) in merged.calls.iter().enumerate() {
            prop_assert_eq!(call.id, CallId::nth(place));
            prop_assert!(call.after.iter().all(|after| done.contains(after)));
            for (_, Reference { call: referred, .. }) in references(&call.arguments).unwrap() {
                prop_assert!(call.after.contains(&referred), "a reference without an edge");
            }
            done.insert(call.id);
        }
        let folded = merged.diagnostics.iter().filter(|found| found.code == "duplicate-call" && found.severity == Severity::Note).count();
        prop_assert_eq!(merged.calls.len() + merged.unanswered.len() + folded, asked, "a call vanished without a word");
    }

    #[test]
    fn merging_a_merged_plan_changes_nothing((steps, answers) in arbitrary_answers()) {
        // One answer holds all, so that every name stays; the order between its calls is their `after`.
        let first = merge(&steps, answers);
        prop_assume!(first.calls.len() <= MAX_CALLS);
        let whole = BTreeMap::from([(StepId::nth(0), Answer { calls: first.calls.clone(), ..Answer::default() })]);
        let again = merge(&[step(1, &[])], whole);
        let of_first = first.calls.into_iter().map(|call| Call { step: StepId::nth(0), ..call }).collect::<Vec<_>>();
        prop_assert_eq!(again.calls, of_first);
        prop_assert!(again.unanswered.is_empty());
    }

    #[test]
    fn a_plan_document_reads_back_and_crosses_the_wire((steps, answers) in arbitrary_answers()) {
        let plan = Plan::seal(steps.clone(), merge(&steps, answers));
        let document = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Plan>(&document).unwrap(), &plan);
        let wire = silverback_proto::v1::Plan::from(plan.clone());
        prop_assert_eq!(Plan::try_from(wire).unwrap(), plan);
    }
}
