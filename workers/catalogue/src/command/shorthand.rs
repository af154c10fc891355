//! Reads the AWS command line's shorthand: `Key=Name,Value=web`, `Name=tag:x,Values=a,b`, `Ebs={VolumeSize=8},Tags=[{Key=a}]`.
//!
//! The grammar is awscli's own (`awscli/shorthand.py`). Every scalar comes out as a string: types are the schema's to say.

use serde_json::{Map, Value};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 16;

/// The object a shorthand text says, if it is one to its end.
pub fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    let fields = reader.fields(None, 0)?;
    (reader.at == text.len() && !fields.is_empty()).then_some(Value::Object(fields))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn eat(&mut self, expected: char) -> bool {
        let is_there = self.rest().starts_with(expected);
        self.at += if is_there { expected.len_utf8() } else { 0 };
        is_there
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// `key=value,key=value` up to `close`, or to the end.
    fn fields(&mut self, close: Option<char>, depth: usize) -> Option<Map<String, Value>> {
        let mut fields = Map::new();
        loop {
            self.skip_space();
            let key = self.key()?.to_owned();
            let value = self.value(close, depth)?;
            fields.insert(key, value);
            self.skip_space();
            if !self.eat(',') {
                return Some(fields);
            }
        }
    }

    /// `key=`; nothing is read when it is not there.
    fn key(&mut self) -> Option<&'a str> {
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || "-_./#:@ ".contains(c)))?;
        let key = self.rest()[..length].trim();
        if key.is_empty() || !self.rest()[length..].starts_with('=') {
            return None;
        }
        self.at += length + 1;
        Some(key)
    }

    fn value(&mut self, close: Option<char>, depth: usize) -> Option<Value> {
        self.skip_space();
        if self.rest().starts_with(['[', '{']) {
            return self.bracketed(depth);
        }
        let first = self.scalar(close)?;
        let mut items = vec![first];
        // Implicit list: `Values=a,b` goes on until something that reads `key=`.
        while self.rest().starts_with(',') && !self.key_follows() {
            self.at += 1;
            self.skip_space();
            if self.rest().is_empty() {
                break;
            }
            items.push(self.scalar(close)?);
        }
        Some(if items.len() == 1 { Value::String(items.remove(0)) } else { items.into() })
    }

    fn bracketed(&mut self, depth: usize) -> Option<Value> {
        if depth >= MAX_DEPTH {
            return None;
        }
        if self.eat('{') {
            let fields = self.fields(Some('}'), depth + 1)?;
            return self.eat('}').then_some(Value::Object(fields));
        }
        self.eat('[');
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.eat(']') {
                return Some(Value::Array(items));
            }
            let is_nested = self.rest().starts_with(['[', '{']);
            items.push(if is_nested { self.bracketed(depth + 1)? } else { Value::String(self.scalar(Some(']'))?) });
            self.skip_space();
            if !self.eat(',') && !self.rest().starts_with(']') {
                return None;
            }
        }
    }

    fn key_follows(&self) -> bool {
        Reader { text: self.text, at: self.at + 1 }.key().is_some()
    }

    /// A quoted or bare word; bare ones end at a comma or at the bracket that is open.
    fn scalar(&mut self, close: Option<char>) -> Option<String> {
        if let Some(quote) = self.rest().chars().next().filter(|c| "'\"".contains(*c)) {
            return self.quoted(quote);
        }
        let mut word = String::new();
        let mut characters = self.rest().chars();
        while let Some(c) = characters.clone().next() {
            if c == ',' || Some(c) == close {
                break;
            }
            characters.next();
            match c {
                '\\' if characters.as_str().starts_with(',') => word.extend(characters.next()),
                c => word.push(c),
            }
        }
        self.at = self.text.len() - characters.as_str().len();
        Some(word.trim_end().to_owned())
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        self.at += 1;
        let mut word = String::new();
        let mut characters = self.rest().chars();
        while let Some(c) = characters.next() {
            match c {
                c if c == quote => {
                    self.at = self.text.len() - characters.as_str().len();
                    return Some(word);
                }
                '\\' => word.extend(characters.next()),
                c => word.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_vendor_are_read() {
        for (text, value) in [
            ("Key=Name,Value=web", json!({"Key": "Name", "Value": "web"})),
            ("Name=tag:env,Values=a,b,c", json!({"Name": "tag:env", "Values": ["a", "b", "c"]})),
            ("Values=a,b,Name=x", json!({"Values": ["a", "b"], "Name": "x"})),
            (
                "DeviceName=/dev/sda1,Ebs={VolumeSize=8,Encrypted=true}",
                json!({"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": "8", "Encrypted": "true"}}),
            ),
            (
                "ResourceType=instance,Tags=[{Key=Name,Value='a, b'},{Key=x,Value=}]",
                json!({"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "a, b"}, {"Key": "x", "Value": ""}]}),
            ),
            ("ids=[a,b]", json!({"ids": ["a", "b"]})),
            (r#"Key=a,Value="x=y,z""#, json!({"Key": "a", "Value": "x=y,z"})),
            (r"Value=a\,b", json!({"Value": "a,b"})),
            ("LocationConstraint=eu-west-1", json!({"LocationConstraint": "eu-west-1"})),
            ("FunctionArn=arn:aws:lambda:x:1:function:f", json!({"FunctionArn": "arn:aws:lambda:x:1:function:f"})),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_shorthand_is_refused() {
        for text in ["", "web", "=x", "a={b", "a=[b", "a='b", "a={b=c}x"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"a={".repeat(100)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c=,'\"{}\\[\\]\\\\ ]{0,60}") {
            parse(&text);
        }
    }
}
