//! `silverback catalogue …`: compiles vendors' descriptions into packs, and lets people look into them.

mod add;
mod command;
mod find;
mod packs;
mod show;

pub use command::run;
pub use packs::ensure;
