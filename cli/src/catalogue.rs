//! `silverback catalogue …`: compiles vendors' descriptions into packs, and lets people look into them.

mod add;
mod command;
mod diff;
mod encode;
mod find;
mod packs;
mod semantics;
mod show;
mod stats;

pub use command::run;
pub use packs::{ensure, open};
