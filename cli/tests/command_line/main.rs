//! The binary `silverback` as a person or a program uses it: arguments in; output, errors and exit codes out.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and that is all it is for")]

mod added;
mod ask;
mod catalogue;
mod exits;
mod models;
mod support;
