//! One error code for every edge: gRPC status and HTTP status come from the same table.
//!
//! The idea of a single code that each edge maps is quickwit's `ServiceErrorCode`. No edge invents a status.

use tonic::{Code, Status};

/// Metadata key under which the code travels with a gRPC status.
const CODE_KEY: &str = "silverback-code";

/// What went wrong, for programs. The text beside it is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request itself is at fault; the same request will fail again.
    InvalidRequest,
    /// A named thing does not exist here.
    NotFound,
    /// Somebody else owns the name.
    Conflict,
    /// A limit on size or load was reached; try again later or send less.
    Exhausted,
    /// No process serves this now; try again.
    Unavailable,
    /// The deadline passed.
    DeadlineExceeded,
    /// The caller went away.
    Cancelled,
    /// Parts of two versions met: pack, grammar or contract.
    VersionMismatch,
    /// A defect of ours.
    Internal,
}

/// Code, gRPC code, HTTP status, name on the wire, may the caller try again unchanged.
const TABLE: &[(ErrorCode, Code, u16, &str, bool)] = &[
    (ErrorCode::InvalidRequest, Code::InvalidArgument, 400, "invalid-request", false),
    (ErrorCode::NotFound, Code::NotFound, 404, "not-found", false),
    (ErrorCode::Conflict, Code::AlreadyExists, 409, "conflict", false),
    (ErrorCode::Exhausted, Code::ResourceExhausted, 429, "exhausted", true),
    (ErrorCode::Unavailable, Code::Unavailable, 503, "unavailable", true),
    (ErrorCode::DeadlineExceeded, Code::DeadlineExceeded, 504, "deadline-exceeded", true),
    (ErrorCode::Cancelled, Code::Cancelled, 499, "cancelled", false),
    (ErrorCode::VersionMismatch, Code::FailedPrecondition, 412, "version-mismatch", false),
    (ErrorCode::Internal, Code::Internal, 500, "internal", false),
];

/// Reads our code back from a status that crossed the wire.
pub trait CodedStatus {
    /// The code its sender gave, else the nearest one for its gRPC code.
    fn error_code(&self) -> ErrorCode;
}

// === impl ErrorCode ===

impl ErrorCode {
    fn row(self) -> &'static (ErrorCode, Code, u16, &'static str, bool) {
        TABLE.iter().find(|row| row.0 == self).expect("every code has a row, see the test")
    }

    /// Status code for the gRPC edges.
    pub fn grpc(self) -> Code {
        self.row().1
    }

    /// Status code for the HTTP edges.
    pub fn http(self) -> u16 {
        self.row().2
    }

    /// Stable name, lower case with dashes.
    pub fn name(self) -> &'static str {
        self.row().3
    }

    /// May the caller send the same again?
    pub fn is_retryable(self) -> bool {
        self.row().4
    }

    /// A gRPC status that carries this code.
    pub fn status(self, message: impl Into<String>) -> Status {
        let mut status = Status::new(self.grpc(), message);
        status.metadata_mut().insert(CODE_KEY, self.name().parse().expect("names are ASCII, see the test"));
        status
    }
}

// === impl CodedStatus ===

impl CodedStatus for Status {
    fn error_code(&self) -> ErrorCode {
        let named =
            self.metadata().get(CODE_KEY).and_then(|name| TABLE.iter().find(|row| row.3.as_bytes() == name.as_bytes()));
        let by_code = || TABLE.iter().find(|row| row.1 == self.code());
        named.or_else(by_code).map_or(ErrorCode::Internal, |row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire() {
        for row in TABLE {
            let status = row.0.status("why");
            assert_eq!(status.error_code(), row.0);
            assert_eq!(status.code(), row.1);
        }
    }

    #[test]
    fn a_foreign_status_gets_the_nearest_code() {
        assert_eq!(Status::unavailable("x").error_code(), ErrorCode::Unavailable);
        assert_eq!(Status::data_loss("x").error_code(), ErrorCode::Internal);
    }
}
