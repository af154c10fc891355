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
    /// The right operations, no more and no fewer; for a refusal: no call at all.
    pub operation_right: bool,
    /// All of it right: operations, arguments, references, order, questions.
    pub exact: bool,
    /// References that point where they should, and how many were expected.
    pub references: (usize, usize),
    /// Argument values that the case does not accept.
    pub wrong_values: usize,
    /// Milliseconds from request to plan.
    pub total_ms: f64,
    /// What was wrong, for people; empty when `exact`.
    pub problems: Vec<String>,
}

/// Scores one plan.
pub fn score(case: &Case, plan: &Plan) -> Score {
    let mut score = Score {
        id: case.id.clone(),
        operation_right: false,
        exact: false,
        references: (0, 0),
        wrong_values: 0,
        total_ms: plan.usage.total_ms,
        problems: Vec::new(),
    };
    let pairs = pair(case, &plan.calls);
    score.operation_right = pairs.iter().all(Option::is_some) && plan.calls.len() == case.expect.calls.len();
    for (expected, found) in case.expect.calls.iter().zip(&pairs) {
        match found {
            Some(index) => compare(case, plan, (expected, &plan.calls[*index], &pairs), &mut score),
            None => score.problems.push(format!("no call of {}", expected.operation)),
        }
    }
    for (index, call) in plan.calls.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            score.problems.push(format!(
                "a call of {} {} too many",
                call.operation,
                Value::Object(call.arguments.clone())
            ));
        }
    }
    if !case.expect.unordered && pairs.iter().flatten().collect::<Vec<_>>().windows(2).any(|pair| pair[0] > pair[1]) {
        score.problems.push("the calls are in another order".to_owned());
    }
    check_questions(case, plan, &mut score);
    score.exact = score.problems.is_empty();
    score
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
    for (name, accepted) in &expected.arguments {
        let may_be_left_out = accepted.iter().any(|value| value == "");
        let is_reference = accepted.iter().any(|value| value.get("$ref").is_some());
        score.references.1 += usize::from(is_reference);
        match call.arguments.get(name) {
            None if may_be_left_out => {}
            None => score.problems.push(format!("{}: {name} is missing", call.operation)),
            Some(value) if accepted.iter().any(|accepted| is_same(case, plan, pairs, (accepted, value))) => {
                score.references.0 += usize::from(is_reference);
            }
            Some(value) => {
                score.wrong_values += 1;
                score.problems.push(format!("{}: {name} is {value}", call.operation));
            }
        }
    }
    for (name, value) in &call.arguments {
        if !expected.arguments.contains_key(name) {
            score.wrong_values += 1;
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
        assert_eq!(score.references, (1, 1));
    }

    #[test]
    fn each_fault_is_found() {
        let (case, calls) = vpc();
        let fault = |change: fn(&mut Value)| {
            let mut calls = calls.clone();
            change(&mut calls);
            score(&case, &plan(calls, json!([])))
        };
        assert_eq!(fault(|calls| calls[0]["arguments"]["CidrBlock"] = json!("10.0.0.0/8")).wrong_values, 1);
        assert_eq!(fault(|calls| calls[1]["arguments"]["VpcId"]["path"] = json!("Vpc.OwnerId")).references, (0, 1));
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
}
