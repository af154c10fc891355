//! Writes the grammar of a call.
//!
//! Keys in any order without repetition need a memory of the keys said: one bit a key, kept in the parameter of a rule
//! (llguidance's parametric rules), so the grammar grows with the number of keys and not with their orders.

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use super::CallStyle;
use super::notation::{json_text, literal, run_of, separators};
use crate::error::{Error, Result};
use crate::offer::{Form, Offers, ParamOffer};

/// Rules carry 64 bits; more literals or keys than that keep no memory.
const MAX_BITS: usize = 64;

/// Lark text for a choice of these operations.
pub(super) fn write(operations: &[(&Operation, &Offers)], style: CallStyle) -> Result<String> {
    if operations.is_empty() {
        return Err(Error::GrammarRejected { reason: "no operation was offered".to_owned() });
    }
    let mut writer = Writer { style, rules: String::new(), count: 0 };
    let (item, key) = separators(style);
    let mut choices = Vec::new();
    for (operation, offers) in operations {
        let arguments = writer.object(&offers.parameters);
        let head = format!("{{\"operation\"{key}{}{item}\"arguments\"{key}", Value::from(operation.key()));
        choices.push(format!("{} {arguments} \"}}\"", literal(&head)));
    }
    Ok(format!("start: {}\n{}", choices.join("\n     | "), writer.rules))
}

struct Writer {
    style: CallStyle,
    rules: String,
    count: usize,
}

// === impl Writer ===

impl Writer {
    fn rule(&mut self, prefix: &str, parametric: bool, alternatives: &[String]) -> String {
        self.count += 1;
        let name = format!("{prefix}{}", self.count);
        let mark = if parametric { "::_" } else { "" };
        self.rules.push_str(&format!("{name}{mark}: {}\n", alternatives.join("\n    | ")));
        name
    }

    fn value(&mut self, form: &Form) -> String {
        match form {
            Form::OneOf(values) => {
                let literals: Vec<String> = values.iter().map(|value| literal(&json_text(value, self.style))).collect();
                self.rule("V", false, &literals)
            }
            Form::Copied(text) => {
                let words = self.rule("W", false, &[run_of(&json_words(text))]);
                self.rule("V", false, &[format!("\"\\\"\" {words} \"\\\"\"")])
            }
            Form::List { element, least, most } => self.list(element, *least, *most),
            Form::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &[ParamOffer]) -> String {
        let (item, key) = separators(self.style);
        let mut ordered: Vec<&ParamOffer> = members.iter().filter(|member| member.required).collect();
        let required = ordered.len();
        ordered.extend(members.iter().filter(|member| !member.required));
        ordered.truncate(MAX_BITS);
        let mut pairs = Vec::new();
        for member in &ordered {
            let name = literal(&format!("{}{key}", Value::from(member.name.as_str())));
            let value = self.value(&member.form);
            pairs.push(self.rule("p", false, &[format!("{name} {value}")]));
        }
        let bounds = Bounds { required, least: required, most: pairs.len(), item };
        self.set(("{", "}"), &pairs, &bounds)
    }

    fn list(&mut self, element: &Form, least: usize, most: usize) -> String {
        let (item, _) = separators(self.style);
        match element {
            // Distinct elements: the literals themselves are the keys.
            Form::OneOf(values) if values.len() <= MAX_BITS => {
                let mut literals: Vec<String> = Vec::new();
                for value in values {
                    let text = literal(&json_text(value, self.style));
                    if !literals.contains(&text) {
                        literals.push(text);
                    }
                }
                let bounds = Bounds { required: 0, least, most, item };
                self.set(("[", "]"), &literals, &bounds)
            }
            other => {
                let value = self.value(other);
                let (from, to) = (least.saturating_sub(1), most.saturating_sub(1));
                let rest = if to == 0 { String::new() } else { format!(" ({} {value}){{{from},{to}}}", literal(item)) };
                self.rule("l", false, &[format!("\"[\" {value}{rest} \"]\"")])
            }
        }
    }

    /// Members in any order, none twice, the first `required` of them always, between `least` and `most` of them.
    fn set(&mut self, (open, close): (&str, &str), members: &[String], bounds: &Bounds<'_>) -> String {
        let (open, close) = (literal(open), literal(close));
        if members.is_empty() {
            return self.rule("s", false, &[format!("{open} {close}")]);
        }
        if members.len() == 1 {
            let mut alternatives = vec![format!("{open} {} {close}", members[0])];
            if bounds.least == 0 {
                alternatives.push(format!("{open} {close}"));
            }
            return self.rule("s", false, &alternatives);
        }
        let more = format!("m{}", self.count + 1);
        let mut alternatives = vec![format!("{close}{}", bounds.end_condition())];
        for (bit, member) in members.iter().enumerate() {
            let condition = bounds.go_on_condition(bit);
            alternatives.push(format!("{} {member} {more}::set_bit({bit}) %if {condition}", literal(bounds.item)));
        }
        self.rule("m", true, &alternatives);
        let first =
            members.iter().enumerate().map(|(bit, member)| format!("{open} {member} {more}::0x{:x}", 1u64 << bit));
        let mut first: Vec<String> = first.collect();
        if bounds.least == 0 {
            first.push(format!("{open} {close}"));
        }
        self.rule("s", false, &first)
    }
}

struct Bounds<'a> {
    required: usize,
    least: usize,
    most: usize,
    item: &'a str,
}

// === impl Bounds ===

impl Bounds<'_> {
    fn end_condition(&self) -> String {
        match (self.required, self.least) {
            (0, 0 | 1) => String::new(),
            (0, least) => format!(" %if bit_count_ge(_, {least})"),
            (required, _) => format!(" %if is_ones([0:{required}])"),
        }
    }

    fn go_on_condition(&self, bit: usize) -> String {
        format!("and(bit_clear({bit}), bit_count_lt(_, {}))", self.most)
    }
}

// === private ===

/// The text cut before each word, as it stands inside a JSON string.
fn json_words(text: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if !chunks.is_empty() {
            chunks.push(" ".to_owned());
        }
        let quoted = Value::from(word).to_string();
        chunks.push(quoted[1..quoted.len() - 1].to_owned());
    }
    chunks
}
