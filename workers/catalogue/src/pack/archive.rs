//! Keeps packs under their digests beside the current ones: a worker that still serves an older one, and a router that checks its
//! calls, go on after a rebuild.
//!
//! `PROVIDER.pack` is the current pack of a vendor, `by-digest/HEX.pack` a hard link to each of the last ones. Start at [`keep`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Pack;
use crate::error::{CatalogueError, Result};

/// Folder within that of the packs.
const FOLDER: &str = "by-digest";
/// Packs kept of one vendor, the current one included. Bigger: more disk (AWS: 8 MB each), older workers stay checkable.
const KEPT: usize = 5;
/// Files looked at in the folder; more are not ours.
const MAX_FILES: usize = 1024;

/// A pack in the archive.
#[derive(Debug)]
pub struct ArchivedPack {
    /// The pack, opened.
    pub pack: Pack,
    /// When it was built.
    pub built: SystemTime,
    /// Is it the one under its vendor's name?
    pub is_current: bool,
}

/// Keeps a pack that was just built under its digest, and forgets the oldest of its vendor.
///
/// # Errors
/// When the disk refuses; the pack itself is untouched.
pub fn keep(pack: &Path, digest: &str) -> Result<()> {
    let folder = pack.parent().unwrap_or(Path::new("."));
    let place = place_of(folder, digest);
    let failed = |source| CatalogueError::PackWriteFailed { path: place.clone(), source };
    fs::create_dir_all(folder.join(FOLDER)).map_err(failed)?;
    // The newest file of the same content takes the place: its time says that it is in use.
    let beside = place.with_extension(format!("tmp-{}", std::process::id()));
    let linked = fs::hard_link(pack, &beside).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        _ => fs::copy(pack, &beside).map(drop),
    });
    let moved = linked.and_then(|()| fs::rename(&beside, &place));
    // Renaming one link onto another of the same file does nothing and leaves both.
    let _ = fs::remove_file(&beside);
    moved.map_err(failed)?;
    forget_oldest(folder, &place);
    Ok(())
}

/// The archived file of this digest; `None` when there is none, or `digest` is no `sha256:…` of 64 hexadecimal digits.
pub fn path_of(folder: &Path, digest: &str) -> Option<PathBuf> {
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = hex.len() == 64 && hex.bytes().all(is_digit);
    Some(place_of(folder, digest)).filter(|place| is_hex && place.is_file())
}

/// Archived files whose digest begins so (`sha256:` may be left out).
pub fn find(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let prefix = prefix.strip_prefix("sha256:").unwrap_or(prefix);
    if prefix.is_empty() || !prefix.bytes().all(is_digit) {
        return Vec::new();
    }
    let begins = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    files(folder).into_iter().filter(begins).collect()
}

/// Removes every kept pack of a vendor: what somebody removes is gone.
pub fn forget(folder: &Path, provider: &str) {
    for archived in list(folder).into_iter().filter(|archived| archived.pack.provider() == provider) {
        let _ = fs::remove_file(archived.pack.path());
    }
}

/// Every archived pack that this version can read, by vendor, the newest first.
pub fn list(folder: &Path) -> Vec<ArchivedPack> {
    let mut packs: Vec<ArchivedPack> = files(folder).iter().filter_map(|path| open(folder, path)).collect();
    packs.sort_by(|a, b| {
        let by_vendor = a.pack.provider().cmp(b.pack.provider());
        // Times may be equal on a coarse clock; the current one was built last.
        by_vendor.then(b.built.cmp(&a.built)).then(b.is_current.cmp(&a.is_current))
    });
    packs
}

fn open(folder: &Path, path: &Path) -> Option<ArchivedPack> {
    let built = fs::metadata(path).and_then(|about| about.modified()).ok()?;
    let pack = Pack::open(path).ok()?;
    let current = Pack::open(folder.join(format!("{}.pack", pack.provider()))).ok();
    let is_current = current.is_some_and(|current| current.digest() == pack.digest());
    Some(ArchivedPack { pack, built, is_current })
}

/// Packs of another format are counted as one vendor: an older Silverback may still run on them, and they too must end.
fn forget_oldest(folder: &Path, newest: &Path) {
    let mut unreadable: Vec<(SystemTime, PathBuf)> = Vec::new();
    for path in files(folder).into_iter().filter(|path| path != newest && Pack::open(path).is_err()) {
        let built = fs::metadata(&path).and_then(|about| about.modified());
        unreadable.push((built.unwrap_or(SystemTime::UNIX_EPOCH), path));
    }
    unreadable.sort();
    let mut gone: Vec<PathBuf> = unreadable.into_iter().rev().skip(KEPT).map(|(_, path)| path).collect();
    let packs = list(folder);
    for vendor in packs.chunk_by(|a, b| a.pack.provider() == b.pack.provider()) {
        let old = vendor.iter().skip(KEPT).filter(|old| !old.is_current && old.pack.path() != newest);
        gone.extend(old.map(|old| old.pack.path().to_owned()));
    }
    for path in gone {
        // One that stays is tried again at the next build.
        let _ = fs::remove_file(path);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_pack = |path: &PathBuf| path.extension().is_some_and(|end| end == "pack");
    let mut files: Vec<PathBuf> = entries.filter(is_pack).take(MAX_FILES).collect();
    files.sort();
    files
}

fn place_of(folder: &Path, digest: &str) -> PathBuf {
    folder.join(FOLDER).join(format!("{}.pack", digest.strip_prefix("sha256:").unwrap_or(digest)))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{BuiltPack, build_imported};
    use crate::import::Imported;
    use crate::import::aws;

    fn with_summary(summary: &str) -> Imported {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore");
        let mut imported = aws::operations(&fixtures).unwrap();
        imported.services.truncate(1);
        imported.services[0].operations.truncate(2);
        imported.services[0].operations[0].summary = summary.to_owned();
        imported
    }

    fn build(imported: &Imported, folder: &Path) -> BuiltPack {
        let built = build_imported(imported, folder).unwrap();
        keep(&built.path, &built.digest).unwrap();
        built
    }

    #[test]
    fn an_old_pack_stays_beside_the_new_one_and_reads_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let old = build(&with_summary("old"), folder.path());
        let new = build(&with_summary("new"), folder.path());
        let summary = |path: &Path| Pack::open(path).unwrap().operation(0).unwrap().summary.clone();
        assert_eq!(summary(&path_of(folder.path(), &old.digest).unwrap()), "old");
        assert_eq!(summary(&path_of(folder.path(), &new.digest).unwrap()), "new");
        assert_eq!(summary(&new.path), "new");
        assert_eq!(find(folder.path(), &old.digest[.."sha256:".len() + 12]).len(), 1);
        let listed: Vec<bool> = list(folder.path()).iter().map(|archived| archived.is_current).collect();
        assert_eq!(listed, [true, false]);
    }

    #[test]
    fn the_oldest_are_forgotten_and_one_built_again_is_new_again() {
        let folder = tempfile::tempdir().unwrap();
        // Clocks of file systems are coarse; the order must not hang on them.
        let built_at = |summary: usize, second: u64| {
            let built = build(&with_summary(&summary.to_string()), folder.path());
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
            fs::File::options().write(true).open(&built.path).unwrap().set_modified(time).unwrap();
            built
        };
        let (first, second) = (built_at(0, 1), built_at(1, 2));
        built_at(0, 3);
        for number in 2..=KEPT {
            built_at(number, 3 + number as u64);
        }
        assert_eq!(list(folder.path()).len(), KEPT);
        assert!(path_of(folder.path(), &first.digest).is_some());
        assert!(path_of(folder.path(), &second.digest).is_none(), "six were built, this one is the oldest");
        assert_eq!(fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), KEPT, "nothing else is left there");
    }

    #[test]
    fn only_digests_lead_into_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let built = build(&with_summary("x"), folder.path());
        for bad in ["", "sha256:", "sha256:../aws", &built.digest.to_uppercase(), &built.digest[..20]] {
            assert_eq!(path_of(folder.path(), bad), None, "{bad}");
        }
        assert!(find(folder.path(), "").is_empty() && find(folder.path(), "../").is_empty());
    }
}
