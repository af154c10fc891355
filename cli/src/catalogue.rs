//! `silverback catalogue …`: compiles vendors' descriptions into packs, and lets people look into them.

mod command;
mod encode;
mod find;
mod packs;
mod semantics;
mod show;
mod stats;

pub use command::run;
pub use packs::ensure;
