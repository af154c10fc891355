//! Packs by digest: in memory, else in the folder, else fetched before, else from the worker.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use silverback_catalogue::{Pack, pack::archive};
use silverback_dispatch::{Peers, Worker};
use tokio::{sync::OnceCell, task::spawn_blocking};
use tracing::{debug, warn};

use super::fetch;
use crate::{RouterError, config::RouterLimits};

/// Packs kept open; an open one costs its index, a few MB.
const MAX_OPEN: usize = 32;

/// No fetch takes this long.
const MAX_PART_AGE: Duration = Duration::from_secs(3600);

/// Files looked at in the folder.
const MAX_FILES: usize = 256;

/// Opens packs and keeps them open.
pub(super) struct Packs {
    dir: PathBuf,
    fetched: PathBuf,
    peers: Arc<Peers>,
    limits: RouterLimits,
    open: Mutex<HashMap<String, Arc<OnceCell<Arc<Pack>>>>>,
}

// === impl Packs ===

impl Packs {
    pub(super) fn new(dir: PathBuf, peers: Arc<Peers>, limits: &RouterLimits) -> Result<Self, RouterError> {
        let fetched = dir.join("fetched");
        fs::create_dir_all(&fetched).map_err(|source| RouterError::PacksFailed { source })?;
        remove_leftovers(&fetched);
        Ok(Self { dir, fetched, peers, limits: limits.clone(), open: Mutex::default() })
    }

    /// The pack of this digest; the worker is asked for it when it is nowhere here. Requests at the same time share the work.
    ///
    /// # Errors
    /// One line that says why there is none.
    pub(super) async fn open(&self, digest: &str, worker: Option<&Worker>) -> Result<Arc<Pack>, String> {
        let hex = hex_of(digest).ok_or_else(|| "it names no catalogue by a sha256 digest".to_owned())?;
        let cell = self.cell(digest);
        let pack = cell.get_or_try_init(|| async {
            match self.find_here(digest, hex).await {
                Some(pack) => Ok(Arc::new(pack)),
                None => self.fetch(digest, hex, worker).await.map(Arc::new),
            }
        });
        pack.await.cloned()
    }

    fn cell(&self, digest: &str) -> Arc<OnceCell<Arc<Pack>>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_OPEN && !open.contains_key(digest) {
            // Whoever uses one now holds it; the others are opened again when they are needed.
            open.clear();
        }
        open.entry(digest.to_owned()).or_default().clone()
    }

    async fn find_here(&self, digest: &str, hex: &str) -> Option<Pack> {
        let (dir, kept, digest) = (self.dir.clone(), self.fetched.join(format!("{hex}.pack")), digest.to_owned());
        let find = move || {
            // An older pack of ours lies in the archive; the current one does too, but folders may be filled by other hands.
            let archived = archive::path_of(&dir, &digest).and_then(|path| open_as(&path, &digest));
            archived.or_else(|| find_in_folder(&dir, &digest)).or_else(|| open_as(&kept, &digest))
        };
        spawn_blocking(find).await.ok().flatten()
    }

    async fn fetch(&self, digest: &str, hex: &str, worker: Option<&Worker>) -> Result<Pack, String> {
        let worker = worker.ok_or_else(|| format!("the catalogue {digest} is no longer here"))?;
        debug!(worker = %worker.id, digest, "fetching a catalogue pack");
        let failed = |reason: String| format!("its catalogue {digest} is not here and cannot be fetched: {reason}");
        let peer = self.peers.at(&worker.address).map_err(|error| failed(error.to_string()))?;
        let file = fetch::to_file(peer.channel(), digest, &self.fetched, &self.limits).await.map_err(failed)?;
        let (kept, digest) = (self.fetched.join(format!("{hex}.pack")), digest.to_owned());
        let (folder, max_files) = (self.fetched.clone(), self.limits.max_fetched_packs);
        let keep = move || {
            let pack = verify(file.path(), &digest)?;
            file.persist(&kept).map_err(|error| error.error.to_string())?;
            forget_oldest(&folder, max_files, &kept);
            Ok(pack)
        };
        spawn_blocking(keep).await.unwrap_or_else(|error| Err(error.to_string())).map_err(failed)
    }
}

/// Removes what a router left that was killed while it fetched; younger parts may belong to one that fetches now.
fn remove_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in entries.filter(|path| path.extension().is_some_and(|extension| extension == "part")) {
        let age = fs::metadata(&path).and_then(|about| about.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > MAX_PART_AGE) && fs::remove_file(&path).is_ok() {
            debug!(path = %path.display(), "unfinished pack removed");
        }
    }
}

/// The digits of `sha256:…`; anything else could lead out of the folder.
fn hex_of(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_hex.then_some(hex)
}

fn pack_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_pack = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pack");
    Ok(entries.filter(is_pack).take(MAX_FILES).collect())
}

/// The folder is ours, so its packs' digests are believed; what is read of them later is checked by checksum.
fn find_in_folder(folder: &Path, digest: &str) -> Option<Pack> {
    let files =
        pack_files(folder).inspect_err(|error| warn!(folder = %folder.display(), %error, "cannot read packs")).ok()?;
    files.iter().find_map(|path| open_as(path, digest))
}

fn open_as(path: &Path, digest: &str) -> Option<Pack> {
    if !path.exists() {
        return None;
    }
    let pack = Pack::open(path).inspect_err(|error| warn!(%error, "pack skipped")).ok()?;
    (pack.digest() == digest).then_some(pack)
}

/// A pack from outside: every byte is held against the digest that was asked for.
fn verify(path: &Path, digest: &str) -> Result<Pack, String> {
    let pack = Pack::open(path).map_err(|error| error.to_string())?;
    if pack.digest() != digest {
        return Err(format!("the worker sent {} instead", pack.digest()));
    }
    pack.verify().map_err(|error| error.to_string())?;
    Ok(pack)
}

/// Keeps the disk bounded: the packs fetched longest ago go first, never the one just kept.
fn forget_oldest(folder: &Path, max_files: usize, kept: &Path) {
    let age = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
    let mut files: Vec<_> = pack_files(folder).unwrap_or_default().into_iter().filter(|path| path != kept).collect();
    files.sort_by_key(age);
    let excess = (files.len() + 1).saturating_sub(max_files.max(1));
    for path in files.iter().take(excess) {
        if let Err(error) = fs::remove_file(path) {
            warn!(path = %path.display(), %error, "old pack not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sha256_digests_become_file_names() {
        assert!(hex_of(&format!("sha256:{}", "a1".repeat(32))).is_some());
        for bad in ["", "sha256:", "sha256:../../etc/passwd", &format!("sha256:{}", "A1".repeat(32)), &"a1".repeat(32)]
        {
            assert!(hex_of(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_packs_fetched_longest_ago_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: u64| folder.path().join(format!("{number}.pack"));
        for number in 0..4 {
            let file = fs::File::create(path(number)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(number)).unwrap();
        }
        forget_oldest(folder.path(), 2, &path(0));
        assert!(path(0).exists() && path(3).exists());
        assert!(!path(1).exists() && !path(2).exists());
    }
}
