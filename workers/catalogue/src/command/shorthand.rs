//! Reads the AWS command line's shorthand: `Key=Name,Value=web`, `Name=tag:x,Values=a,b`, `Ebs={VolumeSize=8},Tags=[{Key=a}]`.
//!
//! awscli's own grammar, rule by rule (`awscli/shorthand.py`, 1.46.3). Every scalar comes out as a string: types are the schema's to
//! say. `key@=file://…` stays the text it is: nothing here reads files.

use serde_json::{Map, Value};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 16;

/// The object a shorthand text says, if it is one to its end.
pub fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    let mut fields = Map::new();
    loop {
        let (key, value) = reader.pair(0, Reader::values)?;
        // awscli takes a second time for a comma that should have been a blank.
        if fields.insert(key, value).is_some() {
            return None;
        }
        if reader.at == text.len() {
            return Some(Value::Object(fields));
        }
        reader.expect(',')?;
    }
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

    fn starts_with(&self, expected: char) -> bool {
        self.rest().starts_with(expected)
    }

    fn eat(&mut self, expected: char) -> bool {
        let is_there = self.starts_with(expected);
        self.at += if is_there { expected.len_utf8() } else { 0 };
        is_there
    }

    /// The character, with blanks around it.
    fn expect(&mut self, expected: char) -> Option<()> {
        self.skip_space();
        let is_there = self.eat(expected);
        self.skip_space();
        is_there.then_some(())
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
    }

    /// `key=value`; the key may be empty.
    fn pair(&mut self, depth: usize, value: impl FnOnce(&mut Self, usize) -> Option<Value>) -> Option<(String, Value)> {
        let is_key = |c: char| c.is_ascii_alphanumeric() || "-_.#/:".contains(c);
        let key = self.take_while(is_key).to_owned();
        self.skip_space();
        self.eat('@');
        self.expect('=')?;
        Some((key, value(self, depth)?))
    }

    fn values(&mut self, depth: usize) -> Option<Value> {
        match self.rest().chars().next() {
            Some('[' | '{') => self.bracketed(depth),
            _ => self.listed(),
        }
    }

    /// `a`, or `a,b` until what follows a comma is no value but the next `key=`.
    fn listed(&mut self) -> Option<Value> {
        let first = self.first()?;
        self.skip_space();
        let mut items = vec![first];
        while self.starts_with(',') {
            let comma = self.at;
            self.expect(',')?;
            let item = self.second();
            self.skip_space();
            match item {
                Some(item) if self.rest().is_empty() || self.starts_with(',') => items.push(item),
                _ if self.rest().is_empty() => return None,
                _ => {
                    self.at = comma;
                    break;
                }
            }
        }
        Some(if items.len() == 1 { Value::String(items.remove(0)) } else { items.into() })
    }

    fn bracketed(&mut self, depth: usize) -> Option<Value> {
        if depth >= MAX_DEPTH {
            return None;
        }
        if self.starts_with('{') {
            return self.fields(depth + 1);
        }
        self.expect('[')?;
        let mut items = Vec::new();
        while !self.eat(']') {
            items.push(self.explicit(depth + 1)?);
            self.separate(']')?;
        }
        Some(Value::Array(items))
    }

    fn fields(&mut self, depth: usize) -> Option<Value> {
        self.expect('{')?;
        let mut fields = Map::new();
        while !self.eat('}') {
            let (key, value) = self.pair(depth, Self::explicit)?;
            fields.insert(key, value);
            self.separate('}')?;
        }
        Some(Value::Object(fields))
    }

    /// A comma, unless the bracket closes.
    fn separate(&mut self, close: char) -> Option<()> {
        self.skip_space();
        if self.starts_with(close) { Some(()) } else { self.expect(',') }
    }

    fn explicit(&mut self, depth: usize) -> Option<Value> {
        match self.rest().chars().next()? {
            '[' | '{' => self.bracketed(depth),
            _ => self.first().map(Value::String),
        }
    }

    /// A quoted word, a bare one, or none at all.
    fn first(&mut self) -> Option<String> {
        let follows = |c: char| is_plain(c) && !"]}".contains(c) || c.is_whitespace();
        match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => Some(self.bare(follows).unwrap_or_default()),
        }
    }

    /// A further word of a list: it must be there, and may hold no `=`.
    fn second(&mut self) -> Option<String> {
        let follows = |c: char| is_plain(c) && c != '=' || c.is_whitespace();
        match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => self.bare(follows),
        }
    }

    /// A bare word; `\,` is a comma in it.
    fn bare(&mut self, follows: impl Fn(char) -> bool) -> Option<String> {
        let mut word = String::new();
        while let Some(c) = self.rest().chars().next() {
            // awscli begins a word with a closing bracket and then fails: `{Value=}` is clear enough.
            let is_start = is_plain(c) && !"=[{]}".contains(c) && !c.is_whitespace();
            if self.rest().starts_with("\\,") {
                word.push(',');
                self.at += 2;
            } else if if word.is_empty() { is_start } else { follows(c) } {
                word.push(c);
                self.at += c.len_utf8();
            } else {
                break;
            }
        }
        (!word.is_empty()).then(|| word.trim_end().to_owned())
    }

    /// Up to the next quote of the kind that has no backslash before it.
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
                '\\' if characters.as_str().starts_with([quote, '\\']) => word.extend(characters.next()),
                c => word.push(c),
            }
        }
        None
    }

    fn take_while(&mut self, is_taken: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !is_taken(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

/// What a bare word may hold: no quote, no comma, no control character. (awscli refuses what is beyond the basic plane: by accident.)
fn is_plain(c: char) -> bool {
    !"'\",".contains(c) && c > ' '
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
            ("a= b , c,d=", json!({"a": ["b", "c"], "d": ""})),
            ("a=x=y,b={c=[]}", json!({"a": "x=y", "b": {"c": []}})),
            (
                "Name=instance-type,Values=m1.*,t2.[a-z]",
                json!({"Name": "instance-type", "Values": ["m1.*", "t2.[a-z]"]}),
            ),
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
        for text in ["", "web", "a={b", "a=[b", "a='b", "a={b=c}x", "a=b,a=c", "a=b\"c\""] {
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
