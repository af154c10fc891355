//! Reads what comes with a request: tools as operations, turns as the model's messages. All of it is from outside, and only data.

use serde_json::{Value, json};
use silverback_catalogue::{Operation, import::mcp};
use silverback_decoding::Grammar;
use silverback_engine::Message;
use silverback_proto::v1::{self, chat_turn::Role};

use crate::WorkerError;

/// Tools of one request; a bigger number fills the prompt.
const MAX_TOOLS: usize = 128;
/// Bytes of all tools together; the model reads about a quarter as many tokens, at its pace.
const MAX_TOOL_BYTES: usize = 256 << 10;
/// Turns of a conversation.
const MAX_TURNS: usize = 256;
/// Bytes of a conversation.
const MAX_TURN_BYTES: usize = 256 << 10;

/// The tools of a request.
pub struct Toolbox {
    /// As the catalogue knows operations.
    pub operations: Vec<Operation>,
    /// As the model is told of them.
    pub told: Vec<Value>,
}

/// The turns of a request.
pub struct Conversation {
    /// As the model reads them.
    pub messages: Vec<Message>,
    /// What the user said last.
    pub last: String,
    /// All that was said, newest first.
    pub text: String,
    /// Calls that were made before.
    pub made: Vec<Value>,
    /// Is a tool's result what the assistant answers to?
    pub ends_with_result: bool,
}

// === impl Toolbox ===

impl Toolbox {
    /// Reads tools as an MCP server's are read.
    ///
    /// # Errors
    /// [`WorkerError::ToolsRefused`] with the place: too many or too big, a name given twice, a schema that is none.
    pub fn read(tools: &[v1::Tool]) -> Result<Self, WorkerError> {
        if tools.len() > MAX_TOOLS {
            return refuse(format!("{} tools; the limit is {MAX_TOOLS}: send those that may be meant", tools.len()));
        }
        let size = |tool: &v1::Tool| tool.name.len() + tool.description.len() + tool.parameters_json.len();
        let bytes: usize = tools.iter().map(size).sum();
        if bytes > MAX_TOOL_BYTES {
            return refuse(format!("the tools have {bytes} bytes; the limit is {MAX_TOOL_BYTES}: shorten them"));
        }
        if tools.is_empty() {
            return Ok(Self { operations: Vec::new(), told: Vec::new() });
        }
        let (mut listed, mut told) = (Vec::new(), Vec::new());
        for tool in tools {
            let parameters = parameters(tool)?;
            let function = json!({"name": tool.name, "description": tool.description, "parameters": parameters});
            told.push(json!({"type": "function", "function": function}));
            let schema = without_contradictions(&parameters);
            listed.push(json!({"name": tool.name, "description": tool.description, "inputSchema": schema}));
        }
        let bytes = json!({ "tools": listed }).to_string();
        let imported = mcp::operations_from(bytes.as_bytes(), "tools");
        let imported = imported.map_err(|error| WorkerError::ToolsRefused { reason: error.to_string() })?;
        let mut operations = Vec::new();
        for service in imported.services {
            let with_definitions = |operation| Operation { definitions: service.definitions.clone(), ..operation };
            operations.extend(service.operations.into_iter().map(with_definitions));
        }
        Ok(Self { operations, told })
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The tool of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// What may be said.
    pub fn grammar(&self) -> Grammar {
        Grammar::for_tools(&self.operations)
    }
}

fn parameters(tool: &v1::Tool) -> Result<Value, WorkerError> {
    if tool.parameters_json.trim().is_empty() {
        return Ok(json!({"type": "object", "properties": {}}));
    }
    let wrong = |reason: String| WorkerError::ToolsRefused {
        reason: format!("the parameters of tool {:?} {reason}", tool.name.chars().take(64).collect::<String>()),
    };
    let parameters: Value =
        serde_json::from_str(&tool.parameters_json).map_err(|error| wrong(format!("are no JSON: {error}")))?;
    if !parameters.is_object() {
        return Err(wrong("are no JSON Schema of an object".to_owned()));
    }
    Ok(parameters)
}

/// A choice none of whose values has the declared type leaves nothing to say; the type is what its caller will check.
fn without_contradictions(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kind = members.get("type").and_then(Value::as_str);
            let contradicts = |values: &Value| {
                kind.is_some_and(|kind| {
                    !values.as_array().is_some_and(|values| values.iter().any(|it| is_of(kind, it)))
                })
            };
            let kept = members.iter().filter(|(key, value)| *key != "enum" || !value.is_array() || !contradicts(value));
            kept.map(|(key, value)| (key.clone(), without_contradictions(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_contradictions).collect(),
        other => other.clone(),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" | "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

// === impl Conversation ===

impl Conversation {
    /// Reads the turns.
    ///
    /// # Errors
    /// [`WorkerError::ToolsRefused`]: none, too many or too long.
    pub fn read(turns: &[v1::ChatTurn]) -> Result<Self, WorkerError> {
        let bytes: usize = turns.iter().map(|turn| turn.text.len()).sum();
        if turns.len() > MAX_TURNS || bytes > MAX_TURN_BYTES {
            let limits = format!("the limits are {MAX_TURNS} and {MAX_TURN_BYTES}");
            return refuse(format!("the conversation has {} turns and {bytes} bytes; {limits}", turns.len()));
        }
        let messages = turns.iter().map(message).collect::<Result<Vec<_>, _>>()?;
        let made = messages.iter().flat_map(|message| message.tool_calls.iter().cloned()).collect();
        let Some(newest) = turns.last() else {
            return refuse("the conversation is empty".to_owned());
        };
        let said = turns.iter().rev().filter(|turn| matches!(turn.role(), Role::User | Role::Tool | Role::System));
        let user = turns.iter().rev().find(|turn| turn.role() == Role::User);
        Ok(Self {
            messages,
            last: user.unwrap_or(newest).text.clone(),
            text: said.map(|turn| turn.text.as_str()).collect::<Vec<_>>().join("\n"),
            made,
            ends_with_result: newest.role() == Role::Tool,
        })
    }
}

fn message(turn: &v1::ChatTurn) -> Result<Message, WorkerError> {
    let text = turn.text.clone();
    Ok(match turn.role() {
        Role::System => Message::system(text),
        Role::Tool => Message::tool(text),
        Role::Assistant => {
            let tool_calls = turn.calls.iter().map(told_call).collect::<Result<_, _>>()?;
            Message { tool_calls, ..Message::assistant(text) }
        }
        Role::User | Role::Unspecified => Message::user(text),
    })
}

fn told_call(call: &v1::ToolCall) -> Result<Value, WorkerError> {
    let arguments: Value = serde_json::from_str(&call.arguments_json).map_err(|error| WorkerError::ToolsRefused {
        reason: format!("the arguments of an earlier call of {:?} are no JSON: {error}", call.name),
    })?;
    Ok(json!({"name": call.name, "arguments": arguments}))
}

fn refuse<T>(reason: String) -> Result<T, WorkerError> {
    Err(WorkerError::ToolsRefused { reason })
}
