//! Measures compiling and masking over a real vocabulary.
//!
//! Runs where `SILVERBACK_TEST_VOCABULARY` names a file with the bytes of one token a line, in hexadecimal (an empty line is a
//! special token), else says that it was skipped.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use silverback_catalogue::operation::{Effect, Invocation, Operation};
use silverback_decoding::{CallStyle, Context, Date, Evidence, Grammar, GrammarFactory, Matcher, TokenTable, offers};

fn read_table() -> Option<TokenTable> {
    let path = std::env::var_os("SILVERBACK_TEST_VOCABULARY")?;
    let lines = std::fs::read_to_string(path).expect("the vocabulary can be read");
    let byte = |pair: &str| u8::from_str_radix(pair, 16).expect("hexadecimal");
    let token = |line: &str| (0..line.len() / 2).map(|at| byte(&line[2 * at..2 * at + 2])).collect::<Vec<u8>>();
    let tokens: Vec<Vec<u8>> = lines.lines().map(token).collect();
    let special: Vec<u32> = (0..tokens.len() as u32).filter(|id| tokens[*id as usize].is_empty()).collect();
    let by_bytes: std::collections::HashMap<Vec<u8>, u32> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !token.is_empty())
        .map(|(id, token)| (token.clone(), id as u32))
        .collect();
    let longest_first = move |text: &[u8]| {
        let mut said = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let fits = (1..=(text.len() - at).min(64))
                .rev()
                .find_map(|length| Some((length, *by_bytes.get(&text[at..at + length])?)));
            let (length, id) = fits.expect("every byte has a token");
            said.push(id);
            at += length;
        }
        said
    };
    let eos = *special.first().expect("a special token");
    Some(TokenTable::new(tokens, eos, special, Box::new(longest_first)).expect("a byte-level vocabulary"))
}

fn scale() -> Operation {
    let text = || json!({"type": "string"});
    Operation {
        provider: "kubernetes".into(),
        service: "kubectl".into(),
        name: "scale".into(),
        summary: String::new(),
        words: vec![],
        effect: Effect::Idempotent,
        undo: None,
        invocation: Invocation::Command { words: vec![] },
        parameters: json!({"required": ["resource", "name", "replicas"], "properties": {
            "resource": {"type": "string", "enum": ["deployment", "statefulset"]}, "name": text(), "replicas": {"type": "integer"}, "namespace": text()}}),
        result: Value::Null,
        semantics: Default::default(),
        definitions: Default::default(),
    }
}

struct Walk {
    said: Vec<u32>,
    forced: usize,
    masks: Vec<Duration>,
}

/// Takes the longest allowed token each time: the answer a canonical tokenizer would write.
fn walk(matcher: &mut Matcher, table: &TokenTable) -> Walk {
    let mut walk = Walk { said: Vec::new(), forced: 0, masks: Vec::new() };
    while !matcher.is_complete() && walk.said.len() < 500 {
        let forced = matcher.forced().expect("forced tokens");
        walk.forced += forced.len();
        for token in forced {
            matcher.accept(token).expect("forced tokens are allowed");
            walk.said.push(token);
        }
        if matcher.is_complete() {
            break;
        }
        let started = Instant::now();
        let mask = matcher.allowed().expect("a mask");
        walk.masks.push(started.elapsed());
        let allowed = (0..table.len() as u32).filter(|id| mask[*id as usize / 32] >> (id % 32) & 1 == 1);
        let token = allowed.max_by_key(|id| table.decode(&[*id]).len()).expect("something is allowed");
        matcher.accept(token).expect("the mask allows it");
        walk.said.push(token);
    }
    walk
}

#[test]
fn a_call_is_mostly_forced() {
    let started = Instant::now();
    let Some(table) = read_table() else {
        println!("skipped: SILVERBACK_TEST_VOCABULARY is not set");
        return;
    };
    println!("{} tokens, table {:?}", table.len(), started.elapsed());
    let started = Instant::now();
    let factory = GrammarFactory::new(table.clone()).expect("a factory");
    println!("factory {:?}", started.elapsed());
    let text = "Scale the checkout deployment in the prod namespace to 5";
    let context = Context {
        request_text: String::new(),
        session: vec![],
        today: Date::new(2026, 11, 23).expect("a day that exists"),
    };
    let started = Instant::now();
    let evidence = Evidence::gather(text, &context);
    let gathered = started.elapsed();
    let operation = scale();
    let started = Instant::now();
    let offered = offers(&operation, &evidence, &Map::new());
    println!("gather {gathered:?}, offers {:?}", started.elapsed());
    let grammar = Grammar::for_call(&[(&operation, &offered)], CallStyle::Spaced).expect("offered");
    let started = Instant::now();
    let mut matcher = factory.compile(&grammar).expect("a grammar");
    println!("compile {:?}, {} bytes", started.elapsed(), grammar.text().len());
    let mut walk = walk(&mut matcher, &table);
    walk.masks.sort();
    let said = String::from_utf8(table.decode(&walk.said)).expect("text");
    println!(
        "{said}\n{} tokens, {} forced, masks median {:?} max {:?}",
        walk.said.len(),
        walk.forced,
        walk.masks[walk.masks.len() / 2],
        walk.masks[walk.masks.len() - 1]
    );
    let call: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(call["arguments"]["name"], "checkout");
    assert!(walk.forced * 2 > walk.said.len(), "most of a settled call is forced");
}
