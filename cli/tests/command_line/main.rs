//! The binary `silverback` as a person or a program uses it: arguments in; output, errors and exit codes out.

mod ask;
mod exits;
mod models;
mod support;
