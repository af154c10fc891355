//! Holds a plan against a case.

use serde::Serialize;
use serde_json::Value;
use silverback_graph::{Call, Plan};

use super::case::{Case, ExpectedCall};

/// How one plan did.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// The case.
    pub id: String,
    /// Vendor of its first expected call; `none` without one.
    pub provider: String,
    /// The right operations, no more and no fewer; for a refusal: no call at all.
    pub operation_right: bool,
    /// All of it right: operations, arguments, references, order, questions.
    pub exact: bool,
    /// What was counted.
    pub counts: Counts,
    /// Whether refusing was right; `None` where neither was expected nor done.
    pub refusal: Option<Refusal>,
    /// Milliseconds from request to plan.
    pub total_ms: f64,
    /// What was wrong, for people; empty when `exact`.
    pub problems: Vec<String>,
}

/// What is counted in a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Calls of the right operation: how a request was split.
    pub nodes: Tally,
    /// References from one call to another.
    pub edges: Tally,
    /// Argument values.
    pub arguments: Tally,
    /// References that point where they should, and how many were expected.
    pub references: (usize, usize),
    /// Argument values that the case does not accept.
    pub wrong_values: usize,
    /// Those of them that nothing in the request supports.
    pub invented_values: usize,
    /// Operations and arguments that no catalogue has.
    pub invented_names: usize,
    /// Orders in quoted text that were obeyed.
    pub obeyed: usize,
}

/// What was right, said and wanted: precision is right of said, recall right of wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Right ones.
    pub right: usize,
    /// All that were said.
    pub said: usize,
    /// All that were wanted.
    pub wanted: usize,
}

/// Whether it was right to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Nobody could serve it, and that was said.
    Right,
    /// It could be served and was not, nor was anything asked.
    False,
    /// Nobody could serve it, and something was called.
    Missed,
}

/// Scores one plan.
pub fn score(case: &Case, plan: &Plan) -> Score {
    let pairs = pair(case, &plan.calls);
    let provider = case.expect.calls.first().and_then(|call| call.provider.clone());
    let mut score = Score {
        id: case.id.clone(),
        provider: provider.unwrap_or_else(|| "none".to_owned()),
        operation_right: pairs.iter().all(Option::is_some) && plan.calls.len() == case.expect.calls.len(),
        exact: false,
        counts: Counts::default(),
        refusal: refusal(case, plan),
        total_ms: plan.usage.total_ms,
        problems: Vec::new(),
    };
    score.counts.nodes =
        Tally { right: pairs.iter().flatten().count(), said: plan.calls.len(), wanted: case.expect.calls.len() };
    score.counts.edges = edges(case, plan, &pairs);
    for (expected, found) in case.expect.calls.iter().zip(&pairs) {
        match found {
            Some(index) => compare(case, plan, (expected, &plan.calls[*index], &pairs), &mut score),
            None => score.miss(expected),
        }
    }
    for (index, call) in plan.calls.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            score.exceed(case, call);
        }
    }
    if !case.expect.unordered && pairs.iter().flatten().collect::<Vec<_>>().windows(2).any(|pair| pair[0] > pair[1]) {
        score.problems.push("the calls are in another order".to_owned());
    }
    check_questions(case, plan, &mut score);
    score.exact = score.problems.is_empty();
    score
}

// === impl Score ===

impl Score {
    /// A call that is not there: its arguments are missing too.
    fn miss(&mut self, expected: &ExpectedCall) {
        self.counts.arguments.wanted += expected.arguments.values().filter(|accepted| is_wanted(accepted)).count();
        self.problems.push(format!("no call of {}", expected.operation));
    }

    /// A call that nobody asked for.
    fn exceed(&mut self, case: &Case, call: &Call) {
        self.counts.arguments.said += call.arguments.len();
        self.counts.obeyed += usize::from(case.expect.never.contains(&call.operation));
        let arguments = Value::Object(call.arguments.clone());
        self.problems.push(format!("a call of {} {arguments} too many", call.operation));
    }

    fn note_wrong(&mut self, case: &Case, call: &Call, name: &str, value: &Value) {
        self.counts.wrong_values += 1;
        self.counts.invented_values += usize::from(is_invented(case, call, name, value));
    }
}

fn refusal(case: &Case, plan: &Plan) -> Option<Refusal> {
    let is_asked = plan.unanswered.iter().any(|rest| rest.question.is_some());
    match (case.expect.calls.is_empty(), plan.calls.is_empty()) {
        (true, true) if case.expect.none => Some(Refusal::Right),
        (true, false) if case.expect.none => Some(Refusal::Missed),
        (false, true) if !is_asked => Some(Refusal::False),
        _ => None,
    }
}

/// Must it be said?
fn is_wanted(accepted: &[Value]) -> bool {
    accepted.iter().all(|value| value != "")
}

/// Nothing that the call itself gives as evidence stands in the request, nor does the value.
fn is_invented(case: &Case, call: &Call, name: &str, value: &Value) -> bool {
    let prompt = case.prompt.to_lowercase();
    let is_said = |text: &str| !text.is_empty() && prompt.contains(&text.to_lowercase());
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let own = call.evidence.iter().filter(|one| one.argument.starts_with(&pointer));
    let literal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.get("$ref").is_none() && !is_said(&literal) && !own.map(|one| one.text.as_str()).any(is_said)
}

/// Pairs of calls of which the later one refers to the earlier.
fn edges(case: &Case, plan: &Plan, pairs: &[Option<usize>]) -> Tally {
    let mut wanted = Vec::new();
    for (later, call) in case.expect.calls.iter().enumerate() {
        for earlier in call.arguments.values().flatten().flat_map(targets) {
            let number = earlier.trim_start_matches('c').parse::<usize>().unwrap_or(0);
            let edge = (number.checked_sub(1).and_then(|at| pairs.get(at).copied().flatten()), pairs[later]);
            if !wanted.iter().any(|(known, _)| *known == (number, later)) {
                wanted.push(((number, later), edge));
            }
        }
    }
    let mut said = Vec::new();
    for (later, call) in plan.calls.iter().enumerate() {
        for earlier in call.arguments.values().flat_map(targets) {
            let at = plan.calls.iter().position(|call| call.id.to_string() == earlier);
            if !said.contains(&(at, Some(later))) {
                said.push((at, Some(later)));
            }
        }
    }
    let right = wanted.iter().filter(|(_, edge)| edge.0.is_some() && edge.1.is_some() && said.contains(edge)).count();
    Tally { right, said: said.len(), wanted: wanted.len() }
}

/// Calls that a value refers to, anywhere in it.
fn targets(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
            Some(target) => vec![target.to_owned()],
            None => members.values().flat_map(targets).collect(),
        },
        Value::Array(items) => items.iter().flat_map(targets).collect(),
        _ => Vec::new(),
    }
}

/// For each expected call the index of the one that is meant: same operation, most values right.
fn pair(case: &Case, calls: &[Call]) -> Vec<Option<usize>> {
    let mut taken = vec![false; calls.len()];
    let mut pairs = Vec::new();
    for expected in &case.expect.calls {
        let is_meant = |call: &Call| {
            call.operation == expected.operation
                && expected.provider.as_ref().is_none_or(|provider| *provider == call.provider)
        };
        let right = |call: &Call| {
            let accepts = |(name, value): (&String, &Value)| {
                expected.arguments.get(name).is_some_and(|accepted| accepted.contains(value))
            };
            call.arguments.iter().filter(|argument| accepts(*argument)).count()
        };
        let open = calls.iter().enumerate().filter(|(index, call)| !taken[*index] && is_meant(call));
        // The first of equally good ones: `max_by_key` would take the last.
        let best = open.rev().max_by_key(|(_, call)| right(call)).map(|(index, _)| index);
        if let Some(index) = best {
            taken[index] = true;
        }
        pairs.push(best);
    }
    pairs
}

fn compare(
    case: &Case,
    plan: &Plan,
    (expected, call, pairs): (&ExpectedCall, &Call, &[Option<usize>]),
    score: &mut Score,
) {
    score.counts.arguments.said += call.arguments.len();
    for (name, accepted) in &expected.arguments {
        let is_reference = accepted.iter().any(|value| value.get("$ref").is_some());
        let value = call.arguments.get(name);
        // What may be left out counts only where it was said.
        score.counts.arguments.wanted += usize::from(is_wanted(accepted) || value.is_some());
        score.counts.references.1 += usize::from(is_reference);
        match value {
            None if is_wanted(accepted) => score.problems.push(format!("{}: {name} is missing", call.operation)),
            None => {}
            Some(value) if accepted.iter().any(|accepted| is_same(case, plan, pairs, (accepted, value))) => {
                score.counts.arguments.right += 1;
                score.counts.references.0 += usize::from(is_reference);
            }
            Some(value) => {
                score.note_wrong(case, call, name, value);
                score.problems.push(format!("{}: {name} is {value}", call.operation));
            }
        }
    }
    for (name, value) in &call.arguments {
        if !expected.arguments.contains_key(name) {
            score.note_wrong(case, call, name, value);
            score.problems.push(format!("{}: {name} {value} was not asked for", call.operation));
        }
    }
}

/// References are the same when they point at the same place of the same call, whatever its number.
fn is_same(case: &Case, plan: &Plan, pairs: &[Option<usize>], (accepted, value): (&Value, &Value)) -> bool {
    let (Some(wanted), Some(found)) =
        (accepted.get("$ref").and_then(Value::as_str), value.get("$ref").and_then(Value::as_str))
    else {
        return accepted == value;
    };
    let number = wanted.trim_start_matches('c').parse::<usize>().unwrap_or(0);
    let expected = (1..=case.expect.calls.len()).contains(&number).then(|| pairs[number - 1]).flatten();
    let target = plan.calls.iter().position(|call| call.id.to_string() == found);
    target.is_some() && target == expected && accepted.get("path") == value.get("path")
}

fn check_questions(case: &Case, plan: &Plan, score: &mut Score) {
    let expects_rest = case.expect.none || !case.expect.needs_input.is_empty();
    if case.expect.none && plan.unanswered.is_empty() {
        score.problems.push("it was not refused".to_owned());
    }
    if !case.expect.needs_input.is_empty() && plan.unanswered.iter().all(|rest| rest.question.is_none()) {
        score.problems.push(format!("nobody is asked for {}", case.expect.needs_input.join(", ")));
    }
    if !expects_rest {
        for rest in &plan.unanswered {
            score.problems.push(format!(
                "unanswered: {:?}: {}",
                rest.text,
                rest.question.as_ref().unwrap_or(&rest.reason)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use silverback_graph::CallId;

    use super::*;
    use crate::eval::case;

    fn plan(calls: Value, unanswered: Value) -> Plan {
        let call = |(index, call): (usize, &Value)| {
            json!({"id": CallId::nth(index), "step": "s1", "provider": "aws", "service": "ec2", "operation": call["operation"],
                   "arguments": call["arguments"], "effect": "read", "after": [], "command": ["aws"], "evidence": [], "catalogue": ""})
        };
        let calls: Vec<Value> = calls.as_array().unwrap().iter().enumerate().map(call).collect();
        serde_json::from_value(json!({"plan": "p_1", "hash": "", "steps": [], "calls": calls, "unanswered": unanswered,
            "diagnostics": [], "usage": {}}))
        .unwrap()
    }

    fn case(expect: Value) -> Case {
        case::read(&json!({"id": "x", "prompt": "p", "expect": expect}).to_string()).unwrap().remove(0)
    }

    fn vpc() -> (Case, Value) {
        let case = case(json!({"calls": [
            {"operation": "CreateVpc", "arguments": {"CidrBlock": ["10.0.0.0/16"]}},
            {"operation": "CreateSubnet", "arguments": {"VpcId": [{"$ref": "c1", "path": "Vpc.VpcId"}], "Tag": ["", "a"]}}]}));
        let calls = json!([
            {"operation": "CreateVpc", "arguments": {"CidrBlock": "10.0.0.0/16"}},
            {"operation": "CreateSubnet", "arguments": {"VpcId": {"$ref": "c1", "path": "Vpc.VpcId"}}}]);
        (case, calls)
    }

    #[test]
    fn the_truth_scores_full() {
        let (case, calls) = vpc();
        let score = score(&case, &plan(calls, json!([])));
        assert!(score.exact && score.operation_right, "{:?}", score.problems);
        assert_eq!(score.counts.references, (1, 1));
        let all = |count| Tally { right: count, said: count, wanted: count };
        assert_eq!((score.counts.nodes, score.counts.edges, score.counts.arguments), (all(2), all(1), all(2)));
    }

    #[test]
    fn each_fault_is_found() {
        let (case, calls) = vpc();
        let fault = |change: fn(&mut Value)| {
            let mut calls = calls.clone();
            change(&mut calls);
            score(&case, &plan(calls, json!([])))
        };
        assert_eq!(fault(|calls| calls[0]["arguments"]["CidrBlock"] = json!("10.0.0.0/8")).counts.wrong_values, 1);
        assert_eq!(
            fault(|calls| calls[1]["arguments"]["VpcId"]["path"] = json!("Vpc.OwnerId")).counts.references,
            (0, 1)
        );
        assert!(!fault(|calls| calls[1]["arguments"]["DryRun"] = json!(true)).exact);
        assert!(!fault(|calls| calls[1]["operation"] = json!("CreateVolume")).operation_right);
        assert!(!fault(|calls| calls.as_array_mut().unwrap().reverse()).exact);
        assert!(!score(&case, &plan(calls.clone(), json!([{"text": "t", "reason": "r"}]))).exact);
    }

    #[test]
    fn a_refusal_is_right_only_without_calls() {
        let case = case(json!({"none": true}));
        assert!(score(&case, &plan(json!([]), json!([{"text": "t", "reason": "r"}]))).exact);
        assert!(!score(&case, &plan(json!([]), json!([]))).exact);
        let call = json!([{"operation": "CreateVpc", "arguments": {}}]);
        assert!(!score(&case, &plan(call, json!([{"text": "t", "reason": "r"}]))).exact);
    }

    #[test]
    fn a_wrong_value_is_invented_when_nothing_said_it() {
        let (mut case, mut calls) = vpc();
        case.prompt = "a VPC of 10.0.0.0/8".to_owned();
        calls[0]["arguments"]["CidrBlock"] = json!("10.0.0.0/8");
        calls[1]["arguments"]["AvailabilityZone"] = json!("eu-west-1a");
        let counts = score(&case, &plan(calls, json!([]))).counts;
        assert_eq!((counts.wrong_values, counts.invented_values), (2, 1));
        assert_eq!(counts.arguments, Tally { right: 1, said: 3, wanted: 2 });
    }

    #[test]
    fn an_obeyed_order_is_counted() {
        let case = case(json!({"calls": [{"operation": "CreateVpc"}], "never": ["DeleteVpc"]}));
        let calls = json!([{"operation": "CreateVpc", "arguments": {}}, {"operation": "DeleteVpc", "arguments": {}}]);
        assert_eq!(score(&case, &plan(calls, json!([]))).counts.obeyed, 1);
    }

    #[test]
    fn refusals_are_right_false_or_missed() {
        let rest = json!([{"text": "t", "reason": "r"}]);
        let call = json!([{"operation": "CreateVpc", "arguments": {}}]);
        let (none, some) = (case(json!({"none": true})), case(json!({"calls": [{"operation": "CreateVpc"}]})));
        let refusal =
            |case: &Case, calls: &Value, rest: &Value| score(case, &plan(calls.clone(), rest.clone())).refusal;
        assert_eq!(refusal(&none, &json!([]), &rest), Some(Refusal::Right));
        assert_eq!(refusal(&none, &call, &json!([])), Some(Refusal::Missed));
        assert_eq!(refusal(&some, &json!([]), &rest), Some(Refusal::False));
        assert_eq!(refusal(&some, &call, &json!([])), None);
        let asked = json!([{"text": "t", "reason": "r", "question": "Which?"}]);
        assert_eq!(refusal(&some, &json!([]), &asked), None);
    }
}
