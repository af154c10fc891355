//! Several packs as one: finding, searching and reading operations across vendors.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{CatalogueError, Result};
use crate::operation::Operation;
use crate::pack::{Pack, digest_name};
use crate::search::{self, Frequencies, Query, Weights};

/// Which operation of a [`Catalogue`]; valid for that catalogue only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationRef {
    /// Number of the pack in the catalogue.
    pub pack: u32,
    /// Index of the operation in the pack.
    pub index: u32,
}

/// An operation that was found, and how well it fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which operation.
    pub operation: OperationRef,
    /// Higher is better. From words: BM25, comparable within one search. From a draft: 0 to 1, 1.0 is exact.
    pub score: f32,
}

/// Limits a search; the default is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Only this vendor.
    pub provider: Option<&'a str>,
    /// Only services of this name.
    pub service: Option<&'a str>,
}

/// All operations of some vendors.
#[derive(Debug)]
pub struct Catalogue {
    packs: Vec<Pack>,
    digest: String,
}

// === impl Scope ===

impl<'a> Scope<'a> {
    /// The scope of a capability: `aws`, or `aws/s3`; `""` is everything.
    ///
    /// A capability that spans vendors (`finance`) is a catalogue of its own packs, searched with the default scope.
    pub fn of_capability(capability: &'a str) -> Self {
        let mut parts = capability.splitn(2, '/').filter(|part| !part.is_empty());
        Self { provider: parts.next(), service: parts.next() }
    }

    fn admits(&self, pack: &Pack) -> bool {
        self.provider.is_none_or(|provider| provider == pack.provider())
            && self.service.is_none_or(|service| pack.service(service).is_some())
    }
}

// === impl Catalogue ===

impl Catalogue {
    /// Opens packs; their order does not matter for the digest.
    ///
    /// # Errors
    /// The first pack that does not open, see [`Pack::open`], or two packs of one vendor.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let packs: Result<Vec<Pack>> = paths.iter().map(Pack::open).collect();
        Self::new(packs?)
    }

    /// Joins opened packs.
    ///
    /// # Errors
    /// Two packs of one vendor: names would be ambiguous.
    pub fn new(mut packs: Vec<Pack>) -> Result<Self> {
        packs.sort_by(|a, b| a.provider().cmp(b.provider()));
        if let Some(pair) = packs.windows(2).find(|pair| pair[0].provider() == pair[1].provider()) {
            let reason = format!("{} and {} are both of it", pair[0].path().display(), pair[1].path().display());
            return Err(CatalogueError::PackRefused { what: pair[0].provider().to_owned(), reason });
        }
        let mut hasher = Sha256::new();
        packs.iter().for_each(|pack| hasher.update(pack.digest()));
        Ok(Self { digest: digest_name(&hasher.finalize()), packs })
    }

    /// `sha256:…` over the digests of the packs: two catalogues of one digest hold the same operations.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The packs, ordered by vendor; [`OperationRef::pack`] counts in this order.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// How many operations there are in all.
    pub fn len(&self) -> usize {
        self.packs.iter().map(|pack| pack.len() as usize).sum()
    }

    /// No operation at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Decodes an operation.
    ///
    /// # Errors
    /// The reference is from another catalogue, or its block is damaged.
    pub fn operation(&self, at: OperationRef) -> Result<Arc<Operation>> {
        let unknown = || CatalogueError::OperationUnknown { provider: format!("pack {}", at.pack), index: at.index };
        self.packs.get(at.pack as usize).ok_or_else(unknown)?.operation(at.index)
    }

    /// What an operation says about itself, for an encoder that reads it beside a request.
    ///
    /// # Errors
    /// As [`Catalogue::operation`].
    pub fn portrait(&self, at: OperationRef) -> Result<String> {
        let operation = self.operation(at)?;
        Ok(search::portrait(&operation, self.title(at, &operation)))
    }

    /// What an operation is called in words: `Lambda: create function`.
    ///
    /// # Errors
    /// As [`Catalogue::operation`].
    pub fn heading(&self, at: OperationRef) -> Result<String> {
        let operation = self.operation(at)?;
        Ok(search::heading(&operation, self.title(at, &operation)))
    }

    fn title(&self, at: OperationRef, operation: &Operation) -> &str {
        let service = self.packs.get(at.pack as usize).and_then(|pack| pack.service(&operation.service));
        service.map_or("", |service| &service.title)
    }

    /// Provider, service and name of an operation, without decoding it.
    pub fn name(&self, at: OperationRef) -> Option<(&str, &str, &str)> {
        let pack = self.packs.get(at.pack as usize)?;
        let (service, name) = pack.name(at.index)?;
        Some((pack.provider(), service, name))
    }

    /// The operation of exactly these names.
    pub fn find(&self, provider: &str, service: &str, name: &str) -> Option<OperationRef> {
        self.scoped(Scope { provider: Some(provider), service: None })
            .find_map(|(number, pack)| Some(OperationRef { pack: number, index: pack.find(service, name)? }))
    }

    /// Best `k` operations for a request in words, best first.
    pub fn search(&self, text: &str, k: usize) -> Vec<Hit> {
        self.search_in(Scope::default(), text, k)
    }

    /// Best `k` operations within a scope.
    pub fn search_in(&self, scope: Scope<'_>, text: &str, k: usize) -> Vec<Hit> {
        self.rank(scope, &search::REQUEST, k, |pack| Query::read(text, pack.provider()))
    }

    /// How many words of a text are identifiers as one of the vendors makes them (`i-0abc12`, `cus_9x8y`).
    pub fn identifiers_in(&self, text: &str) -> usize {
        let counts = self.packs.iter().map(|pack| search::count_identifiers(text, pack.provider()));
        counts.max().unwrap_or(0)
    }

    pub(crate) fn rank(
        &self,
        scope: Scope<'_>,
        weights: &Weights,
        k: usize,
        query: impl Fn(&Pack) -> Query,
    ) -> Vec<Hit> {
        let queries: Vec<(u32, &Pack, Query)> =
            self.scoped(scope).map(|(number, pack)| (number, pack, query(pack))).collect();
        let frequencies = Frequencies::of(queries.iter().map(|(_, pack, query)| (*pack, query)));
        let mut hits: Vec<Hit> = Vec::new();
        for (number, pack, query) in &queries {
            let found = search::rank(pack, query, &frequencies, weights, (scope.service, k));
            let hit = |(index, score)| Hit { operation: OperationRef { pack: *number, index }, score };
            hits.extend(found.into_iter().map(hit));
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.operation.cmp(&b.operation)));
        hits.truncate(k);
        hits
    }

    pub(crate) fn scoped<'a>(&'a self, scope: Scope<'a>) -> impl Iterator<Item = (u32, &'a Pack)> + 'a {
        (0u32..).zip(&self.packs).filter(move |(_, pack)| scope.admits(pack))
    }
}
