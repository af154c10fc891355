//! Small vocabularies and operations for the tests of this crate.

use std::sync::Arc;

use serde_json::Value;
use silverback_catalogue::operation::{Effect, Invocation, Operation};

use crate::calendar::Date;
use crate::evidence::{Context, Evidence, Referent};
use crate::vocabulary::TokenTable;

/// The token that ends an answer in both test vocabularies.
pub const EOS: u32 = 256;

/// One token for each byte, then the end token.
pub fn byte_tokens() -> Vec<Vec<u8>> {
    (0..=255u8).map(|byte| vec![byte]).chain([Vec::new()]).collect()
}

/// A vocabulary of single bytes.
pub fn byte_table() -> TokenTable {
    let tokenize = Box::new(|text: &[u8]| text.iter().map(|byte| u32::from(*byte)).collect());
    TokenTable::new(byte_tokens(), EOS, vec![], tokenize).expect("every byte has a token")
}

/// Bytes and some merges, tokenized greedily, longest first: forced text has more than one tokenization.
pub fn merged_table() -> TokenTable {
    let merges =
        ["{\"", "\": \"", "operation", "oper", "arguments", "\", \"", "\"}", "web", "we", "name", "\": ", "}}"];
    let mut tokens = byte_tokens();
    tokens.extend(merges.iter().map(|merge| merge.as_bytes().to_vec()));
    let words = tokens.clone();
    let tokenize = Box::new(move |text: &[u8]| longest_first(&words, text));
    TokenTable::new(tokens, EOS, vec![], tokenize).expect("every byte has a token")
}

fn longest_first(words: &[Vec<u8>], text: &[u8]) -> Vec<u32> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let best = (0..words.len())
            .filter(|id| !words[*id].is_empty() && rest.starts_with(&words[*id]))
            .max_by_key(|id| words[*id].len())
            .expect("every byte is a word");
        tokens.push(best as u32);
        rest = &rest[words[best].len()..];
    }
    tokens
}

/// A day that all tests share: Monday, 23 November 2026.
pub fn today() -> Date {
    Date::new(2026, 11, 23).expect("a day that exists")
}

/// Evidence of a step that is the whole request.
pub fn evidence(text: &str) -> Evidence {
    Evidence::gather(text, &Context { request_text: String::new(), session: vec![], today: today() })
}

/// Evidence with things the session knows: name, kind, value.
pub fn evidence_in_session(text: &str, session: &[(&str, &str, &str)]) -> Evidence {
    let session = session
        .iter()
        .map(|(name, kind, value)| Referent { name: (*name).into(), kind: (*kind).into(), value: (*value).into() })
        .collect();
    Evidence::gather(text, &Context { request_text: String::new(), session, today: today() })
}

/// An operation `provider/service/name` with these parameters.
pub fn operation(key: &str, parameters: Value) -> Operation {
    let mut parts = key.splitn(3, '/').map(str::to_owned);
    let mut part = || parts.next().expect("a test names provider/service/name");
    Operation {
        provider: part(),
        service: part(),
        name: part(),
        summary: String::new(),
        words: vec![],
        effect: Effect::Read,
        undo: None,
        invocation: Invocation::Command { words: vec![] },
        parameters,
        result: Value::Null,
        semantics: Default::default(),
        definitions: Arc::default(),
    }
}
