//! Writes a pack: one service after the other, then the file in one go.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::blocks::{self, BlockEntry};
use super::format::{self, Header, SECTIONS, push_varint};
use super::index::{Directory, Document, Posting, ServiceEntry};
use crate::error::{CatalogueError, Result};
use crate::import::ImportedService;
use crate::operation::{Invocation, Operation};
use crate::search::Fields;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackSummary {
    /// `sha256:…` of the content.
    pub digest: String,
    /// How many operations.
    pub operations: u32,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Collects services and writes them as one pack.
#[derive(Debug)]
pub struct PackWriter {
    provider: String,
    services: Vec<ServiceEntry>,
    blocks: Vec<u8>,
    names: Vec<String>,
    documents: Vec<Document>,
    keys: BTreeMap<String, u32>,
    terms: BTreeMap<String, Vec<(u32, Posting)>>,
}

// === impl PackWriter ===

impl PackWriter {
    /// An empty pack for a vendor.
    pub fn new(provider: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            services: Vec::new(),
            blocks: Vec::new(),
            names: Vec::new(),
            documents: Vec::new(),
            keys: BTreeMap::new(),
            terms: BTreeMap::new(),
        }
    }

    /// Adds a service; `popularity` (0 to 1) is a mild prior in search.
    ///
    /// # Errors
    /// [`CatalogueError::PackRefused`]: operations of another provider or service, or a name given twice.
    pub fn add(&mut self, service: &ImportedService, popularity: f32) -> Result<()> {
        let number = u16::try_from(self.services.len()).map_err(|_| refused(&service.name, "too many services"))?;
        let first = self.names.len() as u32;
        for (position, operation) in service.operations.iter().enumerate() {
            if operation.provider != self.provider || operation.service != service.name {
                return Err(refused(&operation.key(), "it belongs to another provider or service"));
            }
            self.add_operation(first + position as u32, number, service, operation)?;
        }
        let (packed, raw_len) = blocks::encode(&service.definitions, &service.operations)
            .map_err(|error| refused(&service.name, &format!("it does not serialise: {error}")))?;
        let block = BlockEntry {
            offset: self.blocks.len() as u64,
            len: packed.len() as u64,
            raw_len,
            crc: crc32fast::hash(&packed),
        };
        self.blocks.extend_from_slice(&packed);
        let entry = ServiceEntry {
            name: service.name.clone(),
            title: service.title.clone(),
            first,
            count: service.operations.len() as u32,
            popularity,
            block,
        };
        self.services.push(entry);
        Ok(())
    }

    fn add_operation(&mut self, index: u32, service: u16, of: &ImportedService, operation: &Operation) -> Result<()> {
        let exact = format::exact_key(&operation.service, &operation.name);
        if self.keys.insert(exact, index).is_some() {
            return Err(refused(&operation.key(), "the name is given twice"));
        }
        // The other keys may collide (`GetV2` and `get-v2`); the first one keeps them.
        let mut others = vec![format::loose_key(&operation.service, &operation.name)];
        match &operation.invocation {
            Invocation::Command { words } => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                others.push(format::command_key(&words));
            }
            Invocation::Http { method, url, .. } => others.push(format::http_template_key(method, url)),
            Invocation::Mcp { server, tool } => others.push(format::command_key(&[server, tool])),
            Invocation::GraphQl { .. } => {}
        }
        for key in others {
            self.keys.entry(key).or_insert(index);
        }
        let fields = Fields::of(operation, &of.title);
        for (term, posting) in fields.postings() {
            self.terms.entry(term).or_default().push((index, posting));
        }
        let deprecated = operation.parameters.get("deprecated").is_some_and(|flag| flag == true);
        let placeholders = placeholders(&operation.invocation);
        self.documents.push(Document { service, lengths: fields.lengths(), deprecated, placeholders });
        self.names.push(operation.name.clone());
        Ok(())
    }

    /// Writes the file beside its final place, then renames it: a reader sees the old pack or the new one.
    ///
    /// # Errors
    /// [`CatalogueError::PackWriteFailed`] when the disk refuses.
    pub fn finish(self, path: impl AsRef<Path>) -> Result<PackSummary> {
        let path = path.as_ref();
        let operations = self.names.len() as u32;
        self.write(path, operations)
            .map_err(|source| CatalogueError::PackWriteFailed { path: path.to_path_buf(), source })
    }

    fn write(self, path: &Path, operations: u32) -> io::Result<PackSummary> {
        let (terms, postings) = encode_terms(&self.terms)?;
        let directory =
            Directory { mean_lengths: mean_lengths(&self.documents), provider: self.provider, services: self.services };
        let directory = serde_json::to_vec(&directory)?;
        let names = encode_names(&self.names);
        let documents: Vec<u8> = self.documents.iter().flat_map(|document| document.to_bytes()).collect();
        let keys = encode_keys(&self.keys)?;
        write_file(path, [&directory, &names, &documents, &keys, &terms, &postings, &self.blocks, &[]], operations)
    }
}

/// Writes the sections beside their final place, then renames the file.
pub(super) fn write_file(path: &Path, sections: [&[u8]; SECTIONS], operations: u32) -> io::Result<PackSummary> {
    let mut hasher = Sha256::new();
    sections.iter().for_each(|section| hasher.update(section));
    let header = Header::lay_out(sections, hasher.finalize().into());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Readable for all: a pack has no secrets, and temporary files are private by default.
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut unnamed = tempfile::Builder::new();
    let mut file = unnamed.prefix(".pack-").suffix(".tmp").permissions(permissions).tempfile_in(folder)?;
    file.write_all(&header.to_bytes())?;
    for section in sections {
        file.write_all(section)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(PackSummary { digest: format::digest_name(&header.digest), operations, bytes: header.file_len })
}

fn refused(what: &str, reason: &str) -> CatalogueError {
    CatalogueError::PackRefused { what: what.to_owned(), reason: reason.to_owned() }
}

/// How many values the path of an HTTP request needs.
fn placeholders(invocation: &Invocation) -> u8 {
    match invocation {
        Invocation::Command { .. } | Invocation::Mcp { .. } | Invocation::GraphQl { .. } => 0,
        Invocation::Http { url, .. } => url.matches('{').count().min(255) as u8,
    }
}

fn encode_names(names: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut end = 0u32;
    for name in names {
        bytes.extend_from_slice(&end.to_le_bytes());
        end += name.len() as u32;
    }
    bytes.extend_from_slice(&end.to_le_bytes());
    names.iter().for_each(|name| bytes.extend_from_slice(name.as_bytes()));
    bytes
}

fn encode_keys(keys: &BTreeMap<String, u32>) -> io::Result<Vec<u8>> {
    let mut builder = fst::MapBuilder::memory();
    for (key, index) in keys {
        builder.insert(key, u64::from(*index)).map_err(io::Error::other)?;
    }
    builder.into_inner().map_err(io::Error::other)
}

/// The term dictionary (term → offset) and the posting lists: count, then steps and field bytes.
fn encode_terms(terms: &BTreeMap<String, Vec<(u32, Posting)>>) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut builder = fst::MapBuilder::memory();
    let mut postings = Vec::new();
    for (term, list) in terms {
        builder.insert(term, postings.len() as u64).map_err(io::Error::other)?;
        push_varint(&mut postings, list.len() as u32);
        let mut previous = 0;
        for (index, posting) in list {
            push_varint(&mut postings, index - previous);
            postings.push(posting.to_byte());
            previous = *index;
        }
    }
    Ok((builder.into_inner().map_err(io::Error::other)?, postings))
}

fn mean_lengths(documents: &[Document]) -> [f32; 4] {
    let mut sums = [0u64; 4];
    for document in documents {
        for (sum, length) in sums.iter_mut().zip(document.lengths) {
            *sum += u64::from(length);
        }
    }
    sums.map(|sum| (sum as f32 / documents.len().max(1) as f32).max(1.0))
}
