//! The contract between router, workers and clients.
//!
//! Generated types of `proto/v1/*.proto` and of KEDA's scaler contract `proto/keda/*.proto` (checked in under `gen/`, kept fresh by `tests/generated.rs`), the one table of
//! error codes, and the conversions that every process needs. Knows no process, no model, no store.
//! Start at `v1/types.proto`; errors are in [`error`].

pub mod error;

/// Version 1 of the wire contract, as generated from `proto/v1/*.proto`.
#[allow(clippy::all, clippy::too_many_lines, clippy::excessive_nesting, missing_docs)]
#[rustfmt::skip]
pub mod v1 {
    include!("gen/silverback.v1.rs");
}

/// KEDA's external scaler contract, as generated from `proto/keda/externalscaler.proto`.
#[allow(clippy::all, clippy::too_many_lines, clippy::excessive_nesting, missing_docs)]
#[rustfmt::skip]
pub mod externalscaler {
    include!("gen/externalscaler.rs");
}

pub use error::{CodedStatus, ErrorCode};

/// The encoded `FileDescriptorSet` of [`v1`], for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.bin");

/// The same for [`externalscaler`].
pub const EXTERNAL_SCALER_DESCRIPTORS: &[u8] = include_bytes!("gen/externalscaler.bin");
