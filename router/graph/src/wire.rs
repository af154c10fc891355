//! Between the plan's types and `proto/v1`: reading is checked, writing cannot fail.

use std::{fmt::Display, str::FromStr};

use serde_json::Value;
use silverback_proto::v1;

use crate::{
    Call, Diagnostic, Effect, Evidence, EvidenceSource, GraphError, HttpRequest, Invocation, McpTool, Plan, PlanUsage,
    Severity, Step, StepId, Unanswered, Usage,
};

/// Larger arguments of one call are refused.
const MAX_ARGUMENT_BYTES: usize = 256 * 1024;

// === reading ===

impl TryFrom<v1::Step> for Step {
    type Error = GraphError;

    fn try_from(step: v1::Step) -> Result<Self, GraphError> {
        let id = step.id.parse()?;
        Ok(Step { id, capability: step.capability, text: step.text, after: parse_all(&step.after)? })
    }
}

impl TryFrom<v1::Call> for Call {
    type Error = GraphError;

    fn try_from(call: v1::Call) -> Result<Self, GraphError> {
        let id = call.id.parse()?;
        let bad =
            |field: &str, reason: String| GraphError::ReadMessageFailed { what: format!("call {id}: {field}"), reason };
        if call.arguments_json.len() > MAX_ARGUMENT_BYTES {
            return Err(bad("arguments", format!("{} bytes, at most {MAX_ARGUMENT_BYTES}", call.arguments_json.len())));
        }
        let arguments = match serde_json::from_str(&call.arguments_json) {
            Ok(Value::Object(arguments)) => arguments,
            Ok(_) => return Err(bad("arguments", "not a JSON object".into())),
            Err(error) => return Err(bad("arguments", error.to_string())),
        };
        let invocation = match (call.http, call.mcp, call.command) {
            (Some(http), None, command) if command.is_empty() => Invocation::Http(http.into()),
            (None, Some(mcp), command) if command.is_empty() => {
                Invocation::Mcp(McpTool { server: mcp.server, tool: mcp.tool })
            }
            (None, None, command) if !command.is_empty() => Invocation::Command(command),
            _ => return Err(bad("command", "exactly one of command, http and mcp must be set".into())),
        };
        let evidence: Result<_, _> = call.evidence.into_iter().map(Evidence::try_from).collect();
        Ok(Call {
            step: call.step.parse()?,
            effect: read_effect(call.effect),
            undo: Some(call.undo).filter(|undo| !undo.is_empty()),
            after: parse_all(&call.after)?,
            evidence: evidence.map_err(|reason| bad("evidence", reason))?,
            provider: call.provider,
            service: call.service,
            operation: call.operation,
            catalogue: call.catalogue,
            id,
            arguments,
            invocation,
        })
    }
}

impl TryFrom<v1::Evidence> for Evidence {
    type Error = String;

    fn try_from(evidence: v1::Evidence) -> Result<Self, String> {
        let source = match v1::evidence::Source::try_from(evidence.source) {
            Ok(v1::evidence::Source::Request) => EvidenceSource::Request,
            Ok(v1::evidence::Source::Session) => EvidenceSource::Session,
            Ok(v1::evidence::Source::Call) => EvidenceSource::Call,
            Ok(v1::evidence::Source::Resolver) => EvidenceSource::Resolver,
            Ok(v1::evidence::Source::Schema) => EvidenceSource::Schema,
            _ => return Err(format!("{}: no source", evidence.argument)),
        };
        let v1::Evidence { argument, start, end, text, resolver, .. } = evidence;
        Ok(Evidence { argument, source, start, end, text, resolver })
    }
}

impl TryFrom<v1::Unanswered> for Unanswered {
    type Error = GraphError;

    fn try_from(unanswered: v1::Unanswered) -> Result<Self, GraphError> {
        let v1::Unanswered { step, text, reason, question } = unanswered;
        let step = if step.is_empty() { None } else { Some(step.parse()?) };
        Ok(Unanswered { text, reason, question: Some(question).filter(|question| !question.is_empty()), step })
    }
}

impl TryFrom<v1::Diagnostic> for Diagnostic {
    type Error = GraphError;

    fn try_from(diagnostic: v1::Diagnostic) -> Result<Self, GraphError> {
        let severity = match v1::diagnostic::Severity::try_from(diagnostic.severity) {
            Ok(v1::diagnostic::Severity::Note) => Severity::Note,
            Ok(v1::diagnostic::Severity::Warning) => Severity::Warning,
            Ok(v1::diagnostic::Severity::Error) => Severity::Error,
            _ => {
                let reason = "no severity".to_owned();
                return Err(GraphError::ReadMessageFailed { what: format!("diagnostic {}", diagnostic.code), reason });
            }
        };
        let v1::Diagnostic { code, message, about, .. } = diagnostic;
        Ok(Diagnostic { severity, code, message, about })
    }
}

impl TryFrom<v1::Plan> for Plan {
    type Error = GraphError;

    fn try_from(plan: v1::Plan) -> Result<Self, GraphError> {
        let usage = plan.usage.unwrap_or_default();
        let mut steps_usage = std::collections::BTreeMap::new();
        for (id, step) in usage.steps {
            steps_usage.insert(id.parse()?, step.into());
        }
        Ok(Plan {
            id: plan.id,
            hash: plan.hash,
            steps: plan.steps.into_iter().map(Step::try_from).collect::<Result<_, _>>()?,
            calls: plan.calls.into_iter().map(Call::try_from).collect::<Result<_, _>>()?,
            unanswered: plan.unanswered.into_iter().map(Unanswered::try_from).collect::<Result<_, _>>()?,
            diagnostics: plan.diagnostics.into_iter().map(Diagnostic::try_from).collect::<Result<_, _>>()?,
            usage: PlanUsage {
                total_ms: finite(usage.total_ms),
                plan: usage.plan.map(Usage::from).unwrap_or_default(),
                steps: steps_usage,
            },
        })
    }
}

impl From<v1::HttpRequest> for HttpRequest {
    fn from(http: v1::HttpRequest) -> Self {
        let v1::HttpRequest { method, url, headers, body } = http;
        HttpRequest { method, url, headers: headers.into_iter().collect(), body }
    }
}

impl From<v1::Usage> for Usage {
    fn from(usage: v1::Usage) -> Self {
        Usage {
            prompt_tokens: usage.prompt_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            forced_tokens: usage.forced_tokens,
            queue_ms: finite(usage.queue_ms),
            retrieve_ms: finite(usage.retrieve_ms),
            prefill_ms: finite(usage.prefill_ms),
            decode_ms: finite(usage.decode_ms),
            total_ms: finite(usage.total_ms),
        }
    }
}

// === writing ===

impl From<Step> for v1::Step {
    fn from(step: Step) -> Self {
        v1::Step {
            id: step.id.to_string(),
            capability: step.capability,
            text: step.text,
            after: print_all(&step.after),
        }
    }
}

impl From<Call> for v1::Call {
    fn from(call: Call) -> Self {
        let (command, http, mcp) = match call.invocation {
            Invocation::Command(command) => (command, None, None),
            Invocation::Http(http) => (Vec::new(), Some(http.into()), None),
            Invocation::Mcp(McpTool { server, tool }) => (Vec::new(), None, Some(v1::McpTool { server, tool })),
        };
        v1::Call {
            id: call.id.to_string(),
            step: call.step.to_string(),
            provider: call.provider,
            service: call.service,
            operation: call.operation,
            arguments_json: Value::Object(call.arguments).to_string(),
            effect: v1::Effect::from(call.effect).into(),
            undo: call.undo.unwrap_or_default(),
            after: print_all(&call.after),
            command,
            http,
            mcp,
            evidence: call.evidence.into_iter().map(v1::Evidence::from).collect(),
            catalogue: call.catalogue,
        }
    }
}

impl From<Effect> for v1::Effect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Read => v1::Effect::Read,
            Effect::Idempotent => v1::Effect::Idempotent,
            Effect::Keyed => v1::Effect::Keyed,
            Effect::Irreversible => v1::Effect::Irreversible,
        }
    }
}

impl From<HttpRequest> for v1::HttpRequest {
    fn from(http: HttpRequest) -> Self {
        let HttpRequest { method, url, headers, body } = http;
        v1::HttpRequest { method, url, headers: headers.into_iter().collect(), body }
    }
}

impl From<Evidence> for v1::Evidence {
    fn from(evidence: Evidence) -> Self {
        let source = match evidence.source {
            EvidenceSource::Request => v1::evidence::Source::Request,
            EvidenceSource::Session => v1::evidence::Source::Session,
            EvidenceSource::Call => v1::evidence::Source::Call,
            EvidenceSource::Resolver => v1::evidence::Source::Resolver,
            EvidenceSource::Schema => v1::evidence::Source::Schema,
        };
        let Evidence { argument, start, end, text, resolver, .. } = evidence;
        v1::Evidence { argument, source: source.into(), start, end, text, resolver }
    }
}

impl From<Unanswered> for v1::Unanswered {
    fn from(unanswered: Unanswered) -> Self {
        v1::Unanswered {
            step: unanswered.step.as_ref().map(StepId::to_string).unwrap_or_default(),
            text: unanswered.text,
            reason: unanswered.reason,
            question: unanswered.question.unwrap_or_default(),
        }
    }
}

impl From<Diagnostic> for v1::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let severity = match diagnostic.severity {
            Severity::Note => v1::diagnostic::Severity::Note,
            Severity::Warning => v1::diagnostic::Severity::Warning,
            Severity::Error => v1::diagnostic::Severity::Error,
        };
        let Diagnostic { code, message, about, .. } = diagnostic;
        v1::Diagnostic { severity: severity.into(), code, message, about }
    }
}

impl From<Usage> for v1::Usage {
    fn from(usage: Usage) -> Self {
        v1::Usage {
            prompt_tokens: usage.prompt_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            forced_tokens: usage.forced_tokens,
            queue_ms: usage.queue_ms,
            retrieve_ms: usage.retrieve_ms,
            prefill_ms: usage.prefill_ms,
            decode_ms: usage.decode_ms,
            total_ms: usage.total_ms,
        }
    }
}

impl From<Plan> for v1::Plan {
    fn from(plan: Plan) -> Self {
        v1::Plan {
            id: plan.id,
            hash: plan.hash,
            steps: plan.steps.into_iter().map(v1::Step::from).collect(),
            calls: plan.calls.into_iter().map(v1::Call::from).collect(),
            unanswered: plan.unanswered.into_iter().map(v1::Unanswered::from).collect(),
            diagnostics: plan.diagnostics.into_iter().map(v1::Diagnostic::from).collect(),
            usage: Some(v1::PlanUsage {
                total_ms: plan.usage.total_ms,
                plan: Some(plan.usage.plan.into()),
                steps: plan.usage.steps.into_iter().map(|(id, usage)| (id.to_string(), usage.into())).collect(),
            }),
        }
    }
}

/// What a peer of a newer version calls by a number we do not know is irreversible.
fn read_effect(effect: i32) -> Effect {
    match v1::Effect::try_from(effect) {
        Ok(v1::Effect::Read) => Effect::Read,
        Ok(v1::Effect::Idempotent) => Effect::Idempotent,
        Ok(v1::Effect::Keyed) => Effect::Keyed,
        _ => Effect::Irreversible,
    }
}

/// JSON has no NaN.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

fn parse_all<T: FromStr<Err = GraphError>>(texts: &[String]) -> Result<Vec<T>, GraphError> {
    texts.iter().map(|text| text.parse()).collect()
}

fn print_all<T: Display>(ids: &[T]) -> Vec<String> {
    ids.iter().map(T::to_string).collect()
}
