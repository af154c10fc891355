//! Reads operations and shapes from the file, one part at a time, and keeps what was read last.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::blocks::{self, Place, Table};
use super::format::damaged;
use super::index::ServiceEntry;
use super::kept::{Kept, Weigh};
use crate::definitions::{self, Definitions, heap_bytes};
use crate::error::{CatalogueError, Result};
use crate::operation::Operation;

/// Parsed operations with the shapes that they have read. Bigger: more memory a pack, fewer readings of 0.1 to 1 ms. A step judges
/// a dozen operations of some 50 kB, the largest (EC2) take 2 MB.
const OPERATION_BYTES: usize = 12 << 20;
/// Unpacked parts: neighbours of what was asked for last.
const PART_BYTES: usize = 2 << 20;
/// Tables of services; EC2's has 0.4 MB.
const TABLE_BYTES: usize = 2 << 20;

/// A pack's file and what was read of it last.
#[derive(Debug)]
pub(super) struct Store {
    pub file: File,
    pub path: PathBuf,
    /// First byte of the section of blocks.
    blocks: u64,
    tables: Kept<u16, Arc<Table>>,
    parts: Kept<(u16, u32), Arc<Vec<u8>>>,
    operations: Kept<u32, Arc<Operation>>,
}

/// One service of a pack: what its operations read their shapes from.
#[derive(Debug)]
struct Shelf {
    store: Arc<Store>,
    service: u16,
    /// Where the service lies in the file.
    range: Range<u64>,
    table: Arc<Table>,
}

// === impl Store ===

impl Store {
    pub fn new(file: File, path: PathBuf, blocks: u64) -> Self {
        Self {
            file,
            path,
            blocks,
            tables: Kept::new(TABLE_BYTES),
            parts: Kept::new(PART_BYTES),
            operations: Kept::new(OPERATION_BYTES),
        }
    }

    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        read_at(&self.file, &self.path, range)
    }

    fn table(&self, number: u16, entry: &ServiceEntry, range: &Range<u64>) -> Result<Arc<Table>> {
        if let Some(table) = self.tables.get(&number) {
            return Ok(table);
        }
        let wrong = || damaged(&self.path, format!("the table of {} contradicts itself", entry.name));
        let within = entry.block.table.range_within(entry.block.len).ok_or_else(wrong)?;
        let packed = self.read(range.start + within.start..range.start + within.end)?;
        let table: Table = parse(&blocks::unpack(&packed, &entry.block.table, &self.path)?, &self.path)?;
        if !table.is_consistent(entry.block.len, entry.count) {
            return Err(wrong());
        }
        Ok(self.tables.keep(number, Arc::new(table)))
    }
}

/// Decodes an operation; its shapes are read when somebody follows a reference to them.
pub(super) fn operation(store: &Arc<Store>, index: u32, number: u16, entry: &ServiceEntry) -> Result<Arc<Operation>> {
    if let Some(operation) = store.operations.get(&index) {
        return Ok(operation);
    }
    let start = store.blocks + entry.block.offset;
    let range = start..start + entry.block.len;
    let table = store.table(number, entry, &range)?;
    let shelf = Shelf { store: Arc::clone(store), service: number, range, table };
    let missing = || damaged(&store.path, format!("operation {index} is missing in its service"));
    let place = shelf.table.operations.get((index - entry.first) as usize).ok_or_else(missing)?;
    let mut operation: Operation = shelf.text(*place, |text| parse(text, &store.path))?;
    operation.definitions = Arc::new(Definitions::shelved(Arc::new(shelf)));
    Ok(store.operations.keep(index, Arc::new(operation)))
}

pub(super) fn read_at(file: &File, path: &Path, range: Range<u64>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    match file.read_exact_at(&mut bytes, range.start) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(damaged(path, "it is cut off".to_owned())),
        Err(source) => Err(CatalogueError::PackOpenFailed { path: path.to_path_buf(), source }),
    }
}

fn parse<T: DeserializeOwned>(text: &[u8], path: &Path) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| damaged(path, format!("a part of it does not parse: {error}")))
}

// === impl Shelf ===

impl Shelf {
    fn text<T>(&self, Place(part, start, len): Place, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let part = self.part(part)?;
        let text = part.get(start as usize..start as usize + len as usize);
        read(text.ok_or_else(|| damaged(&self.store.path, "a text lies outside its part".to_owned()))?)
    }

    fn part(&self, number: u32) -> Result<Arc<Vec<u8>>> {
        let store = &self.store;
        if let Some(part) = store.parts.get(&(self.service, number)) {
            return Ok(part);
        }
        let missing = || damaged(&store.path, format!("part {number} of a service is missing"));
        let entry = self.table.parts.get(number as usize).ok_or_else(missing)?;
        let within = entry.range_within(self.range.end - self.range.start).ok_or_else(missing)?;
        let packed = store.read(self.range.start + within.start..self.range.start + within.end)?;
        let raw = blocks::unpack(&packed, entry, &store.path)?;
        Ok(store.parts.keep((self.service, number), Arc::new(raw)))
    }
}

impl definitions::Shelf for Shelf {
    fn names(&self) -> Vec<&str> {
        self.table.definitions.iter().map(|(name, _)| &**name).collect()
    }

    fn contains(&self, name: &str) -> bool {
        self.table.definition(name).is_some()
    }

    fn read(&self, name: &str) -> Option<Result<Value>> {
        let place = self.table.definition(name)?;
        Some(self.text(place, |text| parse(text, &self.store.path)))
    }
}

// === impl Weigh ===

impl Weigh for Arc<Table> {
    fn bytes(&self) -> usize {
        Table::bytes(self)
    }
}

impl Weigh for Arc<Vec<u8>> {
    fn bytes(&self) -> usize {
        self.capacity()
    }
}

impl Weigh for Arc<Operation> {
    fn bytes(&self) -> usize {
        heap_bytes(&self.parameters) + heap_bytes(&self.result) + self.definitions.bytes() + 1024
    }
}
