//! Reads a chat completion request and decides what is asked.

use serde::Deserialize;
use serde_json::Value;
use silverback_proto::v1::{self, chat_turn::Role};

use super::error::{Refusal, refuse};

/// `POST /v1/chat/completions`; what is not listed (temperature, seed, …) does not change a decision under a grammar and is passed over.
#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    #[serde(default = "super::default_model")]
    pub model: String,
    messages: Vec<ChatMessage>,
    tools: Option<Vec<ChatTool>>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    pub stream: bool,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    n: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Debug, Deserialize)]
struct ChatMessage {
    role: String,
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    tool_calls: Option<Vec<MadeCall>>,
}

/// Text, or parts of which only text is read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct MadeCall {
    function: MadeFunction,
}

#[derive(Debug, Deserialize)]
struct MadeFunction {
    name: String,
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct ChatTool {
    #[serde(rename = "type", default = "function")]
    kind: String,
    function: ToolFunction,
}

#[derive(Debug, Deserialize)]
struct ToolFunction {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Value>,
}

/// What a request comes to.
pub(super) enum Asked {
    /// Tools to call, or words in a conversation that had them.
    Tools(v1::CallToolsRequest),
    /// A plan.
    Plan(v1::AskRequest),
}

/// Which tools may be called.
enum Choice {
    Auto,
    None,
    Required,
    Named(String),
}

// === impl ChatRequest ===

impl ChatRequest {
    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body).map_err(|error| refuse(format!("the body is no chat completion request: {error}")))
    }

    /// Does the client want usage at the end of its stream?
    pub fn with_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// Checks it and says what is asked.
    pub fn admit(self) -> Result<Asked, Refusal> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(refuse("n must be 1: there is one right answer".to_owned()));
        }
        let choice = choice(self.tool_choice.as_ref())?;
        let max_tokens = self.max_completion_tokens.or(self.max_tokens).unwrap_or(0);
        let turns = self.messages.into_iter().map(turn).collect::<Result<Vec<_>, _>>()?;
        let Some(tools) = self.tools.filter(|tools| !tools.is_empty()) else {
            if turns.iter().any(|turn| turn.role() == Role::Tool) {
                return Ok(Asked::Tools(v1::CallToolsRequest { turns, max_tokens, ..Default::default() }));
            }
            let last = turns.into_iter().rev().find(|turn| turn.role() == Role::User);
            let last = last.ok_or_else(|| refuse("there is no user message to plan for".to_owned()))?;
            return Ok(Asked::Plan(v1::AskRequest { text: last.text, today: String::new() }));
        };
        let mut tools = tools.into_iter().map(tool).collect::<Result<Vec<_>, _>>()?;
        match &choice {
            Choice::None => tools.clear(),
            Choice::Named(name) => {
                tools.retain(|tool| tool.name == *name);
                if tools.is_empty() {
                    return Err(refuse(format!("tool_choice names {name:?}, which is none of the tools")));
                }
            }
            Choice::Auto | Choice::Required => {}
        }
        let is_forced = matches!(choice, Choice::Required | Choice::Named(_));
        let choice = if is_forced { v1::ToolChoice::Required } else { v1::ToolChoice::Auto };
        let single = self.parallel_tool_calls == Some(false);
        let choice = choice.into();
        Ok(Asked::Tools(v1::CallToolsRequest { turns, tools, choice, single, max_tokens, ..Default::default() }))
    }
}

fn choice(given: Option<&Value>) -> Result<Choice, Refusal> {
    match given {
        None | Some(Value::Null) => Ok(Choice::Auto),
        Some(Value::String(word)) if word == "auto" => Ok(Choice::Auto),
        Some(Value::String(word)) if word == "none" => Ok(Choice::None),
        Some(Value::String(word)) if word == "required" => Ok(Choice::Required),
        Some(given) => match given.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => Ok(Choice::Named(name.to_owned())),
            None => Err(refuse(
                "tool_choice must be \"auto\", \"none\", \"required\" or {\"type\": \"function\", \"function\": {\"name\": …}}"
                    .to_owned(),
            )),
        },
    }
}

fn turn(message: ChatMessage) -> Result<v1::ChatTurn, Refusal> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        other => {
            let shown: String = other.chars().take(40).collect();
            return Err(refuse(format!(
                "a message has the role {shown:?}; there are system, user, assistant and tool"
            )));
        }
    };
    let text = match message.content {
        None => String::new(),
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => {
            if let Some(other) = parts.iter().find(|part| part.kind != "text") {
                let shown: String = other.kind.chars().take(40).collect();
                return Err(refuse(format!("a message has a part of type {shown:?}; only text is read")));
            }
            parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n")
        }
    };
    let made = |call: MadeCall| v1::ToolCall {
        name: call.function.name,
        arguments_json: call.function.arguments,
        evidence: Vec::new(),
    };
    let calls = message.tool_calls.into_iter().flatten().map(made).collect();
    Ok(v1::ChatTurn { role: role.into(), text, calls })
}

fn tool(tool: ChatTool) -> Result<v1::Tool, Refusal> {
    if tool.kind != "function" {
        let shown: String = tool.kind.chars().take(40).collect();
        return Err(refuse(format!("a tool has the type {shown:?}; only function is possible")));
    }
    let ToolFunction { name, description, parameters } = tool.function;
    let parameters_json = parameters.filter(|given| !given.is_null()).map(|given| given.to_string());
    Ok(v1::Tool {
        name,
        description: description.unwrap_or_default(),
        parameters_json: parameters_json.unwrap_or_default(),
    })
}

fn function() -> String {
    "function".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn admitted(body: Value) -> Result<Asked, String> {
        let read = ChatRequest::read(body.to_string().as_bytes()).and_then(ChatRequest::admit);
        read.map_err(|refusal| refusal.document()["error"]["message"].as_str().unwrap().to_owned())
    }

    fn with_tools(extra: Value) -> Result<v1::CallToolsRequest, String> {
        let function = |name| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}});
        let mut body =
            json!({"messages": [{"role": "user", "content": "hi"}], "tools": [function("a"), function("b")]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match admitted(body)? {
            Asked::Tools(request) => Ok(request),
            Asked::Plan(_) => panic!("tools are asked for"),
        }
    }

    #[test]
    fn each_choice_of_tools_is_read() {
        let names = |request: v1::CallToolsRequest| request.tools.into_iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names(with_tools(json!({"tool_choice": "none"})).unwrap()), [] as [&str; 0]);
        let named = with_tools(json!({"tool_choice": {"type": "function", "function": {"name": "b"}}})).unwrap();
        assert_eq!(named.choice(), v1::ToolChoice::Required);
        assert_eq!(names(named), ["b"]);
        assert_eq!(with_tools(json!({"tool_choice": "required"})).unwrap().choice(), v1::ToolChoice::Required);
        assert_eq!(with_tools(json!({})).unwrap().choice(), v1::ToolChoice::Auto);
        assert!(with_tools(json!({"parallel_tool_calls": false})).unwrap().single);
        assert!(with_tools(json!({"tool_choice": {"function": {"name": "c"}}})).unwrap_err().contains("\"c\""));
        assert!(with_tools(json!({"tool_choice": 3})).unwrap_err().contains("required"));
    }

    #[test]
    fn without_tools_the_last_user_message_is_planned() {
        let parts = json!([{"type": "text", "text": "create"}, {"type": "text", "text": "a bucket"}]);
        let body = json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": parts}]});
        assert!(matches!(admitted(body).unwrap(), Asked::Plan(ask) if ask.text == "create\na bucket"));
    }

    #[test]
    fn a_conversation_with_results_is_answered_in_words() {
        let made = json!([{"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}]);
        let body = json!({"messages": [{"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": made}, {"role": "tool", "tool_call_id": "1", "content": "3"}]});
        let Ok(Asked::Tools(request)) = admitted(body) else { panic!("it goes to the model") };
        assert_eq!((request.turns[1].calls[0].name.as_str(), request.turns[2].role()), ("a", Role::Tool));
    }

    #[test]
    fn bad_requests_are_told_what_is_wrong() {
        assert!(admitted(json!({"messages": [{"role": "robot", "content": "x"}]})).err().unwrap().contains("robot"));
        let picture = json!([{"type": "image_url", "image_url": {"url": "x"}}]);
        assert!(
            admitted(json!({"messages": [{"role": "user", "content": picture}]})).err().unwrap().contains("image_url")
        );
        assert!(with_tools(json!({"n": 2})).unwrap_err().contains("n must be 1"));
        assert!(admitted(json!({"messages": []})).err().unwrap().contains("no user message"));
    }
}
