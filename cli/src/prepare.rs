//! Brings everything here that a worker needs before it can start: the base model, the embedding model, the packs.

use std::path::{Path, PathBuf};

use silverback_workers::WorkerFiles;

use crate::{
    catalogue,
    config::Config,
    error::CliError,
    models::{Model, ModelError, Progress, Puller, Role, Trust, content},
};

/// A model that writes.
struct Base {
    name: String,
    sha256: String,
    path: PathBuf,
}

/// Fetches and builds what is missing; what was checked before is trusted, so nothing is hashed again.
pub async fn prepare(config: &Config, progress: &Progress) -> Result<WorkerFiles, CliError> {
    let manifest = config.manifest()?;
    let puller = Puller::new(config.cache.clone(), config.sources.clone(), progress.clone());
    let base = match config.model.as_deref() {
        Some(model) if is_path(model) => own_model(Path::new(model)).await?,
        Some(model) => pull_base(&puller, manifest.find(model)?).await?,
        None => pull_base(&puller, manifest.default_of(Role::Base)?).await?,
    };
    let embedder = manifest.default_of(Role::Embedding)?;
    puller.pull(embedder, Trust::Stamp).await?;
    let embeddings = config.cache.folder(embedder)?;
    catalogue::ensure(config, progress).await?;
    Ok(WorkerFiles {
        model_name: base.name,
        model_digest: format!("sha256:{}", base.sha256),
        model: base.path,
        embeddings,
        routing: config.cache.routing(),
        packs: config.cache.packs(),
    })
}

/// A model of a person's own is given as a path, one of the manifest by its name.
fn is_path(model: &str) -> bool {
    model.contains(std::path::MAIN_SEPARATOR) || model.ends_with(".gguf")
}

async fn own_model(path: &Path) -> Result<Base, CliError> {
    let Some(name) = path.file_stem().filter(|_| path.is_file()) else {
        let hint = "give the path of a GGUF file, or a name that `silverback models list` shows";
        return Err(CliError::usage(format!("there is no model file {}", path.display()), hint));
    };
    let name = name.to_string_lossy().into_owned();
    let path = path.to_owned();
    // Its card says what it is by its content: the name of a file proves nothing.
    let hashing = tokio::task::spawn_blocking(move || {
        let (_, sha256) = content::digest(&path, |_| ()).map_err(ModelError::at(&path))?;
        Ok::<_, ModelError>(Base { name, sha256, path })
    });
    Ok(hashing.await.expect("hashing does not panic")?)
}

async fn pull_base(puller: &Puller, model: &Model) -> Result<Base, CliError> {
    if !matches!(model.role, Role::Base | Role::Light) {
        let message = format!("{} is a model of role {}, not one that writes", model.name, model.role.name());
        return Err(CliError::usage(message, "choose one of role base or light from `silverback models list`"));
    }
    let path = puller.pull(model, Trust::Stamp).await?.swap_remove(0);
    Ok(Base { name: model.name.clone(), sha256: model.files[0].sha256.clone(), path })
}
