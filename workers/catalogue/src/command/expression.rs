//! Reads a call in Python or JavaScript as a command line: `obb.equity.price.quote(symbol="META")`,
//! `stripe.charges.create({amount: 2500, currency: 'usd'})`.
//!
//! A reader of literals, not of a language: names as values become words, and what it does not know ends the call.

use super::CommandLine;

/// Objects whose methods are vendors' operations.
const ROOTS: &[&str] = &["obb", "openbb", "stripe"];
/// Deepest nesting of lists and objects that is read.
const MAX_DEPTH: usize = 8;

/// The call on the first line of `text` (which is `length` bytes long) and the bytes to go on after, when there is one.
pub fn read(text: &str, length: usize) -> Option<(CommandLine, usize)> {
    let line = &text[..length];
    let start = ROOTS.iter().filter_map(|root| find_root(line, root)).min()?;
    let open = start + text[start..length].find('(')?;
    let path: Vec<&str> = text[start..open].split('.').collect();
    if path.len() < 3 || !path.iter().all(|name| is_name(name)) {
        return None;
    }
    let mut call = CommandLine { program: path[0].to_owned(), ..CommandLine::default() };
    call.words.extend(path[1..].iter().map(|&name| name.to_owned()));
    let mut reader = Reader { text, at: open + 1 };
    while let Some((name, values)) = reader.argument() {
        match name {
            Some(name) => call.flags.push((name, values)),
            None => reader.positional(&mut call, values),
        }
    }
    let rest_of_line = text[reader.at..].find('\n').map_or(text.len(), |length| reader.at + length + 1);
    Some((call, rest_of_line))
}

fn find_root(line: &str, root: &str) -> Option<usize> {
    let found = line.match_indices(root).find(|(at, _)| {
        let before = line[..*at].chars().next_back();
        let is_start = before.is_none_or(|c| !(c.is_alphanumeric() || "_./-".contains(c)));
        is_start && line[at + root.len()..].starts_with('.')
    });
    found.map(|(at, _)| at)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

// === impl Reader ===

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self, skipped: &[char]) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || skipped.contains(&c)).len();
    }

    /// The next argument: its name if it has one, its value as words. Nothing at the closing bracket.
    fn argument(&mut self) -> Option<(Option<String>, Vec<String>)> {
        self.skip(&[',']);
        if self.rest().is_empty() || self.rest().starts_with(')') {
            return None;
        }
        let name = self.name(&['=']);
        let value = self.value(0)?;
        Some((name, into_words(value)))
    }

    /// `name=` or `name:`; nothing is read when it is not there.
    fn name(&mut self, separators: &[char]) -> Option<String> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| "'\"".contains(*c));
        let bare = quote.map_or(rest, |_| &rest[1..]);
        let length = bare.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '[' || c == ']'))?;
        let after = bare[length..].strip_prefix(|c| Some(c) == quote).unwrap_or(&bare[length..]).trim_start();
        if length == 0 || !after.starts_with(separators) || after.starts_with("==") {
            return None;
        }
        let name = bare[..length].to_owned();
        self.at = self.text.len() - after.len() + 1;
        self.skip(&[]);
        Some(name)
    }

    fn value(&mut self, depth: usize) -> Option<serde_json::Value> {
        let first = self.rest().chars().next()?;
        match first {
            '\'' | '"' | '`' => self.string(first),
            '[' | '(' if depth < MAX_DEPTH => self.list(if first == '[' { ']' } else { ')' }, depth),
            '{' if depth < MAX_DEPTH => self.object(depth),
            _ => self.bare(),
        }
    }

    fn string(&mut self, quote: char) -> Option<serde_json::Value> {
        self.at += 1;
        let mut value = String::new();
        let mut characters = self.text[self.at..].chars();
        while let Some(c) = characters.next() {
            match c {
                c if c == quote => break,
                '\\' => value.extend(characters.next()),
                c => value.push(c),
            }
        }
        self.at = self.text.len() - characters.as_str().len();
        Some(value.into())
    }

    fn list(&mut self, close: char, depth: usize) -> Option<serde_json::Value> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip(&[',']);
            if self.close(close) {
                return Some(items.into());
            }
            items.push(self.value(depth + 1)?);
        }
    }

    fn object(&mut self, depth: usize) -> Option<serde_json::Value> {
        self.at += 1;
        let mut fields = serde_json::Map::new();
        loop {
            self.skip(&[',']);
            if self.close('}') {
                return Some(fields.into());
            }
            let name = self.name(&[':'])?;
            fields.insert(name, self.value(depth + 1)?);
        }
    }

    fn close(&mut self, close: char) -> bool {
        let is_closed = self.rest().starts_with(close);
        self.at += usize::from(is_closed);
        is_closed
    }

    /// A number, `True`, `None`, or a name nobody can resolve here.
    fn bare(&mut self) -> Option<serde_json::Value> {
        let length = self.rest().find(|c: char| ",)]}\n".contains(c)).unwrap_or(self.rest().len());
        let text = self.rest()[..length].trim().to_owned();
        self.at += length;
        match text.as_str() {
            "" => None,
            "True" | "true" => Some(true.into()),
            "False" | "false" => Some(false.into()),
            "None" | "null" | "undefined" => Some(serde_json::Value::Null),
            // Python writes 1_000; an expression such as `25 * 100` stays a word, and will fit no number.
            text => Some(serde_json::from_str(&text.replace('_', "")).unwrap_or_else(|_| text.into())),
        }
    }

    /// JavaScript passes its named arguments in one object.
    fn positional(&self, call: &mut CommandLine, values: Vec<String>) {
        for value in values {
            match serde_json::from_str(&value) {
                Ok(serde_json::Value::Object(fields)) => {
                    call.flags.extend(fields.into_iter().map(|(name, value)| (name, into_words(value))));
                }
                _ => call.rest.push(value),
            }
        }
    }
}

fn into_words(value: serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Null => Vec::new(),
        serde_json::Value::String(text) => vec![text],
        serde_json::Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.into_iter().flat_map(into_words).collect()
        }
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(call: &CommandLine) -> Vec<String> {
        call.flags.iter().map(|(name, values)| format!("{name}={}", values.join("|"))).collect()
    }

    fn call(text: &str) -> CommandLine {
        let length = text.find('\n').map_or(text.len(), |length| length + 1);
        read(text, length).expect("a call").0
    }

    #[test]
    fn python_calls_are_read() {
        let quote = call(
            "df = obb.equity.price.historical(symbol=[\"META\", 'AAPL'], start_date=\"2025-04-21\", limit=1_000).to_df()",
        );
        assert_eq!((quote.program.as_str(), quote.words.join(".")), ("obb", "equity.price.historical".to_owned()));
        assert_eq!(flags(&quote), ["symbol=META|AAPL", "start_date=2025-04-21", "limit=1000"]);
        let charge =
            call("stripe.Charge.create(\n  amount=2500,\n  currency=\"usd\",\n  metadata={\"order\": \"42\"},\n)\n");
        assert_eq!(flags(&charge), ["amount=2500", "currency=usd", "metadata={\"order\":\"42\"}"]);
        assert_eq!(call("print(obb.equity.price.quote('META'))").rest, ["META"]);
    }

    #[test]
    fn javascript_calls_are_read() {
        let charge = call("const c = await stripe.charges.create({amount: 2500, currency: 'usd', capture: true});");
        assert_eq!(flags(&charge), ["amount=2500", "currency=usd", "capture=true"]);
        let customer = call("stripe.customers.update('cus_1', {email: 'a@b.c'})");
        assert_eq!(
            (customer.rest.as_slice(), flags(&customer)),
            (["cus_1".to_owned()].as_slice(), vec!["email=a@b.c".to_owned()])
        );
    }

    #[test]
    fn what_is_cut_off_gives_what_was_there() {
        assert_eq!(flags(&call("obb.equity.price.historical(symbol=\"META\", start_da")), ["symbol=META"]);
        assert_eq!(call("obb.equity.price.quote(").words, ["equity", "price", "quote"]);
    }

    #[test]
    fn attributes_and_other_names_are_no_calls() {
        for text in ["stripe.api_key = 'x'", "import stripe", "myobb.a.b(1)", "see api.stripe.com/v1 (docs)"] {
            assert!(read(text, text.len()).is_none(), "{text}");
        }
    }
}
