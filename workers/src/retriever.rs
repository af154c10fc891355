//! Finds operations by words, by meaning and by a draft: the catalogue's retrieval with an encoder in it.
//!
//! Specialists and the evaluation use the same one: what is measured is what serves.

use std::sync::Arc;

use silverback_catalogue::{Candidate, Catalogue, Hit, OperationRef, Retrieved, Scope, Wish, command, retrieve};
use silverback_decoding::{Pointed, Pointing, places, without_quoted};
use silverback_engine::{Embedder, Found};
use silverback_proto::v1;
use tracing::warn;

use crate::{ENCODER, WorkerError, belief::share_anew};

/// Commands of the AWS command line that only wrap one API operation.
/// The operation is the better answer: its result has a type that later calls can refer to, and its inverse is known.
const WRAPPERS: &[Wrapper] = &[
    Wrapper { service: "s3", command: "mb", words: 3, unless: "", operation: "CreateBucket" },
    Wrapper { service: "s3", command: "rb", words: 3, unless: "force", operation: "DeleteBucket" },
    Wrapper { service: "s3", command: "ls", words: 2, unless: "recursive", operation: "ListBuckets" },
    Wrapper { service: "s3", command: "ls", words: 3, unless: "recursive", operation: "ListObjectsV2" },
];

/// Operations that only repeat a newer one of their vendor, and the newer one: vendor, service, name of each.
const REPLACED: &[[(&str, &str, &str); 2]] = &[
    [("aws", "s3", "ListObjects"), ("aws", "s3", "ListObjectsV2")],
    [("stripe", "charges", "PostChargesChargeRefund"), ("stripe", "refunds", "PostRefunds")],
    [("stripe", "charges", "PostChargesChargeRefunds"), ("stripe", "refunds", "PostRefunds")],
    [("stripe", "customers", "PostCustomersCustomerSubscriptions"), ("stripe", "subscriptions", "PostSubscriptions")],
    [("stripe", "balance", "GetBalanceHistory"), ("stripe", "balance_transactions", "GetBalanceTransactions")],
];

/// Candidates whose descriptions are read beside the request; each costs a pass over some 80 tokens.
const READ: usize = 16;
/// Weight of a unit of relevance against one of log-belief.
const RELEVANCE: f32 = 0.7;

/// Characters of an operation's heading that are read beside its places.
const MAX_HEADING: usize = 70;

/// One command line that stands for an operation.
struct Wrapper {
    service: &'static str,
    /// The catalogue's name of what the line names.
    command: &'static str,
    /// Words of the line without the program: `s3 ls s3://logs` has three.
    words: usize,
    /// A flag that makes it more than the operation.
    unless: &'static str,
    operation: &'static str,
}

/// A catalogue and the encoder of its vectors.
#[derive(Clone)]
pub struct Retriever {
    catalogue: Arc<Catalogue>,
    embedder: Option<Arc<Embedder>>,
}

// === impl Retriever ===

impl Retriever {
    /// `embedder` is asked only when the packs hold vectors of [`ENCODER`]; without it words and drafts do the work.
    pub fn new(catalogue: Arc<Catalogue>, embedder: Option<Arc<Embedder>>) -> Self {
        let embedder = embedder.filter(|_| catalogue.vector_model() == Some(ENCODER));
        Self { catalogue, embedder }
    }

    /// What is searched.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The vector of a request; blocks for about 15 ms. A text that cannot be encoded is searched by words alone.
    pub fn vector(&self, text: &str) -> Option<Vec<f32>> {
        let embedder = self.embedder.as_ref()?;
        match embedder.embed_requests(&[text]) {
            Ok(vectors) => vectors.into_iter().next(),
            Err(error) => {
                warn!(%error, "a request has no vector; it is searched by words alone");
                None
            }
        }
    }

    /// The vector, computed beside the threads that serve everybody; await it after the draft has begun.
    ///
    /// # Errors
    /// Only when the runtime ends.
    pub async fn vector_aside(&self, text: &str) -> Result<Option<Vec<f32>>, WorkerError> {
        if self.embedder.is_none() {
            return Ok(None);
        }
        let (retriever, text) = (self.clone(), text.to_owned());
        let encoding = tokio::task::spawn_blocking(move || retriever.vector(&text));
        encoding.await.map_err(WorkerError::ended)
    }

    /// What the catalogue holds for a text before any draft; blocks for about 10 ms.
    pub fn recognise(&self, text: &str) -> v1::Recognition {
        let text = &without_quoted(text);
        let vector = self.vector(text);
        let wish = Wish { text, vector: vector.as_deref(), draft: "" };
        let fits = self.retrieve(&wish, 1).fits;
        let first = |hits: Vec<Hit>| hits.first().map_or(0.0, |hit| f64::from(hit.score));
        let (catalogue, all) = (&self.catalogue, Scope::default());
        let near =
            |nearest: &dyn Fn(&[f32]) -> Vec<Hit>| vector.as_deref().map_or(0.0, |vector| first(nearest(vector)));
        v1::Recognition {
            fits: f64::from(fits),
            phrase: near(&|vector| catalogue.said_in(all, vector, 1)),
            meaning: near(&|vector| catalogue.nearest_in(all, vector, 1)),
            words: first(catalogue.search(text, 1)),
            identifiers: u32::try_from(catalogue.identifiers_in(text)).unwrap_or(u32::MAX),
        }
    }

    /// Best `k` operations; a drafted wrapper gives way to the API operation behind it.
    pub fn retrieve(&self, wish: &Wish<'_>, k: usize) -> Retrieved {
        let mut retrieved = retrieve(&self.catalogue, Scope::default(), wish, usize::MAX);
        for [old, new] in REPLACED {
            let find = |(provider, service, name): &(&str, &str, &str)| self.catalogue.find(provider, service, name);
            if let Some((old, new)) = find(old).zip(find(new)) {
                unwrap_first(&mut retrieved, old, new);
            }
        }
        self.unwrap(wish.draft, &mut retrieved);
        retrieved.candidates.truncate(k);
        retrieved
    }

    /// Moves belief among the first candidates towards those whose descriptions, read beside the request, answer it; blocks, so
    /// not for threads that serve. A catalogue without vectors is left as it is.
    pub fn read(&self, text: &str, retrieved: &mut Retrieved) {
        let Some(embedder) = &self.embedder else { return };
        let head = &retrieved.candidates[..retrieved.candidates.len().min(READ)];
        let portraits: Result<Vec<String>, _> = head.iter().map(|one| self.catalogue.portrait(one.operation)).collect();
        let Ok(portraits) = portraits else { return };
        match embedder.relevances(text, &portraits) {
            Ok(Some(relevances)) => {
                let shared = share_anew(head, &relevances, RELEVANCE);
                retrieved.candidates.splice(..shared.len(), shared);
            }
            Ok(None) => {}
            Err(error) => warn!(%error, "candidates cannot be read beside a request; they stay as they were found"),
        }
    }

    /// What a step gives the places of an operation; blocks for about 50 ms. Nothing where nothing can be read.
    pub fn point(&self, text: &str, at: OperationRef) -> Pointing {
        let Some(embedder) = &self.embedder else { return Pointing::new() };
        let (Ok(operation), Ok(heading)) = (self.catalogue.operation(at), self.catalogue.heading(at)) else {
            return Pointing::new();
        };
        let places = places(&operation);
        let texts: Vec<&str> = places.iter().map(|place| place.text.as_str()).collect();
        let heading: String = heading.chars().take(MAX_HEADING).collect();
        match embedder.find(text, &heading, &texts) {
            Ok(found) => {
                let pointed = |one: Found| Pointed { asked: one.asked, spans: one.spans };
                let pointers = places.into_iter().map(|place| place.pointer);
                pointers.zip(found.unwrap_or_default().into_iter().map(pointed)).collect()
            }
            Err(error) => {
                warn!(%error, "a step cannot be read for its values; rules alone look for them");
                Pointing::new()
            }
        }
    }

    /// Puts the API operation before its wrapper, when the draft names a wrapper.
    pub fn unwrap(&self, draft: &str, retrieved: &mut Retrieved) {
        if let Some((wrapper, operation)) = self.unwrapped(draft) {
            unwrap_first(retrieved, wrapper, operation);
        }
    }

    /// A drafted wrapper and the API operation behind it.
    fn unwrapped(&self, draft: &str) -> Option<(OperationRef, OperationRef)> {
        let lines = command::parse(draft);
        let line = lines.first().filter(|line| line.program == "aws")?;
        let (service, name) = (line.words.first()?, line.words.get(1)?);
        let service = if service == "s3api" { "s3" } else { service };
        let says = |wanted: &str| line.flags.iter().any(|(flag, _)| flag == wanted);
        // A draft may say `--bucket logs` where the command wants a path.
        let words = line.words.len() + usize::from(says("bucket"));
        let is_meant = |wrapper: &&Wrapper| {
            wrapper.service == service && wrapper.command == name && wrapper.words == words && !says(wrapper.unless)
        };
        let wrapper = WRAPPERS.iter().find(is_meant)?;
        let find = |name| self.catalogue.find("aws", service, name);
        Some((find(wrapper.command)?, find(wrapper.operation)?))
    }
}

/// Gives the operation the wrapper's place and belief: who means the wrapper means what it wraps.
fn unwrap_first(retrieved: &mut Retrieved, wrapper: OperationRef, operation: OperationRef) {
    let candidates = &mut retrieved.candidates;
    let place = |at: OperationRef| candidates.iter().position(|candidate| candidate.operation == at);
    let Some(wrapped) = place(wrapper) else { return };
    let itself = place(operation);
    let belief = candidates[wrapped].score + itself.map_or(0.0, |at| candidates[at].score);
    let first = wrapped.min(itself.unwrap_or(wrapped));
    candidates[first] = Candidate { operation, score: belief, ..candidates[wrapped] };
    if let Some(itself) = itself {
        candidates.remove(wrapped.max(itself));
    }
}
