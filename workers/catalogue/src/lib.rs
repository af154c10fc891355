//! Which operations exist, and finding the right one.

pub mod build;
pub mod catalogue;
pub mod check;
pub mod command;
pub mod draft;
pub mod error;
pub mod import;
pub mod operation;
pub mod pack;
pub mod results;
mod search;

pub use catalogue::{Catalogue, Hit, OperationRef, Scope};
pub use check::{Violation, check};
pub use draft::{Candidate, fuse, match_draft};
pub use error::{CatalogueError, Result};
pub use operation::{Effect, Invocation, Operation};
pub use pack::{Pack, PackHit, PackSummary, PackWriter};
pub use results::{result_path_exists, result_paths};
