//! What may be said for requests as people write them, on the operations as the catalogue has them.
//!
//! Runs where `SILVERBACK_TEST_PACKS` names a folder of packs, else says that it was skipped.

#![allow(clippy::print_stdout)] // differences are for people

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use silverback_catalogue::Pack;
use silverback_decoding::{Context, Date, Evidence, Form, ParamOffer, ground, offers};

/// One case a line: operation, request, what is offered (a scalar stands for one choice), what is missing.
const CASES: &str = include_str!("requests.jsonl");

fn show(form: &Form) -> Value {
    match form {
        Form::OneOf(values) if values.len() == 1 => values[0].clone(),
        Form::OneOf(values) => json!({ "one_of": values }),
        Form::Copied(_) => json!("copied"),
        Form::List { element, .. } => match &**element {
            Form::OneOf(values) => Value::Array(values.clone()),
            other => json!([show(other)]),
        },
        Form::Object(members) => show_all(members),
    }
}

fn show_all(offers: &[ParamOffer]) -> Value {
    Value::Object(offers.iter().map(|offer| (offer.name.clone(), show(&offer.form))).collect())
}

#[test]
fn requests_offer_what_they_say() {
    let Some(folder) = std::env::var_os("SILVERBACK_TEST_PACKS").map(PathBuf::from) else {
        println!("skipped: SILVERBACK_TEST_PACKS is not set");
        return;
    };
    let packs = ["aws", "kubernetes", "stripe", "openbb"]
        .map(|name| Pack::open(folder.join(format!("{name}.pack"))).expect("the pack opens"));
    let mut wrong = 0;
    let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    for case in &cases {
        let (key, text) = (case["operation"].as_str().expect("a key"), case["text"].as_str().expect("a request"));
        let (expected, missing) = (&case["offered"], &case["missing"]);
        let mut parts = key.splitn(3, '/');
        let (provider, service, name) =
            (parts.next().expect("a key"), parts.next().expect("a key"), parts.next().expect("a key"));
        let pack = packs.iter().find(|pack| pack.provider() == provider).expect("a pack");
        let Some(index) = pack.find(service, name) else {
            println!("ABSENT {key}");
            wrong += 1;
            continue;
        };
        let operation = pack.operation(index).expect("the operation can be read");
        let context = Context {
            request_text: String::new(),
            session: vec![],
            today: Date::new(2026, 11, 23).expect("a day that exists"),
        };
        let evidence = Evidence::gather(text, &context);
        let given = offers(&operation, &evidence, &Map::new());
        let shown = show_all(&given.parameters);
        if shown != *expected || json!(given.missing) != *missing {
            wrong += 1;
            println!(
                "{key}: {text}\n  offered  {shown}\n  expected {expected}\n  missing  {:?}, expected {missing}",
                given.missing
            );
        }
        for offer in &given.parameters {
            if let Some(only) = offer.form.only_value() {
                assert!(
                    ground(&operation, &offer.name, &only, &evidence).is_ok(),
                    "{key} {} {only} cannot be grounded",
                    offer.name
                );
            }
        }
    }
    println!("{wrong} of {} differ", cases.len());
    assert_eq!(wrong, 0);
}
