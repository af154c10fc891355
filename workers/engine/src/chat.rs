//! Conversations as the model was trained to read them: the template inside the model file, rendered and tokenized.

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, context};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::tokenizer::Tokenizer;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// What was said.
    pub content: String,
    /// Calls that the assistant made in this turn: `{"name": …, "arguments": {…}}` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Value>,
}

/// The chat template of a model.
pub struct ChatTemplate {
    environment: Environment<'static>,
}

const NAME: &str = "chat";

/// What is used when the file has no template: ChatML.
const CHATML: &str = "{%- for message in messages %}\
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\
    {%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

// === impl Message ===

impl Message {
    /// Instructions for the whole conversation.
    pub fn system(content: impl Into<String>) -> Self {
        Self::of("system", content)
    }

    /// What the person or program says.
    pub fn user(content: impl Into<String>) -> Self {
        Self::of("user", content)
    }

    /// What the model said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::of("assistant", content)
    }

    /// What a tool gave back.
    pub fn tool(content: impl Into<String>) -> Self {
        Self::of("tool", content)
    }

    fn of(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), tool_calls: Vec::new() }
    }
}

// === impl ChatTemplate ===

impl ChatTemplate {
    pub(crate) fn new(source: Option<&str>) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", python_json);
        environment.add_function("raise_exception", raise_exception);
        environment.add_template_owned(NAME, source.unwrap_or(CHATML).to_string())?;
        Ok(Self { environment })
    }

    /// The conversation as text, ending where the assistant's next turn begins. `tools` are function descriptions in the form
    /// the model was trained on (`{"type":"function","function":{…}}`), possibly none.
    ///
    /// # Errors
    /// [`Error::TemplateFailed`] when the model's template refuses the conversation.
    pub fn render(&self, messages: &[Message], tools: &[Value]) -> Result<String> {
        let template = self.environment.get_template(NAME)?;
        let messages = minijinja::Value::from(Serde(messages));
        let tools = (!tools.is_empty()).then(|| minijinja::Value::from(Serde(tools)));
        Ok(template.render(context! { messages, tools, add_generation_prompt => true })?)
    }

    /// Token ids of the conversation. Names of control tokens inside contents, calls and tools stay plain text.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`] and [`Tokenizer::encode`].
    pub fn encode(&self, tokenizer: &Tokenizer, messages: &[Message], tools: &[Value]) -> Result<Vec<u32>> {
        let told = Told { messages, tools };
        if !told.names_any(tokenizer) {
            return tokenizer.encode_with_control(&self.render(messages, tools)?);
        }
        let veil = Veil::over(tokenizer, &told);
        let (messages, tools) = veil.cover_all(&told);
        let text = self.render(&messages, &tools)?;
        tokenizer.encode_veiled(&text, |piece| veil.lift(piece))
    }
}

/// All that comes from outside.
struct Told<'a> {
    messages: &'a [Message],
    tools: &'a [Value],
}

/// Hides names of control tokens in what comes from outside while the template runs: each becomes a private-use character that nobody
/// said.
struct Veil {
    pairs: Vec<(char, String)>,
}

// === impl Told ===

impl Told<'_> {
    fn names_any(&self, tokenizer: &Tokenizer) -> bool {
        tokenizer.special_names().any(|name| self.any(&|text| text.contains(name)))
    }

    /// Does this hold for any text?
    fn any(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        let in_message =
            |message: &Message| holds(&message.content) || message.tool_calls.iter().any(|call| any_text(call, holds));
        self.messages.iter().any(in_message) || self.tools.iter().any(|tool| any_text(tool, holds))
    }
}

fn any_text(value: &Value, holds: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, holds)),
        Value::Object(members) => members.iter().any(|(key, value)| holds(key) || any_text(value, holds)),
        _ => false,
    }
}

// === impl Veil ===

impl Veil {
    fn over(tokenizer: &Tokenizer, told: &Told<'_>) -> Self {
        let is_free = |mark: &char| !told.any(&|text| text.contains(*mark));
        let marks = ('\u{F0000}'..'\u{FFFFD}').filter(is_free);
        Self { pairs: marks.zip(tokenizer.special_names().map(str::to_string)).collect() }
    }

    fn cover_all(&self, told: &Told<'_>) -> (Vec<Message>, Vec<Value>) {
        let cover = |message: &Message| Message {
            role: message.role.clone(),
            content: self.cover(&message.content),
            tool_calls: message.tool_calls.iter().map(|call| self.cover_value(call)).collect(),
        };
        (told.messages.iter().map(cover).collect(), told.tools.iter().map(|tool| self.cover_value(tool)).collect())
    }

    fn cover(&self, text: &str) -> String {
        let hide = |text: String, (mark, name): &(char, String)| text.replace(name, mark.encode_utf8(&mut [0; 4]));
        self.pairs.iter().fold(text.to_owned(), hide)
    }

    fn cover_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.cover(text)),
            Value::Array(items) => items.iter().map(|item| self.cover_value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (self.cover(key), self.cover_value(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn lift(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_string(), |text, (mark, name)| text.replace(*mark, name))
    }
}

/// `json.dumps` as the templates' authors saw it: a space after `:` and `,`, nothing escaped for HTML.
fn python_json(value: minijinja::Value) -> Result<minijinja::Value, minijinja::Error> {
    let failed = |why: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, why.to_string());
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, PythonSpacing);
    value.serialize(&mut serializer).map_err(failed)?;
    let text = String::from_utf8(bytes).expect("serde_json writes UTF-8");
    Ok(minijinja::Value::from_safe_string(text))
}

struct PythonSpacing;

impl serde_json::ser::Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn raise_exception(message: String) -> Result<minijinja::Value, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use serde_json::json;

    #[test]
    fn chatml_reads_as_expected() {
        let text =
            ChatTemplate::new(None).unwrap().render(&[Message::system("Be brief."), Message::user("hi")], &[]).unwrap();
        assert_eq!(
            text,
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
        );
    }

    #[test]
    fn json_is_spaced_as_in_python_and_keeps_key_order() {
        let template = ChatTemplate::new(Some("{{ tools[0] | tojson }}")).unwrap();
        let text = template.render(&[], &[json!({"z": [1, 2], "a": {"b": "<x>"}})]).unwrap();
        assert_eq!(text, r#"{"z": [1, 2], "a": {"b": "<x>"}}"#);
    }

    #[test]
    fn a_template_can_refuse() {
        let template = ChatTemplate::new(Some("{{ raise_exception('no system turn') }}")).unwrap();
        let error = template.render(&[], &[]).unwrap_err();
        assert!(matches!(error, Error::TemplateFailed(_)) && error.to_string().contains("no system turn"));
    }
}
