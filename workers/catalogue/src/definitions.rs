//! The shapes that the operations of one service share, each read when somebody first follows a `$ref` to it.
//!
//! A service may have thousands (EC2: 350 MB when all are parsed) and a call needs a few. Every operation keeps what it has read,
//! so that its memory goes when it goes. Knows no file: a pack gives it a [`Shelf`]. Start at [`Definitions::get`].

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use elsa::sync::FrozenMap;
use serde_json::{Map, Value, json};

use crate::error::Result;

/// Stands for a shape that could not be read (a pack damaged after it was opened). Nothing conforms to it: what cannot be
/// checked must not pass.
static UNREADABLE: LazyLock<Value> = LazyLock::new(|| json!({"enum": [], "x-unreadable": true}));

/// Where shapes are read from, by name.
pub(crate) trait Shelf: fmt::Debug + Send + Sync {
    /// Names in ascending order.
    fn names(&self) -> Vec<&str>;
    /// Is there one of this name? Reads nothing.
    fn contains(&self, name: &str) -> bool;
    /// The shape of this name; `None` when there is none.
    fn read(&self, name: &str) -> Option<Result<Value>>;
}

/// Shared shapes by name, target of `#/$defs/NAME`.
#[derive(Default)]
pub struct Definitions {
    source: Source,
    read: FrozenMap<String, Box<Value>>,
    bytes: AtomicUsize,
}

enum Source {
    Whole(Map<String, Value>),
    Shelved(std::sync::Arc<dyn Shelf>),
}

/// Could this schema not be read? Nothing may pass that was to be checked against it.
pub(crate) fn is_unreadable(schema: &Value) -> bool {
    schema.get("x-unreadable").is_some()
}

/// Heap bytes of a JSON value, near enough for a budget: an object of one member already takes half a kilobyte.
pub(crate) fn heap_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.capacity() + 16,
        Value::Array(items) => items.capacity() * size_of::<Value>() + 16 + items.iter().map(heap_bytes).sum::<usize>(),
        Value::Object(members) => map_bytes(members),
        _ => 0,
    }
}

// === impl Definitions ===

impl Definitions {
    pub(crate) fn shelved(shelf: std::sync::Arc<dyn Shelf>) -> Self {
        Self { source: Source::Shelved(shelf), ..Self::default() }
    }

    /// The shape of this name. One that is there and cannot be read is a schema that nothing conforms to.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let shelf = match &self.source {
            Source::Whole(map) => return map.get(name),
            Source::Shelved(shelf) => shelf,
        };
        if let Some(known) = self.read.get(name) {
            return Some(known);
        }
        let Ok(value) = shelf.read(name)? else { return Some(&UNREADABLE) };
        self.bytes.fetch_add(heap_bytes(&value) + name.len() + 128, Ordering::Relaxed);
        Some(self.read.insert(name.to_owned(), Box::new(value)))
    }

    /// Is there a shape of this name? Reads nothing.
    pub fn contains_key(&self, name: &str) -> bool {
        match &self.source {
            Source::Whole(map) => map.contains_key(name),
            Source::Shelved(shelf) => shelf.contains(name),
        }
    }

    /// Every name. Reads nothing.
    pub fn names(&self) -> Vec<&str> {
        match &self.source {
            Source::Whole(map) => map.keys().map(String::as_str).collect(),
            Source::Shelved(shelf) => shelf.names(),
        }
    }

    /// Heap bytes of what was read so far, near enough for a budget.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl From<Map<String, Value>> for Definitions {
    fn from(map: Map<String, Value>) -> Self {
        Self { bytes: AtomicUsize::new(map_bytes(&map)), source: Source::Whole(map), read: FrozenMap::new() }
    }
}

impl PartialEq for Definitions {
    fn eq(&self, other: &Self) -> bool {
        let (mut names, mut others) = (self.names(), other.names());
        names.sort_unstable();
        others.sort_unstable();
        names == others && names.into_iter().all(|name| self.get(name) == other.get(name))
    }
}

impl fmt::Debug for Definitions {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Definitions").field("names", &self.names().len()).field("bytes", &self.bytes()).finish()
    }
}

// === impl Source ===

impl Default for Source {
    fn default() -> Self {
        Self::Whole(Map::new())
    }
}

/// An index map: its entries (hash, name, value; room for four at least) and its table.
fn map_bytes(members: &Map<String, Value>) -> usize {
    const ENTRY: usize = size_of::<usize>() + size_of::<String>() + size_of::<Value>();
    let room = members.len().next_power_of_two().max(4);
    let inside = members.iter().map(|(name, value)| name.capacity() + 16 + heap_bytes(value)).sum::<usize>();
    if members.is_empty() { 0 } else { room * (ENTRY + 16) + 48 + inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl Shelf for Broken {
        fn names(&self) -> Vec<&str> {
            vec!["Box"]
        }

        fn contains(&self, name: &str) -> bool {
            name == "Box"
        }

        fn read(&self, name: &str) -> Option<Result<Value>> {
            let damaged = || crate::CatalogueError::PackDamaged { path: "x".into(), reason: "cut off".to_owned() };
            self.contains(name).then(|| Err(damaged()))
        }
    }

    #[test]
    fn nothing_conforms_to_a_shape_that_cannot_be_read() {
        let definitions = Definitions::shelved(std::sync::Arc::new(Broken));
        assert!(is_unreadable(definitions.get("Box").unwrap()));
        assert_eq!(definitions.get("Other"), None);
        for value in [json!(1), json!("a"), json!({}), json!([]), json!(null)] {
            assert!(!crate::check::conforms(definitions.get("Box").unwrap(), &value), "{value}");
        }
    }

    #[test]
    fn a_whole_map_is_read_as_it_is() {
        let map = json!({"B": {"type": "string"}, "A": {"type": "integer"}});
        let definitions = Definitions::from(map.as_object().unwrap().clone());
        assert_eq!(definitions.names(), ["B", "A"]);
        assert_eq!(definitions.get("A"), map.get("A"));
        assert!(definitions.contains_key("B") && !definitions.contains_key("C"));
    }
}
