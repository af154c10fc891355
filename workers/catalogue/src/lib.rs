//! Which operations exist, and finding the right one.
//!
//! Vendors' descriptions are imported ([`import`]), compiled into packs ([`build`], [`pack`]), opened together
//! ([`Catalogue`]), searched by words ([`Catalogue::search`]) and by a model's own draft ([`match_draft`], [`fuse`]), and
//! looked at once more before a call leaves ([`check`](fn@check)). Must not know any model, grammar, plan or process.
//! Start at [`Operation`], then [`Catalogue`].

pub mod build;
pub mod catalogue;
pub mod check;
pub mod command;
pub mod definitions;
pub mod diff;
pub mod draft;
pub mod error;
pub mod import;
pub mod operation;
pub mod pack;
pub mod results;
mod search;

pub use catalogue::{Catalogue, Hit, OperationRef, Scope};
pub use check::{Violation, check};
pub use definitions::Definitions;
pub use draft::{Candidate, Source, fuse, match_draft};
pub use error::{CatalogueError, Result};
pub use operation::{Effect, Invocation, Operation};
pub use pack::{Pack, PackHit, PackSummary, PackWriter, ServiceEntry};
pub use results::{result_path_exists, result_paths};
