//! Builds the packs, and opens them for others.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use silverback_catalogue::{
    Catalogue, CatalogueError, Pack,
    build::{self as compiler, BuildSources, BuiltPack},
};

use super::encode;
use crate::{
    config::Config,
    error::CliError,
    models::{ModelError, Progress, Puller, Role, Trust},
};

/// Fetches the descriptions that are missing and compiles every pack anew.
pub async fn build(config: &Config, progress: &Progress) -> Result<Vec<BuiltPack>, CliError> {
    let manifest = config.manifest()?;
    let source = manifest.default_of(Role::Source)?;
    let puller = Puller::new(config.cache.clone(), config.sources.clone(), progress.clone());
    let botocore = puller.pull(source, Trust::Stamp).await?.into_iter().next();
    let folder = config.cache.packs();
    progress.say(&format!("catalogue: compiling into {}", folder.display()));
    let sources = BuildSources { botocore, embedded: true };
    let encoder = encode::find(config, &puller, progress).await;
    let progress = progress.clone();
    let compiling = tokio::task::spawn_blocking(move || {
        // Opened before they are replaced; one that does not open has nothing to give.
        let earlier = paths(&folder).unwrap_or_default();
        let earlier: Vec<Pack> = earlier.iter().filter_map(|path| Pack::open(path).ok()).collect();
        let built = compiler::build_packs(&sources, &folder)?;
        encode::add_vectors(built, &earlier, encoder, &progress)
    });
    compiling.await.expect("compiling does not panic")
}

/// Builds the packs when they are missing, damaged or of another version.
pub async fn ensure(config: &Config, progress: &Progress) -> Result<(), CliError> {
    match open(config) {
        Ok(_) => Ok(()),
        Err(CliError::Catalogue(
            error @ (CatalogueError::PackVersionUnknown { .. }
            | CatalogueError::PackDamaged { .. }
            | CatalogueError::PackOpenFailed { .. }),
        )) => {
            progress.say(&format!("building the catalogue again: {error}"));
            build(config, progress).await.map(drop)
        }
        Err(CliError::CatalogueMissing { .. }) => build(config, progress).await.map(drop),
        Err(error) => Err(error),
    }
}

/// Opens what is there.
pub fn open(config: &Config) -> Result<Catalogue, CliError> {
    Ok(Catalogue::open(&paths(&config.cache.packs())?)?)
}

/// Every pack of the folder, in the order of their names; none at all is an error.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let missing = || CliError::CatalogueMissing { folder: folder.to_owned() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(ModelError::at(folder)(error).into()),
    };
    let is_pack = |path: &PathBuf| path.extension().is_some_and(|end| end == "pack");
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_pack).collect::<Vec<_>>();
    paths.sort();
    if paths.is_empty() { Err(missing()) } else { Ok(paths) }
}
