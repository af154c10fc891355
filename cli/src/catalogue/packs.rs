//! Builds the packs, and opens them for others.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use indicatif::{HumanBytes, HumanDuration};
use silverback_catalogue::{
    Catalogue, CatalogueError, Pack,
    build::{self as compiler, BuildSources, BuiltPack},
    import,
    pack::archive,
};
use silverback_workers::built_in_specialties;

use super::encode;
use crate::{
    config::Config,
    error::CliError,
    models::{ModelError, Progress, Puller, Role, Trust},
    terminal,
};

/// What is to be built, when it is not everything into the usual folder.
#[derive(Default)]
pub struct Only {
    /// AWS from this wheel or folder.
    pub botocore: Option<PathBuf>,
    /// kubectl from this extract of its help.
    pub kubectl: Option<PathBuf>,
    /// Another folder.
    pub out: Option<PathBuf>,
}

/// Compiles what was named; everything when nothing was, fetching the descriptions that are missing. Packs for another folder are
/// for comparison: they get no vectors, which take minutes.
pub async fn build(only: Only, config: &Config, progress: &Progress) -> Result<Vec<BuiltPack>, CliError> {
    let puller = Puller::new(config.cache.clone(), config.sources.clone(), progress.clone());
    let is_everything = only.botocore.is_none() && only.kubectl.is_none();
    let botocore = if is_everything { fetch_botocore(config, &puller).await? } else { only.botocore };
    let encoder = if only.out.is_none() { encode::find(config, &puller, progress).await } else { None };
    let folder = only.out.unwrap_or_else(|| config.cache.packs());
    progress.say(&format!("catalogue: compiling into {}", folder.display()));
    let sources = BuildSources { botocore, embedded: is_everything };
    let progress = progress.clone();
    let compiling = tokio::task::spawn_blocking(move || {
        // Opened before they are replaced; one that does not open has nothing to give.
        let earlier = paths(&folder).unwrap_or_default();
        let earlier: Vec<Pack> = earlier.iter().filter_map(|path| Pack::open(path).ok()).collect();
        let mut built = compiler::build_packs(&sources, &folder)?;
        if let Some(kubectl) = only.kubectl {
            built.push(compiler::build_imported(&import::kubectl::operations_of(&kubectl)?, &folder)?);
        }
        encode::finish(built, &earlier, encoder, &progress)
    });
    compiling.await.expect("compiling does not panic")
}

async fn fetch_botocore(config: &Config, puller: &Puller) -> Result<Option<PathBuf>, CliError> {
    let manifest = config.manifest()?;
    let source = manifest.default_of(Role::Source)?;
    Ok(puller.pull(source, Trust::Stamp).await?.into_iter().next())
}

/// Every pack that is kept, older ones too, the newest of each vendor first.
pub fn table(folder: &Path) -> Result<String, CliError> {
    let packs = archive::list(folder);
    if packs.is_empty() {
        return Err(CliError::CatalogueMissing { folder: folder.to_owned() });
    }
    let mut rows = vec![["PROVIDER", "", "OPERATIONS", "SIZE", "BUILT", "DIGEST"].map(str::to_owned)];
    rows.extend(packs.into_iter().map(|archived| {
        let age = archived.built.elapsed().map(|age| format!("{} ago", HumanDuration(age))).unwrap_or_default();
        let mark = if archived.is_current { "current" } else { "" };
        let pack = archived.pack;
        let size = HumanBytes(pack.file_len()).to_string();
        [pack.provider().to_owned(), mark.to_owned(), pack.len().to_string(), size, age, pack.digest()]
    }));
    Ok(terminal::table(&rows))
}

/// Builds the packs when they are missing, damaged or of another version. Those that a user added are not ours to build.
pub async fn ensure(config: &Config, progress: &Progress) -> Result<(), CliError> {
    let providers = built_in_specialties().into_iter().flat_map(|specialty| specialty.providers);
    let own: Vec<PathBuf> = providers.map(|provider| config.cache.packs().join(format!("{provider}.pack"))).collect();
    match Catalogue::open(&own).map_err(CliError::from) {
        Ok(_) => Ok(()),
        Err(CliError::Catalogue(
            error @ (CatalogueError::PackVersionUnknown { .. }
            | CatalogueError::PackDamaged { .. }
            | CatalogueError::PackOpenFailed { .. }),
        )) => {
            progress.say(&format!("building the catalogue again: {error}"));
            build(Only::default(), config, progress).await.map(drop)
        }
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
