//! Keeps one vendor's operations in one file that opens in milliseconds.
//!
//! Start at [`Pack`] to read and at [`PackWriter`] to write. The layout is in `format.rs`. Knows nothing of vendors or models.
//!
//! Not memory-mapped: `mmap` needs `unsafe` (allowed in the engine only) and a file cut off under a mapping kills the
//! process. The index (a few MB) is read and checked at opening; operations are read by `pread` when somebody asks.

pub mod archive;
mod blocks;
mod embed;
mod format;
mod index;
mod writer;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{CatalogueError, Result};
use crate::operation::Operation;
use crate::search::{self, Frequencies, Query, Vectors};
use blocks::Blocks;
pub use format::FORMAT_VERSION;
use format::{Header, Section};
pub(crate) use format::{digest_name, squash};
pub use index::ServiceEntry;
pub(crate) use index::{Document, Index, Posting};
pub use writer::{PackSummary, PackWriter};

/// An operation of one pack that was found, and how well it fits (BM25; comparable within one search).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PackHit {
    /// Index of the operation in the pack.
    pub index: u32,
    /// Higher is better.
    pub score: f32,
}

/// All operations of one vendor, read from one file.
///
/// What is read is checked before it is used: the index by checksum in [`Pack::open`], each service's block by checksum
/// when first decoded. [`Pack::verify`] checks every byte against the digest.
#[derive(Debug)]
pub struct Pack {
    path: PathBuf,
    file: File,
    header: Header,
    index: Index,
    blocks: Blocks,
    vectors: Option<Vectors>,
}

// === impl Pack ===

impl Pack {
    /// Opens a pack: reads and checks its index, decodes no operation.
    ///
    /// # Errors
    /// A missing, cut off, altered or foreign file; each says to run `silverback catalogue build`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let open_failed = |source| CatalogueError::PackOpenFailed { path: path.clone(), source };
        let file = File::open(&path).map_err(open_failed)?;
        let file_len = file.metadata().map_err(open_failed)?.len();
        let head = read_at(&file, &path, 0..u64::from(format::HEADER_LEN).min(file_len))?;
        let header = Header::parse(&head, file_len, &path)?;
        let load = |section| {
            let entry = header.section(section);
            let bytes = read_at(&file, &path, entry.range())?;
            if crc32fast::hash(&bytes) != entry.crc {
                return Err(format::damaged(&path, format!("checksum of section {section:?} differs")));
            }
            Ok(bytes)
        };
        let index = Index::read(&header, &path, load)?;
        let vectors = embed::read(&load(Section::Vectors)?, index.len(), &path)?;
        Ok(Self { path, file, header, index, blocks: Blocks::default(), vectors })
    }

    /// Digest of the content, `sha256:…`, as written by the builder. [`Pack::verify`] checks it.
    pub fn digest(&self) -> String {
        format::digest_name(&self.header.digest)
    }

    /// Vendor: `aws`, `kubernetes`, …
    pub fn provider(&self) -> &str {
        &self.index.provider
    }

    /// How many operations there are.
    pub fn len(&self) -> u32 {
        self.index.len()
    }

    /// No operation at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file this pack was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the file in bytes when it was opened.
    pub fn file_len(&self) -> u64 {
        self.header.file_len
    }

    /// Services with the ranges of their operations, in the order of the operations.
    pub fn services(&self) -> &[ServiceEntry] {
        &self.index.services
    }

    /// The service that names itself so.
    pub fn service(&self, name: &str) -> Option<&ServiceEntry> {
        self.index.services.iter().find(|service| service.name == name)
    }

    /// Service and name of an operation, without decoding it.
    pub fn name(&self, index: u32) -> Option<(&str, &str)> {
        let document = self.index.document(index)?;
        let service = self.index.services.get(usize::from(document.service))?;
        Some((&service.name, self.index.operation_name(index)?))
    }

    /// Index of an operation by the vendor's own names, exactly.
    pub fn find(&self, service: &str, name: &str) -> Option<u32> {
        self.index.lookup(&format::exact_key(service, name))
    }

    /// Index by names compared without case, dashes, blanks and dots: `ec2`, `stop-instances`.
    pub fn find_loosely(&self, service: &str, name: &str) -> Option<u32> {
        self.index.lookup(&format::loose_key(service, name))
    }

    /// Index by the words of the vendor's command line: `["aws", "ec2", "stop-instances"]`.
    pub fn find_command(&self, words: &[&str]) -> Option<u32> {
        self.index.lookup(&format::command_key(words))
    }

    /// Index by HTTP method and path; path segments match `{name}` placeholders.
    pub fn find_http(&self, method: &str, path: &str) -> Option<u32> {
        format::http_keys(method, path).iter().find_map(|key| self.index.lookup(key))
    }

    /// Decodes an operation (and its service's shared shapes); the last used services are kept decoded.
    ///
    /// # Errors
    /// An index past the end, or a damaged block.
    pub fn operation(&self, index: u32) -> Result<Arc<Operation>> {
        let unknown = || CatalogueError::OperationUnknown { provider: self.provider().to_owned(), index };
        let document = self.index.document(index).ok_or_else(unknown)?;
        let number = usize::from(document.service);
        let entry = self.index.services.get(number).ok_or_else(unknown)?;
        let block = self.blocks.get_or_decode(number, || {
            let start = self.header.section(Section::Blocks).offset + entry.block.offset;
            let packed = read_at(&self.file, &self.path, start..start + entry.block.len)?;
            blocks::decode(&packed, &entry.block, &self.path)
        })?;
        block.operation((index - entry.first) as usize, &self.path)
    }

    /// At most `most` bytes of the file that was opened, from `offset` on; empty at its end.
    ///
    /// The file stays the one that was opened, also when another pack was renamed to its name since.
    ///
    /// # Errors
    /// The disk refuses, or the file was cut off under us.
    pub fn bytes_at(&self, offset: u64, most: usize) -> Result<Vec<u8>> {
        let end = self.header.file_len.min(offset.saturating_add(most as u64));
        read_at(&self.file, &self.path, offset.min(end)..end)
    }

    /// Reads the whole file and checks it against the digest.
    ///
    /// # Errors
    /// [`CatalogueError::PackDamaged`] when any byte differs from what the builder wrote.
    pub fn verify(&self) -> Result<()> {
        let mut hasher = Sha256::new();
        let mut position = u64::from(format::HEADER_LEN);
        while position < self.header.file_len {
            let end = (position + (1 << 20)).min(self.header.file_len);
            hasher.update(read_at(&self.file, &self.path, position..end)?);
            position = end;
        }
        if hasher.finalize()[..] != self.header.digest {
            return Err(format::damaged(&self.path, "its content differs from its digest".to_owned()));
        }
        Ok(())
    }

    /// Best `k` operations for a request in words, best first.
    pub fn search(&self, text: &str, k: usize) -> Vec<PackHit> {
        let query = Query::read(text, self.provider());
        let frequencies = Frequencies::of(std::iter::once((self, &query)));
        let found = search::rank(self, &query, &frequencies, &search::REQUEST, (None, k));
        found.into_iter().map(|(index, score)| PackHit { index, score }).collect()
    }

    /// Vectors of the operations; `None` when the pack was built without.
    pub fn vectors(&self) -> Option<&Vectors> {
        self.vectors.as_ref()
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}

fn read_at(file: &File, path: &Path, range: Range<u64>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    match file.read_exact_at(&mut bytes, range.start) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(format::damaged(path, "it is cut off".to_owned()))
        }
        Err(source) => Err(CatalogueError::PackOpenFailed { path: path.to_path_buf(), source }),
    }
}

#[cfg(test)]
mod tests;
