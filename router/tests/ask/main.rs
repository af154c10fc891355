//! A router from its public door, with workers' doubles behind it.

#![allow(clippy::unwrap_used)]

mod catalogue;
mod double;
mod edge;
mod gate;
mod planning;
mod repair;
mod scaling;
mod troop;
