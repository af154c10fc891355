//! Gives packs their vectors: the sentence encoder behind the catalogue's door for one.

use std::error::Error;

use silverback_catalogue::{Encoder, Pack, build::BuiltPack, pack::archive};
use silverback_engine::Embedder;
use silverback_workers::{ENCODER, load_describer};

use crate::{
    config::Config,
    error::CliError,
    models::{Progress, Puller, Role, Trust},
};

/// The encoder that is shipped, loaded.
pub struct Sentences(Embedder);

// === impl Sentences ===

impl Encoder for Sentences {
    fn model(&self) -> &str {
        ENCODER
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Box<dyn Error + Send + Sync>> {
        Ok(self.0.embed(texts)?)
    }

    fn encode_requests(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Box<dyn Error + Send + Sync>> {
        Ok(self.0.embed_requests(texts)?)
    }
}

/// Fetches and loads the encoder. Without it packs are whole but are not searched by meaning: said, not refused, since a
/// catalogue is of use on a machine that runs no model.
pub async fn find(config: &Config, puller: &Puller, progress: &Progress) -> Option<Sentences> {
    match load(config, puller).await {
        Ok(encoder) => Some(encoder),
        Err(error) => {
            progress.say(&format!(
                "catalogue: no search by meaning ({error}); `silverback models pull`, then `silverback catalogue build` adds it"
            ));
            None
        }
    }
}

async fn load(config: &Config, puller: &Puller) -> Result<Sentences, CliError> {
    let manifest = config.manifest()?;
    let model = manifest.default_of(Role::Embedding)?;
    puller.pull(model, Trust::Stamp).await?;
    let folder = config.cache.folder(model)?;
    let loading = tokio::task::spawn_blocking(move || load_describer(&folder));
    let embedder = loading.await.expect("loading does not panic");
    Ok(Sentences(embedder?))
}

/// Finishes packs that were just built: adds their vectors, then keeps each under its digest.
pub fn finish(
    built: Vec<BuiltPack>,
    earlier: &[Pack],
    encoder: Option<Sentences>,
    progress: &Progress,
) -> Result<Vec<BuiltPack>, CliError> {
    let finished = add_vectors(built, earlier, encoder, progress)?;
    for pack in &finished {
        archive::keep(&pack.path, &pack.digest)?;
    }
    Ok(finished)
}

/// Writes every pack again with its vectors: those of the earlier pack where nothing else has changed.
fn add_vectors(
    built: Vec<BuiltPack>,
    earlier: &[Pack],
    encoder: Option<Sentences>,
    progress: &Progress,
) -> Result<Vec<BuiltPack>, CliError> {
    let Some(encoder) = encoder else { return Ok(built) };
    let mut finished = Vec::new();
    for pack in built {
        let opened = Pack::open(&pack.path)?;
        let before = earlier.iter().find(|before| before.provider() == pack.provider);
        let taken = before.map(|before| opened.write_with_vectors_of(before, ENCODER, &pack.path)).transpose()?;
        let summary = match taken.flatten() {
            Some(summary) => summary,
            None => {
                progress.say(&format!("catalogue: encoding {} operations of {}", pack.operations, pack.provider));
                opened.write_with_vectors(&encoder, &pack.path)?
            }
        };
        finished.push(BuiltPack { digest: summary.digest, bytes: summary.bytes, ..pack });
    }
    Ok(finished)
}
