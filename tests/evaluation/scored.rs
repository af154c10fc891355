//! The scorer gives the truth itself full marks, whichever accepted value is taken, and nothing less than the truth.

use serde_json::{Value, json};
use silverback_graph::{CallId, Plan};

use crate::eval::score::{Score, score};
use crate::suites::{Suite, all, arguments, calls, expect_none};

/// More values than any argument accepts.
const MOST_ALTERNATIVES: usize = 8;

/// The plan that a case asks for, with the accepted values of this index.
fn right_plan(line: &Value, index: usize) -> Value {
    let call = |(number, call): (usize, &Value)| {
        json!({"id": CallId::nth(number), "step": "s1", "provider": call["provider"], "service": call["service"].as_str().unwrap_or_default(),
               "operation": call["operation"], "arguments": arguments(call, index), "effect": "read", "after": [], "command": [],
               "evidence": [], "catalogue": ""})
    };
    let planned: Vec<Value> = calls(line).enumerate().map(call).collect();
    let mut unanswered = Vec::new();
    if line["expect"]["none"] == true {
        unanswered.push(json!({"text": "a part", "reason": "no worker serves it"}));
    }
    if line["expect"]["needs_input"].as_array().is_some_and(|names| !names.is_empty()) {
        unanswered.push(json!({"text": "a part", "reason": "a value is missing", "question": "Which one?"}));
    }
    json!({"plan": "p_1", "hash": "", "steps": [], "calls": planned, "unanswered": unanswered, "diagnostics": [], "usage": {}})
}

fn scores(suite: &Suite, change: impl Fn(&mut Value), index: usize) -> Vec<Score> {
    let cases = suite.cases.iter().zip(&suite.lines);
    cases
        .map(|(case, line)| {
            let mut plan = right_plan(line, index);
            change(&mut plan);
            let plan: Plan = serde_json::from_value(plan).expect("a plan");
            score(case, &plan)
        })
        .collect()
}

#[test]
fn every_accepted_answer_scores_full() {
    let mut wrong = Vec::new();
    for suite in all() {
        for index in 0..MOST_ALTERNATIVES {
            let scores = scores(&suite, |_| (), index);
            let unfair =
                scores.iter().filter(|score| !score.exact || !score.operation_right || score.counts.wrong_values > 0);
            wrong.extend(unfair.map(|score| format!("{} #{index}: {}", score.id, score.problems.join("; "))));
        }
    }
    expect_none(&wrong);
}

#[test]
fn an_answer_without_calls_or_questions_scores_nothing() {
    let nothing = |plan: &mut Value| {
        plan["calls"] = json!([]);
        plan["unanswered"] = json!([]);
    };
    let suites = all();
    let all_scores = suites.iter().flat_map(|suite| scores(suite, nothing, 0));
    let kind: Vec<String> = all_scores.filter(|score| score.exact).map(|score| score.id).collect();
    expect_none(&kind);
}

#[test]
fn an_argument_nobody_asked_for_is_wrong() {
    let meddle = |plan: &mut Value| {
        for call in plan["calls"].as_array_mut().into_iter().flatten() {
            call["arguments"]["nobody-asked"] = json!(true);
        }
    };
    let suites = all();
    let with_calls = suites.iter().flat_map(|suite| scores(suite, meddle, 0).into_iter().zip(&suite.cases));
    let kind = with_calls.filter(|(score, case)| score.exact && !case.expect.calls.is_empty());
    expect_none(&kind.map(|(score, _)| score.id).collect::<Vec<_>>());
}
