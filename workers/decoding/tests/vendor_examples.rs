//! Measures grounding and offers on the vendors' own sentences beside their own calls.
//!
//! Runs where `SILVERBACK_TEST_PACKS` (a folder with `aws.pack`) and `SILVERBACK_TEST_AWS_EXAMPLES` (the examples as JSON
//! lines) are set, else says that it was skipped. The floors were measured, then set a little below.

#![allow(clippy::print_stdout)] // figures are for people

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};
use silverback_catalogue::Pack;
use silverback_catalogue::operation::Operation;
use silverback_decoding::{Context, Date, Evidence, Form, ParamOffer, ground_arguments, offers};

struct Example {
    text: String,
    operation: std::sync::Arc<Operation>,
    arguments: Map<String, Value>,
}

#[derive(Default, Debug)]
struct Tally {
    arguments: usize,
    grounded: usize,
    offered: usize,
    calls: usize,
    calls_grounded: usize,
    calls_offered: usize,
    needless_offers: usize,
    foreign: usize,
    foreign_kept: usize,
}

fn examples() -> Option<Vec<Example>> {
    let folder = std::env::var_os("SILVERBACK_TEST_PACKS").map(PathBuf::from)?;
    let file = std::env::var_os("SILVERBACK_TEST_AWS_EXAMPLES")?;
    let pack = Pack::open(folder.join("aws.pack")).expect("the pack opens");
    let lines = fs::read_to_string(file).expect("the examples can be read");
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    let told = rows
        .filter(|row| row["values_in_text"] == true && row["arguments"].as_object().is_some_and(|all| !all.is_empty()));
    let read = |row: Value| {
        let word = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        let index = pack.find(&word("service"), &word("operation"))?;
        Some(Example {
            text: format!("{}. {}", word("title"), word("description")).replace("``", ""),
            operation: pack.operation(index).expect("the operation can be read"),
            arguments: row["arguments"].as_object()?.clone(),
        })
    };
    Some(told.filter_map(read).collect())
}

fn evidence(text: &str) -> Evidence {
    let today = Date::new(2026, 11, 23).expect("a day that exists");
    Evidence::gather(text, &Context { request_text: String::new(), session: vec![], today })
}

fn can_say(form: &Form, value: &Value) -> bool {
    match (form, value) {
        (Form::OneOf(values), value) => values.contains(value),
        (Form::Copied(text), Value::String(said)) => text.contains(said.as_str()),
        (Form::List { element, most, .. }, Value::Array(said)) => {
            said.len() <= *most && said.iter().all(|one| can_say(element, one))
        }
        (Form::Object(members), Value::Object(said)) => {
            said.iter().all(|(name, one)| can_say_member(members, name, one))
        }
        _ => false,
    }
}

fn can_say_member(members: &[ParamOffer], name: &str, value: &Value) -> bool {
    members.iter().any(|member| member.name == name && can_say(&member.form, value))
}

/// Do all strings and numbers of a value stand in the text somehow?
fn is_said(value: &Value, text: &str) -> bool {
    match value {
        Value::String(said) => text.contains(&said.to_lowercase()),
        Value::Array(all) => all.iter().all(|one| is_said(one, text)),
        Value::Object(all) => all.values().all(|one| is_said(one, text)),
        Value::Number(said) => text.contains(&said.to_string()),
        _ => true,
    }
}

fn tally(example: &Example, foreign: &Example, all: &mut Tally) {
    let evidence = evidence(&example.text);
    let verbose = std::env::var_os("SILVERBACK_TEST_VERBOSE").is_some();
    let call = ground_arguments(&example.operation, &example.arguments, &evidence);
    let given = offers(&example.operation, &evidence, &Map::new());
    let (mut grounded, mut offered) = (0, 0);
    for (name, value) in &example.arguments {
        let is_grounded = call.kept.get(name) == Some(value);
        let is_offered = can_say_member(&given.parameters, name, value);
        grounded += usize::from(is_grounded);
        offered += usize::from(is_offered);
        if verbose && !(is_grounded && is_offered) {
            let forms = given.parameters.iter().find(|offer| offer.name == *name).map(|offer| &offer.form);
            println!(
                "{} {name}={value} grounded={is_grounded} offered={forms:?}\n    {}",
                example.operation.key(),
                example.text
            );
        }
    }
    let needless: Vec<_> = given
        .parameters
        .iter()
        .filter(|offer| !offer.required && !example.arguments.contains_key(&offer.name))
        .collect();
    if verbose && !needless.is_empty() {
        println!("NEEDLESS {} {needless:?}\n    {}", example.operation.key(), example.text);
    }
    all.needless_offers += needless.len();
    all.calls += 1;
    all.arguments += example.arguments.len();
    all.grounded += grounded;
    all.offered += offered;
    all.calls_grounded += usize::from(grounded == example.arguments.len());
    all.calls_offered += usize::from(offered == example.arguments.len());
    let kept = ground_arguments(&foreign.operation, &foreign.arguments, &evidence).kept;
    all.foreign += foreign.arguments.len();
    let invented = kept.values().filter(|value| !is_said(value, &example.text.to_lowercase())).count();
    all.foreign_kept += invented;
    if verbose && invented > 0 {
        println!("FOREIGN {} {kept:?}\n    {}", foreign.operation.key(), example.text);
    }
}

#[test]
fn vendors_own_values_stand_and_foreign_ones_fall() {
    let Some(examples) = examples() else {
        println!("skipped: SILVERBACK_TEST_PACKS and SILVERBACK_TEST_AWS_EXAMPLES are not set");
        return;
    };
    let mut all = Tally::default();
    for (index, example) in examples.iter().enumerate() {
        // Seven away is another operation, mostly of another service: its values were not given here.
        tally(example, &examples[(index + 7) % examples.len()], &mut all);
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    println!("{all:#?}");
    println!(
        "arguments grounded {:.3}, offered {:.3}",
        share(all.grounded, all.arguments),
        share(all.offered, all.arguments)
    );
    println!(
        "calls grounded {:.3}, offered {:.3}",
        share(all.calls_grounded, all.calls),
        share(all.calls_offered, all.calls)
    );
    println!(
        "needless offers a call {:.3}, foreign values kept {:.3}",
        share(all.needless_offers, all.calls),
        share(all.foreign_kept, all.foreign)
    );
    assert!(share(all.grounded, all.arguments) > 0.88);
    assert!(share(all.foreign_kept, all.foreign) < 0.04);
}

/// Bounded work on every operation there is, also on the vendor's deepest structures and on hostile text.
#[test]
fn no_operation_is_too_deep() {
    let Some(folder) = std::env::var_os("SILVERBACK_TEST_PACKS").map(PathBuf::from) else {
        println!("skipped: SILVERBACK_TEST_PACKS is not set");
        return;
    };
    let pack = Pack::open(folder.join("aws.pack")).expect("the pack opens");
    let step = evidence(
        "create the thing web-1 of type t3.micro in eu-west-1 with env=prod for 25 dollars on April 21, encrypted",
    );
    let hostile = evidence(&"name web-1 enabled type 5 eu-west-1 a=b ".repeat(1000));
    let time = |evidence: &Evidence, stride: usize| {
        let mut times: Vec<_> =
            (0..pack.len()).step_by(stride).map(|index| time_offers(&pack, index, evidence)).collect();
        times.sort();
        times
    };
    for (name, evidence, stride) in [("sentence", &step, 7), ("hostile", &hostile, 397)] {
        let times = time(evidence, stride);
        let at = |share: f64| &times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{name}: {} operations, offers median {:?}, p99 {:?}, max {:?}",
            times.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}

fn time_offers(pack: &Pack, index: u32, evidence: &Evidence) -> (std::time::Duration, String) {
    let operation = pack.operation(index).expect("the operation can be read");
    let started = std::time::Instant::now();
    let given = offers(&operation, evidence, &Map::new());
    assert!(given.parameters.len() <= 64);
    (started.elapsed(), operation.key())
}
