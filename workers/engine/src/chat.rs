//! Conversations as the model was trained to read them: the template inside the model file, rendered and tokenized.

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::tokenizer::Tokenizer;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// What was said.
    pub content: String,
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
        Self { role: "system".into(), content: content.into() }
    }

    /// What the person or program says.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user".into(), content: content.into() }
    }

    /// What the model said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: "assistant".into(), content: content.into() }
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
    pub fn render(&self, messages: &[Message], tools: &[serde_json::Value]) -> Result<String> {
        let template = self.environment.get_template(NAME)?;
        let messages = Value::from(Serde(messages));
        let tools = (!tools.is_empty()).then(|| Value::from(Serde(tools)));
        Ok(template.render(context! { messages, tools, add_generation_prompt => true })?)
    }

    /// Token ids of the conversation. Names of control tokens inside the messages' contents stay plain text.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`] and [`Tokenizer::encode`].
    pub fn encode(&self, tokenizer: &Tokenizer, messages: &[Message], tools: &[serde_json::Value]) -> Result<Vec<u32>> {
        let named = |message: &Message| tokenizer.control_names().any(|name| message.content.contains(name));
        if !messages.iter().any(named) {
            return tokenizer.encode_with_control(&self.render(messages, tools)?);
        }
        let veil = Veil::over(tokenizer, messages);
        let veiled = veil.cover_all(messages);
        let text = self.render(&veiled, tools)?;
        tokenizer.encode_veiled(&text, |piece| veil.lift(piece))
    }
}

/// Hides names of control tokens in contents while the template runs: each becomes a private-use character that no content has.
struct Veil {
    pairs: Vec<(char, String)>,
}

// === impl Veil ===

impl Veil {
    fn over(tokenizer: &Tokenizer, messages: &[Message]) -> Self {
        let is_free = |c: &char| !messages.iter().any(|message| message.content.contains(*c));
        let marks = ('\u{F0000}'..'\u{FFFFD}').filter(is_free);
        Self { pairs: marks.zip(tokenizer.control_names().map(str::to_string)).collect() }
    }

    fn cover_all(&self, messages: &[Message]) -> Vec<Message> {
        let cover = |message: &Message| {
            let fold = |text: String, (mark, name): &(char, String)| text.replace(name, mark.encode_utf8(&mut [0; 4]));
            Message { role: message.role.clone(), content: self.pairs.iter().fold(message.content.clone(), fold) }
        };
        messages.iter().map(cover).collect()
    }

    fn lift(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_string(), |text, (mark, name)| text.replace(*mark, name))
    }
}

/// `json.dumps` as the templates' authors saw it: a space after `:` and `,`, nothing escaped for HTML.
fn python_json(value: Value) -> Result<Value, minijinja::Error> {
    let failed = |why: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, why.to_string());
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, PythonSpacing);
    value.serialize(&mut serializer).map_err(failed)?;
    let text = String::from_utf8(bytes).expect("serde_json writes UTF-8");
    Ok(Value::from_safe_string(text))
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

fn raise_exception(message: String) -> Result<Value, minijinja::Error> {
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
