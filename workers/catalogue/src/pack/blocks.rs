//! Decodes one service's operations and keeps the last used ones.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::format::{damaged, le_u32};
use crate::error::Result;
use crate::operation::Operation;

/// Bigger: more memory (EC2, the largest, takes 350 MB decoded, others up to 80), fewer decodings (EC2: 18 ms). A plan touches a
/// handful of services; 24 let a process grow to 5.5 GB over 39 requests.
const KEPT_SERVICES: usize = 6;
/// Nothing real comes near (EC2 has 5 MB); bounds what a foreign file can make us allocate.
const MAX_BLOCK_LEN: u64 = 256 << 20;

/// Where a service's block lies in the section and what it must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockEntry {
    pub offset: u64,
    pub len: u64,
    pub raw_len: u64,
    pub crc: u32,
}

/// The decoded services, most recently used last.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    kept: Mutex<Vec<(usize, Arc<Block>)>>,
}

/// One service, decompressed; operations are parsed when asked for.
#[derive(Debug)]
pub(super) struct Block {
    raw: Vec<u8>,
    definitions: Arc<Map<String, Value>>,
    /// Byte ranges of the operations in `raw`.
    ranges: Vec<(usize, usize)>,
    parsed: Vec<OnceLock<Arc<Operation>>>,
}

// === impl Blocks ===

impl Blocks {
    pub fn get_or_decode(&self, service: usize, decode: impl FnOnce() -> Result<Block>) -> Result<Arc<Block>> {
        if let Some(block) = self.touch(service) {
            return Ok(block);
        }
        // Decoded outside the lock: two threads may do the same work once, nobody waits for EC2.
        let block = Arc::new(decode()?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, present)) = kept.iter().find(|(number, _)| *number == service) {
            return Ok(Arc::clone(present));
        }
        if kept.len() == KEPT_SERVICES {
            kept.remove(0);
        }
        kept.push((service, Arc::clone(&block)));
        Ok(block)
    }

    fn touch(&self, service: usize) -> Option<Arc<Block>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let position = kept.iter().position(|(number, _)| *number == service)?;
        let entry = kept.remove(position);
        let block = Arc::clone(&entry.1);
        kept.push(entry);
        Some(block)
    }
}

// === impl Block ===

impl Block {
    pub fn operation(&self, position: usize, path: &Path) -> Result<Arc<Operation>> {
        let missing = || damaged(path, format!("operation {position} is missing in its service"));
        let slot = self.parsed.get(position).ok_or_else(missing)?;
        if let Some(operation) = slot.get() {
            return Ok(Arc::clone(operation));
        }
        let (start, end) = self.ranges[position];
        let mut operation: Operation = serde_json::from_slice(&self.raw[start..end])
            .map_err(|error| damaged(path, format!("an operation does not parse: {error}")))?;
        operation.definitions = Arc::clone(&self.definitions);
        Ok(Arc::clone(slot.get_or_init(|| Arc::new(operation))))
    }
}

/// Definitions and operations as one compressed block: count, lengths, then the JSON texts, definitions first.
pub(super) fn encode(definitions: &Map<String, Value>, operations: &[Operation]) -> std::io::Result<(Vec<u8>, u64)> {
    let mut texts = vec![serde_json::to_vec(definitions)?];
    for operation in operations {
        texts.push(serde_json::to_vec(operation)?);
    }
    let mut raw = Vec::new();
    raw.extend_from_slice(&(texts.len() as u32).to_le_bytes());
    for text in &texts {
        raw.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    for text in &texts {
        raw.extend_from_slice(text);
    }
    // Level 12: a third smaller than 3 and still seconds for all of AWS; 19 takes a minute for 4 % more.
    let packed = zstd::bulk::compress(&raw, 12)?;
    Ok((packed, raw.len() as u64))
}

pub(super) fn decode(packed: &[u8], entry: &BlockEntry, path: &Path) -> Result<Block> {
    if crc32fast::hash(packed) != entry.crc {
        return Err(damaged(path, "checksum of a service differs".to_owned()));
    }
    if entry.raw_len > MAX_BLOCK_LEN {
        return Err(damaged(path, "a service is larger than any can be".to_owned()));
    }
    let raw = zstd::bulk::decompress(packed, entry.raw_len as usize)
        .map_err(|error| damaged(path, format!("a service does not decompress: {error}")))?;
    let ranges = text_ranges(&raw).ok_or_else(|| damaged(path, "a service is cut off".to_owned()))?;
    let (first, operations) = ranges.split_first().ok_or_else(|| damaged(path, "a service is empty".to_owned()))?;
    let definitions = serde_json::from_slice(&raw[first.0..first.1])
        .map_err(|error| damaged(path, format!("definitions do not parse: {error}")))?;
    Ok(Block {
        definitions: Arc::new(definitions),
        parsed: operations.iter().map(|_| OnceLock::new()).collect(),
        ranges: operations.to_vec(),
        raw,
    })
}

fn text_ranges(raw: &[u8]) -> Option<Vec<(usize, usize)>> {
    let count = le_u32(raw, 0)? as usize;
    let mut start = count.checked_mul(4)?.checked_add(4)?;
    if start > raw.len() {
        return None;
    }
    let mut ranges = Vec::with_capacity(count);
    for number in 0..count {
        let end = start.checked_add(le_u32(raw, 4 + number * 4)? as usize)?;
        raw.get(start..end)?;
        ranges.push((start, end));
        start = end;
    }
    Some(ranges)
}
