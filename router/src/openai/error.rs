//! Errors as OpenAI's clients read them: `{"error": {"message", "type", "param", "code"}}`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use silverback_proto::{CodedStatus, ErrorCode};
use tonic::Status;

use crate::RouterError;

/// Why a request got no completion.
#[derive(Debug)]
pub(super) struct Refusal {
    code: ErrorCode,
    message: String,
}

impl From<RouterError> for Refusal {
    fn from(error: RouterError) -> Self {
        Self::of(&error.status())
    }
}

/// The request itself is at fault.
pub(super) fn refuse(message: String) -> Refusal {
    Refusal { code: ErrorCode::InvalidRequest, message }
}

// === impl Refusal ===

impl Refusal {
    /// What another part said.
    pub fn of(status: &Status) -> Self {
        Self { code: status.error_code(), message: status.message().to_owned() }
    }

    /// The body; in a stream the only sign that something failed.
    pub fn document(&self) -> Value {
        let kind = match self.code {
            ErrorCode::InvalidRequest | ErrorCode::NotFound => "invalid_request_error",
            ErrorCode::Exhausted => "rate_limit_error",
            _ => "server_error",
        };
        json!({"error": {"message": self.message, "type": kind, "param": null, "code": self.code.name()}})
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.document())).into_response()
    }
}
