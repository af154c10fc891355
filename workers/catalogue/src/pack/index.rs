//! The part of a pack that is in memory from the start: services, names, keys and the inverted index.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::blocks::BlockEntry;
use super::dictionary::Dictionary;
use super::format::{Header, Section, damaged, le_u32, take_varint};
use crate::error::Result;

/// Bytes of one document in the section.
pub(super) const DOCUMENT_LEN: usize = 8;

/// One service of a pack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// As the vendor's command line names it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Index of its first operation.
    pub first: u32,
    /// How many operations it has; they follow each other.
    pub count: u32,
    /// How much it is used, 0 to 1; a mild prior in search.
    pub popularity: f32,
    pub(crate) block: BlockEntry,
}

/// The first section, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Directory {
    pub provider: String,
    pub services: Vec<ServiceEntry>,
    /// Mean field lengths of the documents: name, words, summary, parameters.
    pub mean_lengths: [f32; 4],
}

/// Lengths of an operation's searchable fields in terms, and what service it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    pub service: u16,
    /// Name, words, summary, parameters; 255 stands for 255 and more.
    pub lengths: [u8; 4],
    pub deprecated: bool,
}

/// How often a term stands in each field of one operation, as far as ranking cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Name, words, summary: 0 to 3 each.
    pub counts: [u8; 3],
    pub in_service: bool,
    pub in_parameters: bool,
}

#[derive(Debug)]
pub(crate) struct Index {
    pub provider: String,
    pub services: Vec<ServiceEntry>,
    pub mean_lengths: [f32; 4],
    names: Vec<u8>,
    documents: Vec<u8>,
    keys: Dictionary,
    /// Where the postings of a term begin.
    terms: Dictionary,
    postings: Vec<u8>,
}

// === impl Document ===

impl Document {
    pub fn to_bytes(self) -> [u8; DOCUMENT_LEN] {
        let [low, high] = self.service.to_le_bytes();
        let [name, words, summary, parameters] = self.lengths;
        [low, high, name, words, summary, parameters, u8::from(self.deprecated), 0]
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            service: u16::from_le_bytes([bytes[0], bytes[1]]),
            lengths: [bytes[2], bytes[3], bytes[4], bytes[5]],
            deprecated: bytes[6] != 0,
        }
    }
}

// === impl Posting ===

impl Posting {
    pub fn to_byte(self) -> u8 {
        let [name, words, summary] = self.counts.map(|count| count.min(3));
        name | words << 2 | summary << 4 | u8::from(self.in_service) << 6 | u8::from(self.in_parameters) << 7
    }

    pub fn from_byte(byte: u8) -> Self {
        Self {
            counts: [byte & 3, byte >> 2 & 3, byte >> 4 & 3],
            in_service: byte >> 6 & 1 == 1,
            in_parameters: byte >> 7 == 1,
        }
    }
}

// === impl Index ===

impl Index {
    /// Reads every section but the blocks through `load`, which checks them.
    pub(super) fn read(header: &Header, path: &Path, load: impl Fn(Section) -> Result<Vec<u8>>) -> Result<Self> {
        let directory: Directory = serde_json::from_slice(&load(Section::Directory)?)
            .map_err(|error| damaged(path, format!("its directory does not parse: {error}")))?;
        let dictionary = |section| {
            Dictionary::new(load(section)?).ok_or_else(|| damaged(path, format!("section {section:?} is cut off")))
        };
        let index = Self {
            provider: directory.provider,
            services: directory.services,
            mean_lengths: directory.mean_lengths,
            names: load(Section::Names)?,
            documents: load(Section::Documents)?,
            keys: dictionary(Section::Keys)?,
            terms: dictionary(Section::Terms)?,
            postings: load(Section::Postings)?,
        };
        let blocks_len = header.section(Section::Blocks).len;
        if !index.is_consistent(blocks_len) {
            return Err(damaged(path, "its directory contradicts itself".to_owned()));
        }
        Ok(index)
    }

    /// Do services, documents, names and blocks agree?
    fn is_consistent(&self, blocks_len: u64) -> bool {
        let mut next = 0u32;
        for service in &self.services {
            let end = service.block.offset.checked_add(service.block.len);
            if service.first != next || end.is_none_or(|end| end > blocks_len) {
                return false;
            }
            let Some(following) = next.checked_add(service.count) else { return false };
            next = following;
        }
        let whole = self.documents.len().is_multiple_of(DOCUMENT_LEN) && self.len() == next;
        let names_end = le_u32(&self.names, next as usize * 4).map(|end| end as usize);
        whole && names_end.is_some_and(|end| end + (next as usize + 1) * 4 == self.names.len())
    }

    pub fn len(&self) -> u32 {
        (self.documents.len() / DOCUMENT_LEN) as u32
    }

    pub fn document(&self, index: u32) -> Option<Document> {
        let at = index as usize * DOCUMENT_LEN;
        self.documents.get(at..at + DOCUMENT_LEN).map(Document::from_bytes)
    }

    pub fn operation_name(&self, index: u32) -> Option<&str> {
        let texts = (self.len() as usize + 1) * 4;
        let start = le_u32(&self.names, index as usize * 4)? as usize;
        let end = le_u32(&self.names, index as usize * 4 + 4)? as usize;
        std::str::from_utf8(self.names.get(texts + start..texts + end)?).ok()
    }

    pub fn lookup(&self, key: &str) -> Option<u32> {
        self.keys.get(key).filter(|index| *index < self.len())
    }

    /// In how many operations a term stands.
    pub fn frequency(&self, term: &str) -> u32 {
        self.list(term).and_then(|mut list| take_varint(&mut list)).unwrap_or(0)
    }

    /// Calls `visit` for each operation a term stands in, in the order of the indexes.
    pub fn for_each(&self, term: &str, mut visit: impl FnMut(u32, Posting)) {
        let Some(mut list) = self.list(term) else { return };
        let count = take_varint(&mut list).unwrap_or(0);
        let mut index = 0;
        for _ in 0..count {
            let Some(step) = take_varint(&mut list) else { return };
            let Some((&byte, rest)) = list.split_first() else { return };
            list = rest;
            let Some(next) = u32::checked_add(index, step).filter(|next| *next < self.len()) else { return };
            index = next;
            visit(index, Posting::from_byte(byte));
        }
    }

    fn list(&self, term: &str) -> Option<&[u8]> {
        self.postings.get(self.terms.get(term)? as usize..)
    }
}
