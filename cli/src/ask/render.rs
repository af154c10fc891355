//! Writes a plan for people: each step with its calls in the vendor's own language, the evidence of every value, what is
//! still to be answered, and what it took.

use std::fmt::Write as _;

use console::style;
use serde_json::Value;
use silverback_graph::{
    Call, Diagnostic, Effect, Evidence, EvidenceSource, Invocation, Plan, Severity, Unanswered, Usage,
};

use crate::terminal::{command_line, one_line};

/// Longer values are cut where they stand beside their evidence; the command line has them whole.
const MAX_VALUE_CHARS: usize = 60;

/// The whole plan as text.
pub fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let capability = style(one_line(&step.capability)).cyan();
        line(&mut text, 0, &format!("{} {capability}  {}", style(step.id).bold(), style(one_line(&step.text)).bold()));
        for of_step in plan.calls.iter().filter(|of_step| of_step.step == step.id) {
            call(&mut text, of_step);
        }
        for open in plan.unanswered.iter().filter(|open| open.step == Some(step.id)) {
            unanswered(&mut text, 2, open);
        }
        text.push('\n');
    }
    let rest = plan.unanswered.iter().filter(|open| !plan.steps.iter().any(|step| Some(step.id) == open.step));
    let rest = rest.collect::<Vec<_>>();
    if !rest.is_empty() {
        line(&mut text, 0, &style("unanswered").bold().to_string());
        for open in rest {
            line(&mut text, 2, &one_line(&open.text));
            unanswered(&mut text, 4, open);
        }
        text.push('\n');
    }
    for found in &plan.diagnostics {
        diagnostic(&mut text, found);
    }
    totals(&mut text, plan);
    text
}

fn call(text: &mut String, call: &Call) {
    let effect = match call.effect {
        Effect::Read => style("read").dim(),
        Effect::Idempotent => style("idempotent").dim(),
        Effect::Keyed => style("keyed").yellow(),
        Effect::Irreversible => style("irreversible").yellow(),
    };
    let said = match &call.invocation {
        Invocation::Command(words) => command_line(words),
        Invocation::Http(http) => one_line(&format!("{} {}", http.method, http.url)),
        Invocation::Mcp(mcp) => one_line(&format!("mcp {} {} {}", mcp.server, mcp.tool, written(&call.arguments))),
    };
    let after = call.after.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let after = if after.is_empty() { String::new() } else { format!(", after {after}") };
    let (id, said) = (style(call.id).bold(), style(said).green());
    line(text, 2, &format!("{id}  {said}  ({effect}{after})"));
    if let Invocation::Http(http) = &call.invocation
        && !http.body.is_empty()
    {
        line(text, 6, &style(one_line(&http.body)).green().to_string());
    }
    let width = call.evidence.iter().map(|evidence| name_of(evidence).chars().count()).max().unwrap_or(0);
    for evidence in &call.evidence {
        let value = call_value(call, &evidence.argument);
        let name = name_of(evidence);
        let shown = format!("{name:<width$} = {value}  ← {}", source_of(evidence));
        line(text, 6, &style(shown).dim().to_string());
    }
}

/// The arguments of a tool as it gets them.
fn written(arguments: &serde_json::Map<String, Value>) -> String {
    serde_json::to_string(arguments).unwrap_or_default()
}

/// The argument's name for people: a pointer without its first slash.
fn name_of(evidence: &Evidence) -> String {
    one_line(evidence.argument.trim_start_matches('/'))
}

fn call_value(call: &Call, pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    let first = parts.next().and_then(|name| call.arguments.get(&name));
    let value = parts.try_fold(first, |value, part| {
        Some(match value? {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            Value::Object(members) => members.get(&part),
            _ => None,
        })
    });
    let shown = match value.flatten() {
        Some(Value::String(value)) => value.clone(),
        Some(Value::Object(members)) if members.contains_key("$ref") => {
            let part = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{}.{}", part("$ref"), part("path"))
        }
        Some(value) => value.to_string(),
        None => "?".to_owned(),
    };
    one_line(&console::truncate_str(&shown, MAX_VALUE_CHARS, "…"))
}

fn source_of(evidence: &Evidence) -> String {
    let words = one_line(&evidence.text);
    match evidence.source {
        EvidenceSource::Request => format!("{words:?}"),
        EvidenceSource::Session => format!("session: {words}"),
        EvidenceSource::Call => format!("result of {words}"),
        EvidenceSource::Resolver => format!("{words:?} by {}", one_line(&evidence.resolver)),
        EvidenceSource::Schema => "the only value allowed".to_owned(),
    }
}

fn unanswered(text: &mut String, indent: usize, open: &Unanswered) {
    match &open.question {
        Some(question) => line(text, indent, &format!("{} {}", style("?").yellow().bold(), one_line(question))),
        None => line(text, indent, &format!("{} {}", style("✗").yellow(), one_line(&open.reason))),
    }
}

fn diagnostic(text: &mut String, found: &Diagnostic) {
    let severity = match found.severity {
        Severity::Note => style("note").dim(),
        Severity::Warning => style("warning").yellow(),
        Severity::Error => style("error").red(),
    };
    let about =
        if found.about.is_empty() { String::new() } else { format!(" ({})", one_line(&found.about.join(", "))) };
    line(text, 0, &format!("{severity}: {}{about}", one_line(&found.message)));
}

fn totals(text: &mut String, plan: &Plan) {
    let counts = [
        count(plan.steps.len(), "step"),
        count(plan.calls.len(), "call"),
        format!("{} unanswered", plan.unanswered.len()),
    ];
    let mut sum = plan.usage.plan;
    for usage in plan.usage.steps.values() {
        sum += *usage;
    }
    line(text, 0, &format!("{} in {:.1} s", counts.join(", "), plan.usage.total_ms / 1000.0));
    let Usage { prompt_tokens, cached_tokens, output_tokens, forced_tokens, .. } = sum;
    if prompt_tokens > 0 {
        let read = format!("{prompt_tokens} tokens read ({cached_tokens} cached) in {}", seconds(sum.prefill_ms));
        let written = format!("{output_tokens} written ({forced_tokens} forced) in {}", seconds(sum.decode_ms));
        let rest = format!("searching {}, waiting {}", seconds(sum.retrieve_ms), seconds(sum.queue_ms));
        line(text, 0, &style(format!("{read}, {written}, {rest}")).dim().to_string());
    }
    line(text, 0, &style(format!("plan {} {}", one_line(&plan.id), one_line(&plan.hash))).dim().to_string());
    line(text, 0, &style("nothing was done: a plan is only a proposal").dim().to_string());
}

fn seconds(milliseconds: f64) -> String {
    format!("{:.1} s", milliseconds / 1000.0)
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn line(text: &mut String, indent: usize, content: &str) {
    writeln!(text, "{:indent$}{}", "", content.trim_end()).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(document: Value) -> String {
        let document: Plan = serde_json::from_value(document).unwrap();
        console::strip_ansi_codes(&plan(&document)).into_owned()
    }

    fn vpc() -> Value {
        json!({
            "plan": "p_1", "hash": "sha256:ab",
            "steps": [{ "id": "s1", "capability": "aws", "text": "create a VPC and a subnet" }],
            "calls": [
                { "id": "c1", "step": "s1", "provider": "aws", "service": "ec2", "operation": "CreateVpc",
                  "arguments": { "CidrBlock": "10.0.0.0/16" }, "effect": "irreversible",
                  "command": ["aws", "ec2", "create-vpc", "--cidr-block", "10.0.0.0/16"],
                  "evidence": [{ "argument": "/CidrBlock", "source": "request", "text": "10.0.0.0/16" }] },
                { "id": "c2", "step": "s1", "provider": "aws", "service": "ec2", "operation": "CreateSubnet",
                  "arguments": { "VpcId": { "$ref": "c1", "path": "Vpc.VpcId" } }, "effect": "irreversible", "after": ["c1"],
                  "command": ["aws", "ec2", "create-subnet", "--vpc-id", "${c1.Vpc.VpcId}"],
                  "evidence": [{ "argument": "/VpcId", "source": "call", "text": "c1" }] },
            ],
            "unanswered": [], "diagnostics": [],
            "usage": { "total_ms": 5210.0, "plan": {
                "prompt_tokens": 812, "cached_tokens": 640, "output_tokens": 64, "prefill_ms": 1100.0, "decode_ms": 2500.0 } },
        })
    }

    #[test]
    fn a_plan_shows_commands_evidence_and_totals() {
        let wanted = "\
s1 aws  create a VPC and a subnet
  c1  aws ec2 create-vpc --cidr-block 10.0.0.0/16  (irreversible)
      CidrBlock = 10.0.0.0/16  ← \"10.0.0.0/16\"
  c2  aws ec2 create-subnet --vpc-id '${c1.Vpc.VpcId}'  (irreversible, after c1)
      VpcId = c1.Vpc.VpcId  ← result of c1

1 step, 2 calls, 0 unanswered in 5.2 s
812 tokens read (640 cached) in 1.1 s, 64 written (0 forced) in 2.5 s, searching 0.0 s, waiting 0.0 s
plan p_1 sha256:ab
nothing was done: a plan is only a proposal
";
        assert_eq!(shown(vpc()), wanted);
    }

    #[test]
    fn what_is_open_stands_at_its_step_or_at_the_end() {
        let mut document = vpc();
        document["calls"] = json!([]);
        document["unanswered"] = json!([
            { "text": "create a VPC", "reason": "needs input", "question": "Which address range?", "step": "s1" },
            { "text": "post to Slack", "reason": "no worker serves capability \"slack\"" },
        ]);
        let text = shown(document);
        assert!(text.contains("subnet\n  ? Which address range?\n"), "{text}");
        assert!(text.contains("unanswered\n  post to Slack\n    ✗ no worker serves capability \"slack\"\n"), "{text}");
        assert!(text.contains("1 step, 0 calls, 2 unanswered"), "{text}");
    }

    #[test]
    fn an_http_call_shows_method_address_and_body() {
        let mut document = vpc();
        document["calls"] = json!([{
            "id": "c1", "step": "s1", "provider": "stripe", "service": "charges", "operation": "PostCharges",
            "arguments": { "amount": 2500 }, "effect": "keyed",
            "http": { "method": "POST", "url": "https://api.stripe.com/v1/charges", "body": "amount=2500" },
            "evidence": [{ "argument": "/amount", "source": "resolver", "text": "25 dollars", "resolver": "money" }],
        }]);
        let text = shown(document);
        assert!(text.contains("c1  POST https://api.stripe.com/v1/charges  (keyed)\n      amount=2500\n"), "{text}");
        assert!(text.contains("amount = 2500  ← \"25 dollars\" by money"), "{text}");
    }

    #[test]
    fn a_vendors_text_cannot_move_the_cursor() {
        let mut document = vpc();
        document["calls"][0]["command"] = json!(["aws", "\u{1b}[2J"]);
        assert!(!shown(document).contains('\u{1b}'));
    }
}
