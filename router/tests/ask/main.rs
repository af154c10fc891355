//! A router from its public door, with workers' doubles behind it.

mod catalogue;
mod double;
mod edge;
mod gate;
mod planning;
mod troop;
