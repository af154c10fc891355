//! Gets a file that was packed into Python wheels.
//!
//! pip runs as a subprocess, so that the index, proxy and certificates a person configured for it are honoured and no
//! host is named here. Nothing of a wheel is ever installed or run: one member is unzipped. Every part that came is kept,
//! so an interrupted download goes on with the first missing one.

use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::Stdio,
};

use futures::{StreamExt, stream};
use tokio::{io::AsyncReadExt, process::Command};

use super::{
    Cache, ModelError, ModelFile,
    cache::make_parent,
    manifest::{Part, WheelSource},
    progress::Meter,
};

/// More downloads at once gain nothing on the links tried, and trouble an index.
const PARALLEL: usize = 3;
/// Enough of pip's last words for a reason.
const MAX_WORDS: u64 = 64 * 1024;

/// Gathers the parts into `target`. Does not check the content.
pub async fn fetch(
    python: &str,
    source: &WheelSource,
    file: &ModelFile,
    cache: &Cache,
    meter: &Meter,
) -> Result<PathBuf, ModelError> {
    let folder = cache.partial(file);
    let parts = source.parts(file.bytes);
    let target = folder.join("whole");
    let joined = joined_parts(&target, &parts);
    meter.set(parts[..joined].iter().map(|part| part.bytes).sum());
    let has_failed = Cell::new(false);
    let downloads = parts.iter().enumerate().skip(joined).map(|(index, part)| {
        let (path, has_failed) = (part_path(&folder, index), &has_failed);
        async move {
            if has_failed.get() {
                return Ok(());
            }
            fetch_part(python, part, cache, &path).await.inspect_err(|_| has_failed.set(true))?;
            if source.parts > 1 {
                // Best effort. A single wheel stays: the model's next file may be in it too.
                let _ = fs::remove_dir_all(cache.wheel(&part.requirement));
            }
            meter.add(part.bytes);
            Ok::<_, ModelError>(())
        }
    });
    // After a failure nothing new is begun, but what is under way may still come: it is kept for the next pull.
    let outcomes = stream::iter(downloads).buffer_unordered(PARALLEL).collect::<Vec<_>>().await;
    outcomes.into_iter().collect::<Result<(), ModelError>>()?;
    let gathered = target.clone();
    tokio::task::spawn_blocking(move || join_parts(&folder, &gathered, &parts))
        .await
        .expect("joining parts does not panic")?;
    Ok(target)
}

/// Removes the wheels that files of several members shared.
pub fn forget_wheels(cache: &Cache, file: &ModelFile) {
    for source in &file.sources {
        if let super::manifest::Source::Wheel(source) = source {
            for part in source.parts(file.bytes) {
                // Best effort: what stays is used again or removed by the next pull.
                let _ = fs::remove_dir_all(cache.wheel(&part.requirement));
            }
        }
    }
}

fn part_path(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("part{:02}", index + 1))
}

async fn fetch_part(python: &str, part: &Part, cache: &Cache, path: &Path) -> Result<(), ModelError> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == part.bytes) {
        return Ok(());
    }
    let folder = cache.wheel(&part.requirement);
    let wheel = download(python, &part.requirement, &folder).await?;
    let (part, path) = (part.clone(), path.to_owned());
    let taken =
        tokio::task::spawn_blocking(move || take_out(&wheel, &part, &path)).await.expect("unzipping does not panic");
    if taken.is_err() {
        // A wheel that cannot be used would fail again.
        let _ = fs::remove_dir_all(&folder);
    }
    taken
}

/// The wheel of a requirement; `folder` exists only when it is complete.
async fn download(python: &str, requirement: &str, folder: &Path) -> Result<PathBuf, ModelError> {
    if let Some(wheel) = find_wheel(folder) {
        return Ok(wheel);
    }
    let fresh = folder.with_file_name(format!("{requirement}.tmp"));
    for stale in [folder, &fresh] {
        match fs::remove_dir_all(stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ModelError::at(stale)(error)),
            _ => {}
        }
    }
    make_parent(folder)?;
    run_pip(python, requirement, &fresh).await?;
    fs::rename(&fresh, folder).map_err(ModelError::at(folder))?;
    find_wheel(folder).ok_or_else(|| ModelError::PipFailed {
        requirement: requirement.to_owned(),
        reason: "it ended well but left no wheel".to_owned(),
    })
}

fn find_wheel(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.extension().is_some_and(|end| end == "whl"))
}

async fn run_pip(python: &str, requirement: &str, folder: &Path) -> Result<(), ModelError> {
    let mut child = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"])
        // Wheels only: building a source package would run its code. No second copy in pip's own cache.
        .args(["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--retries", "2", "--dest"])
        .arg(folder)
        .arg(requirement)
        // On the same disk as the cache: one place that can be full, not two.
        .env("TMPDIR", folder.parent().expect("it lies in the cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| ModelError::PythonMissing { python: python.to_owned(), source })?;
    let mut words = Vec::new();
    let stderr = child.stderr.take().expect("stderr is piped");
    stderr.take(MAX_WORDS).read_to_end(&mut words).await.map_err(ModelError::at(folder))?;
    let status = child.wait().await.map_err(ModelError::at(folder))?;
    if status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&words);
    if words.contains("No space left on device") {
        return Err(ModelError::DiskFull { path: folder.to_owned() });
    }
    Err(ModelError::PipFailed { requirement: requirement.to_owned(), reason: last_words(&words) })
}

/// The line of pip's output that says most.
fn last_words(words: &str) -> String {
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines().find_map(|line| line.strip_prefix("ERROR: "));
    error.or_else(|| lines().next_back()).unwrap_or("it said nothing").to_owned()
}

/// Takes the one member out of a wheel, or the wheel itself.
fn take_out(wheel: &Path, part: &Part, path: &Path) -> Result<(), ModelError> {
    make_parent(path)?;
    let unusable = |reason: String| ModelError::WheelUnusable { requirement: part.requirement.clone(), reason };
    let fresh = path.with_extension("tmp");
    let mut archive;
    let mut input: Box<dyn Read> = match &part.member {
        None => Box::new(File::open(wheel).map_err(ModelError::at(wheel))?),
        Some(member) => {
            let file = File::open(wheel).map_err(ModelError::at(wheel))?;
            archive = zip::ZipArchive::new(file).map_err(|error| unusable(error.to_string()))?;
            let entry = archive.by_name(member).map_err(|error| unusable(format!("{member}: {error}")))?;
            Box::new(entry)
        }
    };
    let mut output = File::create(&fresh).map_err(ModelError::at(&fresh))?;
    // One byte more than expected is enough to see that it is too long; a zip bomb ends here.
    let copied =
        io::copy(&mut input.by_ref().take(part.bytes + 1), &mut output).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                unusable(error.to_string())
            }
            _ => ModelError::at(&fresh)(error),
        })?;
    if copied != part.bytes {
        return Err(unusable(format!("{copied} bytes or more instead of {}", part.bytes)));
    }
    fs::rename(&fresh, path).map_err(ModelError::at(path))
}

/// How many parts the joined file already holds whole.
fn joined_parts(target: &Path, parts: &[Part]) -> usize {
    let length = fs::metadata(target).map_or(0, |metadata| metadata.len());
    let mut end = 0;
    parts
        .iter()
        .take_while(|part| {
            end += part.bytes;
            end <= length
        })
        .count()
}

/// Appends the parts in order and removes each once it is appended: never twice the file on disk.
fn join_parts(folder: &Path, target: &Path, parts: &[Part]) -> Result<(), ModelError> {
    let joined = joined_parts(target, parts);
    let output = File::options().create(true).write(true).truncate(false).open(target);
    let mut output = output.map_err(ModelError::at(target))?;
    let have = parts[..joined].iter().map(|part| part.bytes).sum();
    output.set_len(have).map_err(ModelError::at(target))?;
    output.seek(SeekFrom::End(0)).map_err(ModelError::at(target))?;
    for index in joined..parts.len() {
        let path = part_path(folder, index);
        let mut input = File::open(&path).map_err(ModelError::at(&path))?;
        io::copy(&mut input, &mut output).map_err(ModelError::at(target))?;
        fs::remove_file(&path).map_err(ModelError::at(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        [3, 3, 2].map(|bytes| Part { requirement: "p==1".into(), member: None, bytes }).to_vec()
    }

    #[test]
    fn joining_goes_on_after_the_last_whole_part() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("whole");
        // Cut off in the middle of the second part, the first being gone already.
        fs::write(&target, "abcd").unwrap();
        fs::write(part_path(folder.path(), 1), "def").unwrap();
        fs::write(part_path(folder.path(), 2), "gh").unwrap();
        join_parts(folder.path(), &target, &parts()).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "abcdefgh");
        assert!(!part_path(folder.path(), 1).exists());
    }

    #[test]
    fn a_part_boundary_counts_as_joined() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("whole");
        for (text, joined) in [("", 0), ("ab", 0), ("abc", 1), ("abcde", 1), ("abcdef", 2), ("abcdefgh", 3)] {
            fs::write(&target, text).unwrap();
            assert_eq!(joined_parts(&target, &parts()), joined, "{text}");
        }
    }

    #[test]
    fn pips_error_line_is_the_reason() {
        assert_eq!(last_words("WARNING: x\nERROR: no version\nERROR: no match\n"), "no version");
        assert_eq!(last_words("Traceback\n  OSError: y\n"), "OSError: y");
    }
}
