//! Gives the positionals of a command line to the parameters of an operation.

use serde_json::Value;

use super::{Bound, coerce, reference};
use crate::operation::Operation;

type Parameter<'a> = (&'a str, &'a Value);

/// One place among the positionals.
#[derive(Default)]
struct Slot<'a> {
    /// What may stand there alone; several are alternatives (`POD` or `TYPE/NAME`).
    alone: Vec<Parameter<'a>>,
    /// What is joined to it in the same word.
    joined: Option<(Parameter<'a>, char)>,
}

/// The parameters that `TYPE/NAME` fills.
struct Object<'a> {
    kind: Parameter<'a>,
    name: Parameter<'a>,
    /// What may stand there without a type.
    alone: Option<Parameter<'a>>,
}

struct Binder<'a, 'b> {
    operation: &'a Operation,
    slots: Vec<Slot<'a>>,
    at: usize,
    /// A kind was said in its own word: the next may be the name that belongs to it.
    awaited: Option<Parameter<'a>>,
    bound: &'b mut Bound,
}

/// Binds `words` and what came after `--`.
pub fn bind(operation: &Operation, words: &[String], rest: &[String], bound: &mut Bound) {
    let mut binder = Binder { operation, slots: slots(operation), at: 0, awaited: None, bound };
    // Where nothing is to come after `--`, it only says that what follows are no flags.
    let (words, rest) = match binder.after_dashes() {
        Some(_) => (words.to_vec(), rest),
        None => ([words, rest].concat(), &[][..]),
    };
    let mut after: Vec<String> = rest.to_vec();
    for (at, word) in words.iter().enumerate() {
        let is_last = at + 1 == words.len();
        if binder.take(word, is_last) {
            continue;
        }
        // `exec pod ls` for `exec pod -- ls`.
        match binder.after_dashes() {
            Some(_) if rest.is_empty() => after.push(word.clone()),
            _ => binder.bound.leftovers.push(word.clone()),
        }
    }
    match binder.after_dashes() {
        Some((name, schema)) if !after.is_empty() => {
            let words = coerce::from_elements(operation, schema, &after);
            binder.bound.arguments.extend(words.map(|words| (name.to_owned(), words)));
        }
        _ => binder.bound.leftovers.extend(after),
    }
}

fn slots(operation: &Operation) -> Vec<Slot<'_>> {
    let mut slots: Vec<Slot<'_>> = Vec::new();
    for (name, schema) in operation.properties().filter(|(_, schema)| schema["x-after-dashes"] != true) {
        let Some(position) =
            schema["x-position"].as_u64().and_then(|at| usize::try_from(at).ok()).filter(|at| *at < 64)
        else {
            continue;
        };
        if slots.len() <= position {
            slots.resize_with(position + 1, Slot::default);
        }
        match schema["x-join"].as_str().and_then(|join| join.chars().next()) {
            Some(join) => slots[position].joined = Some(((name, schema), join)),
            None => slots[position].alone.push((name, schema)),
        }
    }
    slots
}

/// Cuts at the first `join` outside a reference.
fn split_joined(word: &str, join: char) -> Option<(&str, &str)> {
    let skipped = word.strip_prefix("${").and_then(|rest| rest.find('}')).map_or(0, |length| length + 2);
    let at = skipped + word[skipped..].find(join)?;
    Some((&word[..at], &word[at + join.len_utf8()..]))
}

// === impl Slot ===

impl<'a> Slot<'a> {
    fn kind(&self) -> Option<Parameter<'a>> {
        self.alone.iter().copied().find(|(_, schema)| schema["x-kind"] == "kubernetes-kind")
    }

    fn plain(&self) -> impl Iterator<Item = Parameter<'a>> {
        self.alone.iter().copied().filter(|(_, schema)| schema["x-kind"] != "kubernetes-kind")
    }
}

// === impl Binder ===

impl<'a> Binder<'a, '_> {
    fn after_dashes(&self) -> Option<Parameter<'a>> {
        self.operation.properties().find(|(_, schema)| schema["x-after-dashes"] == true)
    }

    fn take(&mut self, word: &str, is_last: bool) -> bool {
        if let Some(awaited) = self.awaited.take()
            && self.set(awaited, word)
        {
            return true;
        }
        while self.at < self.slots.len() {
            if let Some(kind) = self.slots[self.at].kind() {
                self.at += 1;
                if word.contains('=') || word.ends_with('-') {
                    // `label -f pod.json a=b`: no kind was said.
                    continue;
                }
                return self.take_kind(self.at - 1, kind, word, is_last);
            }
            let slot = self.slots[self.at].plain().next();
            let is_rest = slot.is_some_and(|(_, schema)| schema["x-rest"] == true);
            if !is_rest {
                self.at += 1;
            }
            match slot {
                Some(parameter) if is_rest => return self.push(parameter, word),
                Some(parameter) if self.set(parameter, word) => return true,
                _ => {}
            }
        }
        false
    }

    /// `TYPE/NAME`, `TYPE`, or what may stand there instead of a type.
    fn take_kind(&mut self, at: usize, kind: Parameter<'a>, word: &str, is_last: bool) -> bool {
        let other = self.slots[at].plain().next();
        let name = self.slots[at].joined.or_else(|| {
            let next = self.slots.get(at + 1)?.plain().next()?;
            (next.1["x-kind"] == "kubernetes-name").then_some((next, '/'))
        });
        if let Some((name, join)) = name
            && let Some((left, right)) = split_joined(word, join)
            && self.typed(kind, left).is_some()
        {
            return self.set_object(&Object { kind, name, alone: other }, left, right);
        }
        let is_name = |(_, schema): &Parameter<'_>| schema["x-kind"] == "kubernetes-name";
        if let Some(other) = other.filter(|other| is_name(other) && reference::from_word(word).is_some()) {
            return self.set(other, word);
        }
        let is_kind = self.typed(kind, word).is_some();
        match (other, name) {
            // `logs deployment web`: not as documented, but clear.
            (Some(other), Some((name, _))) if is_kind && !is_last => {
                let is_pod = other.0 == word;
                self.awaited = Some(if is_pod { other } else { name });
                is_pod || self.set(kind, word)
            }
            (Some(other), _) if self.starts_as(other, word) => self.set(other, word),
            _ => {
                let is_joined = self.slots[at].joined.is_some();
                self.awaited = name.filter(|_| is_kind && is_joined).map(|(name, _)| name);
                self.set(kind, word)
            }
        }
    }

    fn set_object(&mut self, object: &Object<'a>, kind: &str, name: &str) -> bool {
        // `pod/web` where a pod may stand alone is that pod.
        let is_alone = |(other, _): &Parameter<'_>| self.typed(object.kind, kind).is_some_and(|kind| kind == *other);
        if let Some(alone) = object.alone.filter(is_alone) {
            return self.set(alone, name);
        }
        if !name.is_empty() && !self.set(object.name, name) {
            return false;
        }
        if self.slots.get(self.at).is_some_and(|slot| slot.plain().next() == Some(object.name)) {
            self.at += 1;
        }
        self.set(object.kind, kind)
    }

    /// An alternative that is no name must look the part: a URL begins with a slash.
    fn starts_as(&self, (_, schema): Parameter<'_>, word: &str) -> bool {
        schema["pattern"] != "^/" || word.starts_with('/')
    }

    fn typed(&self, (_, schema): Parameter<'_>, word: &str) -> Option<Value> {
        coerce::from_word(self.operation, schema, word)
    }

    fn set(&mut self, parameter: Parameter<'_>, word: &str) -> bool {
        let typed = self.typed(parameter, word);
        let is_typed = typed.is_some();
        self.bound.arguments.extend(typed.map(|value| (parameter.0.to_owned(), value)));
        is_typed
    }

    fn push(&mut self, (name, schema): Parameter<'_>, word: &str) -> bool {
        // `get pod/a pod/b`: further names may repeat the kind.
        let bare = word
            .split_once('/')
            .filter(|(kind, _)| name == "names" && self.is_bound_kind(kind))
            .map_or(word, |(_, bare)| bare);
        if let Some(whole) = reference::from_list_word(bare) {
            self.bound.arguments.insert(name.to_owned(), whole);
            return true;
        }
        let Some(value) = self.typed((name, &schema["items"]), bare) else {
            return false;
        };
        let list = self.bound.arguments.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().map(|items| items.push(value)).is_some()
    }

    fn is_bound_kind(&self, word: &str) -> bool {
        let kind = self.operation.parameter("resource").and_then(|schema| self.typed(("resource", schema), word));
        kind.is_some() && kind.as_ref() == self.bound.arguments.get("resource")
    }
}
