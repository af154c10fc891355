//! Which operations exist, and finding the right one.
//!
//! Vendors' descriptions are imported ([`import`]), compiled into packs ([`build`], [`pack`]), opened together
//! ([`Catalogue`]), searched by words, by meaning and by a model's own draft ([`retrieve`](fn@retrieve)), and
//! looked at once more before a call leaves ([`check`](fn@check)). Must not know any model, grammar, plan or process.
//! Start at [`Operation`], then [`Catalogue`].

pub mod build;
pub mod catalogue;
pub mod check;
pub mod command;
pub mod diff;
pub mod draft;
pub mod error;
pub mod import;
pub mod manifest;
pub mod operation;
pub mod pack;
pub mod results;
pub mod retrieve;
mod search;
pub mod semantics;

pub use catalogue::{Catalogue, Hit, OperationRef, Scope};
pub use check::{Violation, ViolationCode, check};
pub use draft::match_draft;
pub use error::{CatalogueError, Result};
pub use manifest::check_manifest;
pub use operation::{Effect, Invocation, Operation};
pub use pack::{Pack, PackHit, PackSummary, PackWriter, ServiceEntry};
pub use results::{result_path_exists, result_path_of, result_paths, result_paths_of, result_schema};
pub use retrieve::{Candidate, Retrieved, Source, Wish, retrieve};
pub use search::{Encoder, Vectors};
pub use semantics::Semantics;
