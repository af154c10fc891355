//! Writes for people what may be done with an operation, and who says so.

use serde_json::Value;
use silverback_catalogue::{
    Operation,
    semantics::{ArgumentSource, ErrorKind, IdempotencyKey, Inverse, KeyPlace, Origin, Paging, Semantics, Waiter},
};

use crate::terminal::{one_line, table};

/// Error codes that are shown of one kind.
const MAX_CODES: usize = 8;

/// A line for each thing that is known: what, how, who says so.
pub fn lines(operation: &Operation) -> String {
    let known = &operation.semantics;
    let mut rows = vec![row("effect", operation.effect.name(), &known.effect_from)];
    for variation in &known.variations {
        let values = variation.values.iter().map(text).collect::<Vec<_>>().join("|");
        let given = if values.is_empty() { String::new() } else { format!(" {values}") };
        rows.push(row(
            "",
            &format!("{} with {}{given}", variation.effect.name(), variation.parameter),
            &variation.from,
        ));
    }
    if let Some(dry_run) = &known.dry_run {
        let values = dry_run.values.iter().map(text).collect::<Vec<_>>().join("|");
        rows.push(row("dry run", &format!("{} {values}", dry_run.parameter), &dry_run.from));
    }
    rows.extend(known.key.as_ref().map(key));
    rows.push(known.inverse.as_ref().map_or_else(|| row("undone by", "nothing certain", &Origin::Unknown), inverse));
    rows.extend(known.paging.as_ref().map(pages));
    rows.extend(known.waiters.iter().map(|waiter| wait(operation, waiter)));
    rows.extend(errors(known));
    table(&rows)
}

fn row(what: &str, how: &str, from: &Origin) -> [String; 3] {
    let origin = if from.is_unknown() && what != "effect" { String::new() } else { format!("({from})") };
    [what.to_owned(), one_line(how), one_line(&origin)]
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn key(key: &IdempotencyKey) -> [String; 3] {
    let place = match &key.place {
        KeyPlace::Parameter(name) => format!("parameter {name}"),
        KeyPlace::Header(name) => format!("header {name}"),
    };
    row("key", &place, &key.from)
}

fn inverse(inverse: &Inverse) -> [String; 3] {
    let argument = |(name, source): &(String, ArgumentSource)| match source {
        ArgumentSource::Result(path) => format!("{name} ← result {path}"),
        ArgumentSource::Argument(argument) => format!("{name} ← argument {argument}"),
        ArgumentSource::Constant(value) => format!("{name} = {}", text(value)),
    };
    let arguments = inverse.arguments.iter().map(argument).collect::<Vec<_>>().join(", ");
    let with = if arguments.is_empty() { String::new() } else { format!(": {arguments}") };
    row("undone by", &format!("{}{with}", inverse.operation), &inverse.from)
}

fn pages(paging: &Paging) -> [String; 3] {
    let tokens = paging.input.iter().zip(&paging.output).map(|(input, output)| format!("{input} ← {output}"));
    let mut how = tokens.collect::<Vec<_>>().join(", ");
    how.extend(paging.more.iter().map(|more| format!(" while {more}")));
    how.extend(paging.limit.iter().map(|limit| format!(", at most {limit}")));
    if !paging.results.is_empty() {
        how += &format!(", lists {}", paging.results.join(", "));
    }
    row("pages", &how, &paging.from)
}

fn wait(operation: &Operation, waiter: &Waiter) -> [String; 3] {
    let what = if waiter.polls == operation.name { "waits" } else { "then wait" };
    let polls = if waiter.polls == operation.name { String::new() } else { format!(" with {}", waiter.polls) };
    let how =
        format!("{}{polls} until {}, every {} s, {} times", waiter.name, waiter.until, waiter.delay, waiter.attempts);
    row(what, &how, &waiter.from)
}

fn errors(known: &Semantics) -> Vec<[String; 3]> {
    let rule = known.errors.iter().map(|rule| {
        let mut codes = rule.codes.iter().take(MAX_CODES).cloned().collect::<Vec<_>>().join(", ");
        if rule.codes.len() > MAX_CODES {
            codes += &format!(", … {} more", rule.codes.len() - MAX_CODES);
        }
        let what = match rule.kind {
            ErrorKind::Throttled => "throttled",
            ErrorKind::Transient => "transient",
        };
        row(what, &codes, &rule.from)
    });
    rule.collect()
}
