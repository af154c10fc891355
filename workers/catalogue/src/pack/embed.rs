//! Adds what operations mean, as vectors, to a pack that is finished otherwise.
//!
//! A pass of its own and not part of the writer: an importer need not know that vectors exist, and a pack without them is
//! whole (search by meaning is then absent).

use std::path::Path;

use super::format::{Section, damaged};
use super::writer::write_file;
use super::{Pack, PackSummary, read_at};
use crate::error::{CatalogueError, Result};
use crate::search::{Encoder, Vectors, sentence};

/// Texts given to the encoder at once; more holds more memory and shows progress later.
const BATCH: usize = 1024;

// === impl Pack ===

impl Pack {
    /// Writes this pack with vectors by `encoder` to `path` (its own path is allowed: the file is replaced by renaming).
    ///
    /// # Errors
    /// The encoder fails or gives vectors of another shape, an operation does not decode, or the disk refuses. The old
    /// file then stays.
    pub fn write_with_vectors(&self, encoder: &dyn Encoder, path: impl AsRef<Path>) -> Result<PackSummary> {
        self.write_vectors(&self.encode(encoder)?, path.as_ref())
    }

    /// Does the same with the vectors of an earlier pack, which took minutes, when that one is by the encoder `model` and all else
    /// in it is the same; `None` when it is not. The earlier file may have been replaced: it is read through its open handle.
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
        for section in Section::ALL.into_iter().filter(|section| *section != Section::Vectors) {
            if self.section(section)? != earlier.section(section)? {
                return Ok(None);
            }
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
        let mut texts = Vec::with_capacity(self.len() as usize);
        for service in self.services() {
            for index in service.first..service.first + service.count {
                texts.push(sentence(&*self.operation(index)?, &service.title));
            }
        }
        let mut vectors = Vectors::new(encoder.model());
        for batch in texts.chunks(BATCH) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            let encoded = encoder.encode(&batch).map_err(|error| refused(format!("no vectors: {error}")))?;
            if encoded.len() != batch.len() {
                return Err(refused(format!("{} vectors for {} texts", encoded.len(), batch.len())));
            }
            for vector in &encoded {
                vectors.push(vector).map_err(refused)?;
            }
        }
        Ok(vectors)
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
