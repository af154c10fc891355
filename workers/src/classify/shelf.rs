//! Keeps the vectors of routing examples between starts: computing them takes seconds, reading them a millisecond.
//!
//! One file a class, named by the digest of its examples. What cannot be read is computed anew, what cannot be written is only told:
//! nothing depends on the shelf but the time of a start.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use silverback_catalogue::Vectors;
use tracing::debug;

/// Name that marks vectors of the plain model.
pub const ENCODER: &str = "all-MiniLM-L6-v2";

/// Files on the shelf; the oldest goes when another one comes.
const MAX_FILES: usize = 256;

/// A folder of vectors.
pub struct Shelf {
    folder: PathBuf,
}

// === impl Shelf ===

impl Shelf {
    /// The shelf in a folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The vectors of examples with this digest.
    pub fn take(&self, digest: [u8; 32]) -> Option<Vectors> {
        let bytes = fs::read(self.path(digest)).ok()?;
        Vectors::from_bytes(&bytes).filter(|vectors| vectors.model() == ENCODER && vectors.texts() == digest)
    }

    /// Puts vectors there for the next start.
    pub fn put(&self, vectors: &Vectors) {
        if let Err(error) = self.write(vectors) {
            debug!(%error, folder = %self.folder.display(), "vectors of examples are not kept");
        }
    }

    fn write(&self, vectors: &Vectors) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        self.make_room()?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&vectors.to_bytes())?;
        file.persist(self.path(vectors.texts())).map_err(|error| error.error)?;
        Ok(())
    }

    fn make_room(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
        files.sort();
        let surplus = (files.len() + 1).saturating_sub(MAX_FILES);
        files.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn path(&self, digest: [u8; 32]) -> PathBuf {
        let name: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.vectors"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(model: &str, digest: [u8; 32]) -> Vectors {
        let mut vectors = Vectors::new(model, digest);
        vectors.push(&[0.6, 0.8]).unwrap();
        vectors
    }

    #[test]
    fn what_was_put_is_taken_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&folder.path().join("routing"));
        assert!(shelf.take([1; 32]).is_none());
        shelf.put(&vectors(ENCODER, [1; 32]));
        shelf.put(&vectors("other", [2; 32]));
        assert_eq!(shelf.take([1; 32]), Some(vectors(ENCODER, [1; 32])));
        assert!(shelf.take([2; 32]).is_none(), "of another encoder");
        fs::write(shelf.path([1; 32]), b"cut").unwrap();
        assert!(shelf.take([1; 32]).is_none(), "damaged");
    }

    #[test]
    fn the_oldest_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        for number in 0..MAX_FILES + 3 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            shelf.put(&vectors(ENCODER, digest));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MAX_FILES);
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_nothing_but_time() {
        Shelf::new(Path::new("/proc/nowhere")).put(&vectors(ENCODER, [1; 32]));
    }
}
