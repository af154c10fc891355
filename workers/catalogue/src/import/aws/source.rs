//! Reads the files of botocore: from a wheel or from a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use zip::ZipArchive;

use super::semantics;
use crate::error::{CatalogueError, Result};
use crate::semantics::ErrorRule;

/// The largest model (EC2) has 12 MB; bounds what a foreign archive can make us allocate.
const MAX_FILE: u64 = 64 << 20;
/// Services in one source; botocore has 439.
const MAX_SERVICES: usize = 4096;
const DATA: &str = "botocore/data/";

/// A wheel or a folder, and what it holds.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    archive: Option<ZipArchive<File>>,
    /// Newest version of each service by folder name.
    versions: BTreeMap<String, String>,
}

/// The description of one service.
#[derive(Debug, Default)]
pub(super) struct ServiceModel {
    /// `service-2.json`, with botocore's own additions merged in.
    pub api: Value,
    /// `paginators-1.json`, or null.
    pub paginators: Value,
    /// `waiters-2.json`, or null.
    pub waiters: Value,
    /// Botocore's retry table for this service.
    pub retry: Vec<ErrorRule>,
}

// === impl Source ===

impl Source {
    pub fn open(path: &Path) -> Result<Self> {
        let read_failed = |source| CatalogueError::SourceReadFailed { path: path.to_path_buf(), source };
        let mut source = Self { path: path.to_path_buf(), archive: None, versions: BTreeMap::new() };
        let names = if path.is_dir() {
            folder_files(path).map_err(read_failed)?
        } else {
            let file = File::open(path).map_err(read_failed)?;
            let archive = ZipArchive::new(file).map_err(|error| refused(path, &format!("not a wheel: {error}")))?;
            let names = archive.file_names().filter_map(std::result::Result::ok);
            let names = names.filter_map(|name| name.strip_prefix(DATA).map(str::to_owned)).collect();
            source.archive = Some(archive);
            names
        };
        for name in names {
            let parts: Vec<&str> = name.split('/').collect();
            let [service, version, "service-2.json.gz" | "service-2.json"] = parts[..] else { continue };
            // They become names of services: no control characters, no way out of the folder.
            if !is_name(service) || !is_name(version) {
                return Err(refused(path, &format!("{name:?} is no name of a model")));
            }
            let newest = source.versions.entry(service.to_owned()).or_default();
            // Versions are dates (2016-11-15): the greatest is the newest.
            if version > newest.as_str() {
                version.clone_into(newest);
            }
        }
        if source.versions.is_empty() {
            let reason = "no botocore/data/*/*/service-2.json.gz in it; give a botocore wheel or its data folder";
            return Err(refused(path, reason));
        }
        if source.versions.len() > MAX_SERVICES {
            return Err(refused(path, &format!("more than {MAX_SERVICES} services in it, which no botocore has")));
        }
        Ok(source)
    }

    pub fn services(&self) -> Vec<String> {
        self.versions.keys().cloned().collect()
    }

    pub fn load(&mut self, service: &str) -> Result<ServiceModel> {
        let version = self.versions.get(service).cloned().unwrap_or_default();
        let folder = format!("{service}/{version}");
        let mut api = self
            .json(&format!("{folder}/service-2"))?
            .ok_or_else(|| refused(&self.path, &format!("{folder}/service-2.json.gz is missing")))?;
        if let Some(extras) = self.json(&format!("{folder}/service-2.sdk-extras"))? {
            merge(&mut api, extras.get("merge").unwrap_or(&Value::Null));
        }
        if !api.get("operations").is_some_and(Value::is_object) {
            let reason = format!("{folder}/service-2.json has no object `operations`: it is no botocore model");
            return Err(refused(&self.path, &reason));
        }
        let mut paginators = self.json(&format!("{folder}/paginators-1"))?.unwrap_or_default();
        if let Some(extras) = self.json(&format!("{folder}/paginators-1.sdk-extras"))? {
            merge(&mut paginators, extras.get("merge").unwrap_or(&Value::Null));
        }
        let waiters = self.json(&format!("{folder}/waiters-2"))?.unwrap_or_default();
        let retry = semantics::retry_table(&self.json("_retry")?.unwrap_or_default(), service);
        Ok(ServiceModel { api, paginators, waiters, retry })
    }

    /// Reads `stem.json.gz` or `stem.json`; `None` when neither exists.
    fn json(&mut self, stem: &str) -> Result<Option<Value>> {
        for (ending, packed) in [(".json.gz", true), (".json", false)] {
            let name = format!("{stem}{ending}");
            let Some(bytes) = self.bytes(&name)? else { continue };
            let bytes = if packed {
                unpack(&bytes).map_err(|error| refused(&self.path, &format!("{name}: {error}")))?
            } else {
                bytes
            };
            let value =
                serde_json::from_slice(&bytes).map_err(|error| refused(&self.path, &format!("{name}: {error}")))?;
            return Ok(Some(value));
        }
        Ok(None)
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(archive) = &mut self.archive else {
            let path = self.path.join(name);
            return match File::open(&path).and_then(|mut file| read_bounded(&mut file)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(CatalogueError::SourceReadFailed { path, source }),
            };
        };
        let mut member = match archive.by_name(&format!("{DATA}{name}")) {
            Ok(member) => member,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(refused(&self.path, &format!("{name}: {error}"))),
        };
        read_bounded(&mut member).map(Some).map_err(|error| refused(&self.path, &format!("{name}: {error}")))
    }
}

fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    read_bounded(&mut GzDecoder::new(bytes))
}

/// The whole of a file, or an error when it is larger than any model: a few kilobytes can unpack to gigabytes.
fn read_bounded(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {} MB, which no model is", MAX_FILE >> 20)));
    }
    Ok(bytes)
}

fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty() && text.len() <= 128 && !text.starts_with('.') && text.chars().all(fits)
}

fn folder_files(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for service in fs::read_dir(root)?.filter_map(io::Result::ok).filter(|entry| entry.path().is_dir()) {
        for version in fs::read_dir(service.path())?.filter_map(io::Result::ok).filter(|entry| entry.path().is_dir()) {
            for file in fs::read_dir(version.path())?.filter_map(io::Result::ok) {
                let parts = [service.file_name(), version.file_name(), file.file_name()];
                names.push(parts.map(|part| part.to_string_lossy().into_owned()).join("/"));
            }
        }
    }
    Ok(names)
}

/// Botocore's `sdk-extras`: objects are merged, everything else is replaced.
fn merge(base: &mut Value, extra: &Value) {
    match (base, extra) {
        (Value::Object(base), Value::Object(extra)) => {
            for (key, value) in extra {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (base, extra) => *base = extra.clone(),
    }
}

fn refused(path: &Path, reason: &str) -> CatalogueError {
    CatalogueError::ImportFailed { origin: path.display().to_string(), reason: reason.to_owned() }
}
