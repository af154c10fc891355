//! Compiles vendors' descriptions into packs: what `silverback catalogue build` does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::Result;
use crate::import::aws::{self, Botocore};
use crate::import::{Imported, kubectl, openbb, stripe};
use crate::pack::{PackSummary, PackWriter, archive};

/// Where the descriptions come from.
#[derive(Clone, Debug)]
pub struct BuildSources {
    /// A botocore wheel or its data folder; without it there is no AWS pack.
    pub botocore: Option<PathBuf>,
    /// Build the vendors whose compact descriptions are in the program itself: kubectl, Stripe, market data.
    pub embedded: bool,
}

/// A pack that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPack {
    /// Vendor.
    pub provider: String,
    /// The file: `PROVIDER.pack` in the folder that was given.
    pub path: PathBuf,
    /// `sha256:…` of the content.
    pub digest: String,
    /// How many operations it holds.
    pub operations: u32,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// `data/aws_popularity.json`.
#[derive(Deserialize)]
struct Popularity {
    counts: BTreeMap<String, u32>,
    /// Services everybody uses; they count at least this much.
    everyday: Vec<String>,
    everyday_count: u32,
}

static POPULARITY: LazyLock<Popularity> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/aws_popularity.json")).expect("the table in the source parses")
});

/// Writes one pack a vendor into `out_dir` (made if missing), each by renaming a finished file.
///
/// # Errors
/// A source that cannot be read or understood, or a disk that refuses. Packs written before stay.
pub fn build_packs(sources: &BuildSources, out_dir: &Path) -> Result<Vec<BuiltPack>> {
    let mut built = Vec::new();
    if let Some(botocore) = &sources.botocore {
        built.push(build_aws(botocore, out_dir)?);
    }
    if sources.embedded {
        for imported in [kubectl::operations()?, stripe::operations()?, openbb::operations()?] {
            built.push(build_imported(&imported, out_dir)?);
        }
    }
    Ok(built)
}

/// Writes the pack of one imported vendor.
///
/// # Errors
/// See [`PackWriter::add`] and [`PackWriter::finish`].
pub fn build_imported(imported: &Imported, out_dir: &Path) -> Result<BuiltPack> {
    let mut writer = PackWriter::new(&imported.provider);
    for service in &imported.services {
        writer.add(service, 0.0)?;
    }
    finish(writer, &imported.provider, out_dir)
}

fn build_aws(botocore: &Path, out_dir: &Path) -> Result<BuiltPack> {
    let mut source = Botocore::open(botocore)?;
    let mut writer = PackWriter::new(aws::PROVIDER);
    // One service in memory at a time.
    for service in source.services() {
        let service = service?;
        writer.add(&service, popularity(&service.name))?;
    }
    finish(writer, aws::PROVIDER, out_dir)
}

fn finish(writer: PackWriter, provider: &str, out_dir: &Path) -> Result<BuiltPack> {
    let path = out_dir.join(format!("{provider}.pack"));
    let PackSummary { digest, operations, bytes } = writer.finish(&path)?;
    archive::keep(&path, &digest)?;
    Ok(BuiltPack { provider: provider.to_owned(), path, digest, operations, bytes })
}

/// Logarithm of how often the vendor itself shows a service in examples, 0 to 1.
fn popularity(service: &str) -> f32 {
    let most = POPULARITY.counts.values().copied().max().unwrap_or(1);
    let counted = POPULARITY.counts.get(service).copied().unwrap_or(0);
    let everyday = POPULARITY.everyday.iter().any(|name| name == service);
    let count = if everyday { counted.max(POPULARITY.everyday_count) } else { counted };
    (1.0 + count as f32).ln() / (1.0 + most as f32).ln()
}
