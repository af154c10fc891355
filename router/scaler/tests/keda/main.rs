//! A scaler as KEDA sees it: real gRPC, doubles of routers, a registry in memory.

#![allow(clippy::unwrap_used)]

mod answers;
mod double;
mod outage;
mod push;
mod stage;
