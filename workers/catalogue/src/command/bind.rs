//! Turns the words of a command line into typed arguments of one operation.
//!
//! Never fails: what fits is kept, what does not is handed back. Only the operation's schema knows how many words a flag
//! takes, so this is also where the words after a flag find out whether they are positionals.

use serde_json::Value;

use super::{Bound, CommandLine, aws, coerce, options, positionals, reference, render};
use crate::operation::{Invocation, Operation};

mod fields;

pub use fields::bind_request;

/// What `line` says to `operation`, which need not be the one it names.
pub fn bind(operation: &Operation, line: &CommandLine) -> Bound {
    let mut binder = Binder { operation, bound: Bound::default(), words: Vec::new(), is_request: false };
    let skipped = words_that_name(operation, line);
    match &operation.invocation {
        Invocation::Command { words } => {
            binder.words.extend_from_slice(&line.words[skipped..]);
            let mut flags = line.flags.clone();
            binder.bound.arguments = aws::take_customs(operation, &mut flags);
            let mut input = take_input(&mut flags);
            for (name, values) in &flags {
                binder.bind_flag(name, values);
            }
            aws::fill_from_json(operation, &mut input, &mut binder.bound);
            skip_literal(&mut binder.words, &words[1..], skipped);
            positionals::bind(operation, &binder.words, &line.rest, &mut binder.bound);
        }
        Invocation::Http { url, .. } => {
            let positionals = binder.bind_url(url, line, skipped);
            binder.bind_fields(&line.flags);
            binder.bind_in_order(url, &positionals);
        }
        // Nobody writes lines for these; whatever names a parameter may still propose a value.
        Invocation::GraphQl { .. } | Invocation::Mcp { .. } => binder.bind_fields(&line.flags),
    }
    binder.bound
}

/// The flag that holds arguments as JSON: read last, since the others win over it.
fn take_input(flags: &mut Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    flags.extract_if(.., |(name, _)| name == "cli-input-json").collect()
}

/// How many words of the line say which operation is meant.
fn words_that_name(operation: &Operation, line: &CommandLine) -> usize {
    if let Some(target) = line.target() {
        return target.words;
    }
    let Invocation::Command { words } = &operation.invocation else {
        return 0;
    };
    words.iter().skip(1).zip(&line.words).take_while(|(word, said)| word == said).count()
}

/// `taint nodes web`: the operation's last word may be said in any number, or not at all.
fn skip_literal(words: &mut Vec<String>, names: &[String], skipped: usize) {
    let literal = names.get(skipped).and_then(|literal| crate::import::kubernetes::kind(literal));
    let said = words.first().and_then(|word| crate::import::kubernetes::kind(word));
    if let (Some(literal), Some(said)) = (literal, said)
        && literal.name == said.name
    {
        words.remove(0);
    }
}

struct Binder<'a> {
    operation: &'a Operation,
    bound: Bound,
    /// Positionals, growing by the words that turn out not to belong to a flag.
    words: Vec<String>,
    /// A whole request is read, not a draft: what it says is meant literally.
    is_request: bool,
}

// === impl Binder ===

impl<'a> Binder<'a> {
    fn bind_flag(&mut self, name: &str, values: &[String]) {
        if let Some(letters) = name.strip_prefix('-') {
            return self.bind_letters(letters, values);
        }
        if self.set_aside(name, values) {
            return;
        }
        if let Some((parameter, schema)) = self.parameter(name) {
            let taken = self.take(parameter, schema, name, values);
            return self.keep_positionals(&values[taken..]);
        }
        let negated = name.strip_prefix("no-").and_then(|name| self.parameter(name));
        match negated.filter(|(_, schema)| self.operation.resolve(schema)["type"] == "boolean") {
            Some((parameter, _)) => {
                self.bound.arguments.insert(parameter.to_owned(), Value::Bool(false));
                self.keep_positionals(values);
            }
            None => self.leave(&format!("--{name}"), values),
        }
    }

    /// An option of the tool itself that no parameter of the operation has the name of.
    fn set_aside(&mut self, name: &str, values: &[String]) -> bool {
        let is_own = |(_, schema): (&str, &Value)| schema["x-flag"] == name;
        let Some(count) = options::words_of(name).filter(|_| self.operation.provider == "aws") else { return false };
        if self.operation.properties().any(is_own) && !options::is_paging(self.operation, name) {
            return false;
        }
        let (own, others) = values.split_at(values.len().min(count));
        self.bound.aside.push([&[format!("--{name}")], own].concat().join(" "));
        self.keep_positionals(others);
        true
    }

    /// `-it`: booleans in one word; `-nprod`: a value attached to its letter.
    fn bind_letters(&mut self, letters: &str, values: &[String]) {
        for (at, letter) in letters.char_indices() {
            let attached = &letters[at + letter.len_utf8()..];
            let Some((parameter, schema)) = self.by_letter(letter) else {
                return self.leave(&format!("-{}", &letters[at..]), values);
            };
            if self.operation.resolve(schema)["type"] == "boolean" && !attached.is_empty() {
                self.bound.arguments.insert(parameter.to_owned(), Value::Bool(true));
                continue;
            }
            if attached.is_empty() {
                let taken = self.take(parameter, schema, letters, values);
                return self.keep_positionals(&values[taken..]);
            }
            self.take(parameter, schema, letters, &[attached.to_owned()]);
            return self.keep_positionals(values);
        }
    }

    /// Binds the words that belong to a flag and says how many they are.
    fn take(&mut self, parameter: &'a str, schema: &'a Value, said: &str, values: &[String]) -> usize {
        let resolved = self.operation.resolve(schema);
        if resolved["type"] == "boolean" {
            if let Some(reference) = values.first().and_then(|word| reference::from_word(word)) {
                self.bound.arguments.insert(parameter.to_owned(), reference);
                return 1;
            }
            let said_so = values.first().and_then(|word| coerce::boolean(word));
            self.bound.arguments.insert(parameter.to_owned(), Value::Bool(said_so.unwrap_or(true)));
            return usize::from(said_so.is_some());
        }
        let count =
            if resolved["type"] == "array" && self.takes_all_words() { values.len() } else { values.len().min(1) };
        if self.keep_range(schema, &values[..count]) {
            return count;
        }
        let words = self.split_list(resolved, &values[..count]);
        if resolved["type"] == "array" && !self.takes_all_words() {
            let list = coerce::from_elements(self.operation, resolved, &words).filter(|_| count > 0);
            match list {
                Some(list) => self.insert_or_extend(parameter, list),
                None => self.leave(&dashed(said), &values[..count]),
            }
            return count;
        }
        if !self.keep(parameter, schema, &words) && !self.keep_template(parameter, schema, &words) {
            self.leave(&dashed(said), &values[..count]);
        }
        count
    }

    /// The AWS command line takes the words of a list together, except in `aws s3 …`.
    fn takes_all_words(&self) -> bool {
        self.operation.provider == "aws" && !render::is_aws_s3(self.operation)
    }

    /// kubectl reads `get,list` as two, unless the flag takes one element each time.
    fn split_list(&self, schema: &Value, words: &[String]) -> Vec<String> {
        if schema["type"] != "array" || self.operation.provider == "aws" || schema["x-repeat"] == true {
            return words.to_vec();
        }
        let split = |word: &String| -> Vec<String> {
            if reference::from_word(word).is_some() || word.ends_with("[@]}") {
                vec![word.clone()]
            } else {
                coerce::split_list(word)
            }
        };
        words.iter().flat_map(split).collect()
    }

    fn keep(&mut self, parameter: &str, schema: &Value, words: &[String]) -> bool {
        let Some(value) = (!words.is_empty()).then(|| coerce::from_words(self.operation, schema, words)).flatten()
        else {
            return false;
        };
        self.insert_or_extend(parameter, value);
        true
    }

    fn insert_or_extend(&mut self, parameter: &str, value: Value) {
        match (self.bound.arguments.get_mut(parameter), value) {
            // The same flag again adds to a list.
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (_, value) => drop(self.bound.arguments.insert(parameter.to_owned(), value)),
        }
    }

    /// `--count 2` and `--count 1:3`: one flag that fills two parameters.
    fn keep_range(&mut self, schema: &Value, words: &[String]) -> bool {
        let flag = schema["x-flag"].as_str().unwrap_or_default();
        let (Some((first, second)), [word]) = (render::sharing(self.operation, flag), words) else {
            return false;
        };
        let (least, most) = word.split_once(':').unwrap_or((word, word));
        let least = coerce::from_word(self.operation, schema, least);
        let most = coerce::from_word(self.operation, schema, most);
        let (Some(least), Some(most)) = (least, most) else { return false };
        self.bound.arguments.insert(first.to_owned(), least);
        self.bound.arguments.insert(second.to_owned(), most);
        true
    }

    /// `-o jsonpath={…}`: the format and its template in one word.
    fn keep_template(&mut self, parameter: &str, schema: &Value, words: &[String]) -> bool {
        let [word] = words else { return false };
        let (Some((format, template)), Some(own)) = (word.split_once('='), self.operation.parameter("template")) else {
            return false;
        };
        let is_kept = parameter == "output" && self.keep(parameter, schema, &[format.to_owned()]);
        is_kept && self.keep("template", own, &[template.to_owned()])
    }

    /// The words after a flag that are not its own: positionals where the operation has them.
    fn keep_positionals(&mut self, words: &[String]) {
        self.words.extend_from_slice(words);
    }

    /// A flag nobody knows takes one word with it.
    fn leave(&mut self, flag: &str, values: &[String]) {
        let (own, others) = values.split_at(values.len().min(1));
        self.bound.leftovers.push([&[flag.to_owned()], own].concat().join(" "));
        self.keep_positionals(others);
    }

    fn by_letter(&self, letter: char) -> Option<(&'a str, &'a Value)> {
        let is_meant = |schema: &Value| schema["x-short"].as_str().is_some_and(|short| short.chars().eq([letter]));
        self.operation.properties().find(|(_, schema)| is_meant(schema))
    }

    /// The parameter a name means: its flag, its own name in any case, either without a plural's `s`, or the one flag that
    /// begins so.
    fn parameter(&self, name: &str) -> Option<(&'a str, &'a Value)> {
        let flag = self.operation.properties().find(|(_, schema)| schema["x-flag"] == name);
        let plain = bare(name);
        let similar =
            |found: fn(&str, &str) -> bool| self.operation.properties().find(|(own, _)| found(&bare(own), &plain));
        flag.or_else(|| self.operation.properties().find(|(own, _)| *own == name))
            .or_else(|| similar(|own, said| own == said))
            .or_else(|| similar(|own, said| own.strip_suffix('s') == Some(said) || said.strip_suffix('s') == Some(own)))
            .or_else(|| self.abbreviated(name))
    }

    /// The AWS command line takes any beginning of a flag that is no other flag's.
    fn abbreviated(&self, name: &str) -> Option<(&'a str, &'a Value)> {
        let begins_so = |schema: &Value| schema["x-flag"].as_str().is_some_and(|flag| flag.starts_with(name));
        let mut found = self.operation.properties().filter(|(_, schema)| name.len() > 2 && begins_so(schema));
        found.next().filter(|_| found.next().is_none())
    }
}

/// A flag as it was written.
fn dashed(said: &str) -> String {
    format!("{}{said}", if said.len() > 1 { "--" } else { "-" })
}

/// A name without case and separators: `InstanceIds`, `instance-ids` and `instance_ids` are one.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}
