//! The bytes of one service: its texts in small compressed parts, then a table of where each text is.
//!
//! An operation and the shapes that it is the first to lead to lie side by side, so that reading it takes one part or two and not the
//! whole service (EC2: 5 MB of JSON). Here is the layout; `shelf.rs` reads it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::format::damaged;
use crate::error::Result;
use crate::operation::Operation;

/// Raw bytes after which a part is closed. Bigger: a smaller file, more to unpack for one operation.
const PART_LEN: usize = 64 << 10;
/// Nothing real comes near; bounds what a foreign file can make us allocate.
const MAX_RAW_LEN: u32 = 16 << 20;
/// More than JSON ever shrinks; bounds it further for a small foreign file.
const MAX_RATIO: u32 = 1000;
/// Level 12: a third smaller than 3 and still seconds for all of AWS; 19 takes a minute for 4 % more.
const LEVEL: i32 = 12;

/// Compressed bytes: where, how many, and what they must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// From the start of the service.
    pub offset: u32,
    pub len: u32,
    pub raw_len: u32,
    pub crc: u32,
}

/// Where a service's bytes lie in the section, and its table within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockEntry {
    pub offset: u64,
    pub len: u64,
    pub table: Packed,
}

/// Where a text lies: number of the part, first byte, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place(pub u32, pub u32, pub u32);

/// Where every text of a service lies.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    pub parts: Vec<Packed>,
    /// In the order of the operations.
    pub operations: Vec<Place>,
    /// Ascending by name.
    pub definitions: Vec<(Box<str>, Place)>,
}

/// Puts texts into parts.
#[derive(Default)]
struct Packing {
    bytes: Vec<u8>,
    open: Vec<u8>,
    parts: Vec<Packed>,
}

/// The bytes of a service, and its entry but for the offset.
pub(super) fn encode(definitions: &Map<String, Value>, operations: &[Operation]) -> io::Result<(Vec<u8>, BlockEntry)> {
    let mut packing = Packing::default();
    let mut table = Table::default();
    let mut placed: BTreeMap<&str, Place> = BTreeMap::new();
    for operation in operations {
        table.operations.push(packing.add(&serde_json::to_vec(operation)?)?);
        let mut open = vec![&operation.result, &operation.parameters];
        while let Some(value) = open.pop() {
            for name in targets(value) {
                if let Some((name, shape)) = definitions.get_key_value(name)
                    && !placed.contains_key(name.as_str())
                {
                    placed.insert(name, packing.add(&serde_json::to_vec(shape)?)?);
                    open.push(shape);
                }
            }
        }
    }
    // What nothing leads to is kept all the same: an importer may mean it for somebody.
    for (name, shape) in definitions {
        if !placed.contains_key(name.as_str()) {
            placed.insert(name, packing.add(&serde_json::to_vec(shape)?)?);
        }
    }
    packing.close()?;
    table.definitions = placed.into_iter().map(|(name, place)| (name.into(), place)).collect();
    table.parts = std::mem::take(&mut packing.parts);
    let place = packing.compress(&serde_json::to_vec(&table)?)?;
    let entry = BlockEntry { offset: 0, len: packing.bytes.len() as u64, table: place };
    Ok((packing.bytes, entry))
}

/// Unpacks what a checksum vouches for; sizes are looked at before anything is allocated.
pub(super) fn unpack(packed: &[u8], entry: &Packed, path: &Path) -> Result<Vec<u8>> {
    if crc32fast::hash(packed) != entry.crc {
        return Err(damaged(path, "checksum of a service differs".to_owned()));
    }
    if entry.raw_len > MAX_RAW_LEN || entry.raw_len / MAX_RATIO > entry.len {
        return Err(damaged(path, "a service says that it is larger than any can be".to_owned()));
    }
    let raw = zstd::bulk::decompress(packed, entry.raw_len as usize)
        .map_err(|error| damaged(path, format!("a service does not decompress: {error}")))?;
    if raw.len() != entry.raw_len as usize {
        return Err(damaged(path, "a service is cut off".to_owned()));
    }
    Ok(raw)
}

/// Names of the shapes that a schema refers to, in its own order.
fn targets(schema: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items.iter().rev()),
            Value::Object(members) => {
                let target = members.get("$ref").and_then(Value::as_str);
                found.extend(target.and_then(|target| target.strip_prefix("#/$defs/")));
                open.extend(members.iter().rev().map(|(_, member)| member));
            }
            _ => {}
        }
    }
    found
}

// === impl Packing ===

impl Packing {
    fn add(&mut self, text: &[u8]) -> io::Result<Place> {
        if !self.open.is_empty() && self.open.len() + text.len() > PART_LEN {
            self.close()?;
        }
        let place = Place(self.parts.len() as u32, self.open.len() as u32, text.len() as u32);
        self.open.extend_from_slice(text);
        Ok(place)
    }

    fn close(&mut self) -> io::Result<()> {
        if !self.open.is_empty() {
            let raw = std::mem::take(&mut self.open);
            let part = self.compress(&raw)?;
            self.parts.push(part);
        }
        Ok(())
    }

    fn compress(&mut self, raw: &[u8]) -> io::Result<Packed> {
        let too_large = || io::Error::other(format!("{} bytes in one piece; {MAX_RAW_LEN} are possible", raw.len()));
        let raw_len = u32::try_from(raw.len()).ok().filter(|len| *len <= MAX_RAW_LEN).ok_or_else(too_large)?;
        let packed = zstd::bulk::compress(raw, LEVEL)?;
        let offset = u32::try_from(self.bytes.len()).map_err(io::Error::other)?;
        self.bytes.extend_from_slice(&packed);
        Ok(Packed { offset, len: packed.len() as u32, raw_len, crc: crc32fast::hash(&packed) })
    }
}

// === impl Packed ===

impl Packed {
    /// First byte and the one after the last, from the start of the service; `None` when they are not within `len` bytes.
    pub fn range_within(&self, len: u64) -> Option<std::ops::Range<u64>> {
        let (start, end) = (u64::from(self.offset), u64::from(self.offset) + u64::from(self.len));
        (end <= len).then_some(start..end)
    }
}

// === impl Table ===

impl Table {
    /// Do the parts lie in the service, every text in its part, and the names in order?
    pub fn is_consistent(&self, len: u64, operations: u32) -> bool {
        let texts = self.operations.iter().chain(self.definitions.iter().map(|(_, place)| place));
        self.operations.len() == operations as usize
            && self.parts.iter().all(|part| part.range_within(len).is_some())
            && texts.into_iter().all(|place| self.holds(*place))
            && self.definitions.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }

    /// Where the shape of this name lies.
    pub fn definition(&self, name: &str) -> Option<Place> {
        let at = self.definitions.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(self.definitions[at].1)
    }

    /// Bytes on the heap, near enough.
    pub fn bytes(&self) -> usize {
        let names: usize = self.definitions.iter().map(|(name, _)| name.len() + 16).sum();
        names + self.definitions.len() * 28 + self.operations.len() * 12 + self.parts.len() * 16
    }

    fn holds(&self, Place(part, start, len): Place) -> bool {
        let end = u64::from(start) + u64::from(len);
        self.parts.get(part as usize).is_some_and(|part| end <= u64::from(part.raw_len))
    }
}
