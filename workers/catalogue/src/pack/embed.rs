//! Adds what operations mean, as vectors, to a pack that is finished otherwise.
//!
//! A pass of its own and not part of the writer: an importer need not know that vectors exist, and a pack without them is
//! whole (search by meaning is then absent).

use std::path::Path;

use sha2::{Digest, Sha256};

use super::format::{Section, damaged};
use super::writer::write_file;
use super::{Pack, PackSummary, read_at};
use crate::error::{CatalogueError, Result};
use crate::search::{Encoder, Vectors, phrases, sentence};

/// Texts given to the encoder at once; more holds more memory and shows progress later.
const BATCH: usize = 1024;

/// What an encoder gives.
type Encoded = std::result::Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>>;

/// What is encoded of a pack.
struct Texts {
    /// One an operation.
    sentences: Vec<String>,
    /// Users' phrases, each with its operation.
    phrases: Vec<(u32, &'static str)>,
}

// === impl Pack ===

impl Pack {
    /// What each operation says about itself to an encoder, in their order.
    ///
    /// # Errors
    /// A block that does not decode.
    pub fn sentences(&self) -> Result<Vec<String>> {
        Ok(Texts::of(self)?.sentences)
    }

    /// Writes this pack with vectors by `encoder` to `path` (its own path is allowed: the file is replaced by renaming).
    ///
    /// # Errors
    /// The encoder fails or gives vectors of another shape, an operation does not decode, or the disk refuses. The old
    /// file then stays.
    pub fn write_with_vectors(&self, encoder: &dyn Encoder, path: impl AsRef<Path>) -> Result<PackSummary> {
        self.write_vectors(&self.encode(encoder)?, path.as_ref())
    }

    /// Does the same with the vectors of an earlier pack, which took minutes, when that one is by the encoder `model` and of the same
    /// texts; `None` when it is not. The earlier file may have been replaced: it is read through its open handle.
    ///
    /// # Errors
    /// As [`Pack::write_with_vectors`].
    pub fn write_with_vectors_of(
        &self,
        earlier: &Pack,
        model: &str,
        path: impl AsRef<Path>,
    ) -> Result<Option<PackSummary>> {
        let Some(vectors) = earlier.vectors().filter(|vectors| vectors.model() == model) else { return Ok(None) };
        if Texts::of(self)?.digest() != vectors.texts() {
            return Ok(None);
        }
        self.write_vectors(vectors, path.as_ref()).map(Some)
    }

    fn write_vectors(&self, vectors: &Vectors, path: &Path) -> Result<PackSummary> {
        let mut sections = Vec::new();
        for section in Section::ALL {
            let is_new = section == Section::Vectors;
            sections.push(if is_new { vectors.to_bytes() } else { self.section(section)? });
        }
        let slices = std::array::from_fn(|at| sections[at].as_slice());
        write_file(path, slices, self.len())
            .map_err(|source| CatalogueError::PackWriteFailed { path: path.to_path_buf(), source })
    }

    fn section(&self, section: Section) -> Result<Vec<u8>> {
        read_at(&self.file, &self.path, self.header.section(section).range())
    }

    fn encode(&self, encoder: &dyn Encoder) -> Result<Vectors> {
        let refused = |reason: String| CatalogueError::PackRefused { what: self.provider().to_owned(), reason };
        let texts = Texts::of(self)?;
        let mut vectors = Vectors::new(encoder.model(), texts.digest());
        let sentences: Vec<&str> = texts.sentences.iter().map(String::as_str).collect();
        for batch in sentences.chunks(BATCH) {
            for vector in one_each(encoder.encode(batch), batch.len()).map_err(refused)? {
                vectors.push(&vector).map_err(refused)?;
            }
        }
        for batch in texts.phrases.chunks(BATCH) {
            let (owners, said): (Vec<u32>, Vec<&str>) = batch.iter().copied().unzip();
            let encoded = one_each(encoder.encode_requests(&said), batch.len()).map_err(refused)?;
            for (owner, vector) in owners.into_iter().zip(encoded) {
                vectors.push_phrase(owner, &vector).map_err(refused)?;
            }
        }
        Ok(vectors)
    }
}

/// As many vectors as texts, or why not.
fn one_each(encoded: Encoded, texts: usize) -> std::result::Result<Vec<Vec<f32>>, String> {
    let vectors = encoded.map_err(|error| format!("no vectors: {error}"))?;
    if vectors.len() != texts {
        return Err(format!("{} vectors for {texts} texts", vectors.len()));
    }
    Ok(vectors)
}

// === impl Texts ===

impl Texts {
    fn of(pack: &Pack) -> Result<Self> {
        let (mut sentences, mut said) = (Vec::with_capacity(pack.len() as usize), Vec::new());
        for service in pack.services() {
            for index in service.first..service.first + service.count {
                let operation = pack.operation(index)?;
                sentences.push(sentence(&operation, &service.title));
                said.extend(phrases(&operation).iter().map(|phrase| (index, *phrase)));
            }
        }
        Ok(Self { sentences, phrases: said })
    }

    /// Of every text, each ended by what stands in none.
    fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for text in &self.sentences {
            hasher.update(text);
            hasher.update([0]);
        }
        for (owner, phrase) in &self.phrases {
            hasher.update(owner.to_le_bytes());
            hasher.update(phrase);
            hasher.update([0]);
        }
        hasher.finalize().into()
    }
}

/// Reads the section; an empty one means that there are no vectors.
pub(super) fn read(bytes: &[u8], operations: u32, path: &Path) -> Result<Option<Vectors>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let vectors = Vectors::from_bytes(bytes).filter(|vectors| vectors.len() == operations as usize);
    vectors.map(Some).ok_or_else(|| damaged(path, "its vectors contradict its operations".to_owned()))
}
