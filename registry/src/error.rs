//! What can go wrong with the registry, each variant naming the operation that failed.

use std::fmt;

use silverback_proto::ErrorCode;

use crate::store::{LeaseId, Revision};

/// Why a registry operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry address has no accepted form.
    #[error("registry address `{url}`: {reason}; write `memory:` or `etcd://host:port[,host:port…]`")]
    InvalidUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration contradicts itself; all problems at once.
    #[error("registry configuration: {problems}")]
    InvalidConfig {
        /// Separated by `; `.
        problems: String,
    },
    /// Not a capability's name.
    #[error("capability `{name}`: {reason}")]
    InvalidCapability {
        /// As given, shortened.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not a worker's name.
    #[error("worker id `{id}`: write 1 to 128 of A–Z a–z 0–9 . _ -")]
    InvalidWorkerId {
        /// As given, shortened.
        id: String,
    },
    /// Not a digest.
    #[error("digest `{text}`: write `sha256:` and 64 lower-case hexadecimal digits")]
    InvalidDigest {
        /// As given, shortened.
        text: String,
    },
    /// A worker record breaks a rule; all problems at once.
    #[error("worker record: {problems}")]
    InvalidRecord {
        /// Separated by `; `.
        problems: String,
    },
    /// A card or declaration breaks a rule; all problems at once.
    #[error("{what}: {problems}")]
    InvalidCard {
        /// `card` or `declaration`.
        what: &'static str,
        /// Separated by `; `.
        problems: String,
    },
    /// Somebody wrote something that is not what its key says.
    #[error("registry entry `{key}` is unreadable: {reason}")]
    UnreadableEntry {
        /// Full key.
        key: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// The store's client could not be made. An unreachable store is no such error: clients connect when used.
    #[error("could not connect to the registry at `{url}`: {source}")]
    ConnectFailed {
        /// As given.
        url: String,
        /// What the store's client said.
        source: StoreFault,
    },
    /// Reading all keys under a prefix failed.
    #[error("could not list `{prefix}` in the registry: {source}")]
    ListFailed {
        /// Common start of the keys.
        prefix: String,
        /// What the store said.
        source: StoreFault,
    },
    /// Reading one key failed.
    #[error("could not read `{key}` from the registry: {source}")]
    ReadFailed {
        /// Full key.
        key: String,
        /// What the store said.
        source: StoreFault,
    },
    /// Writing one key failed.
    #[error("could not write `{key}` to the registry: {source}")]
    WriteFailed {
        /// Full key.
        key: String,
        /// What the store said.
        source: StoreFault,
    },
    /// Deleting one key failed.
    #[error("could not delete `{key}` from the registry: {source}")]
    DeleteFailed {
        /// Full key.
        key: String,
        /// What the store said.
        source: StoreFault,
    },
    /// The transaction that takes a key for its owner failed; it may still have been applied.
    #[error("could not claim `{key}` in the registry: {source}")]
    ClaimFailed {
        /// Full key.
        key: String,
        /// What the store said.
        source: StoreFault,
    },
    /// The transaction that gives a key up failed; it may still have been applied.
    #[error("could not release `{key}` in the registry: {source}")]
    ReleaseFailed {
        /// Full key.
        key: String,
        /// What the store said.
        source: StoreFault,
    },
    /// Somebody else holds the key.
    #[error("`{key}` belongs to another owner ({owner}); give this worker another id or stop the other one")]
    AlreadyOwned {
        /// Full key.
        key: String,
        /// The other one's address, or the start of its value.
        owner: String,
    },
    /// No lease was granted.
    #[error("could not get a lease from the registry: {source}")]
    LeaseGrantFailed {
        /// What the store said.
        source: StoreFault,
    },
    /// The lease was not renewed; it may still be alive.
    #[error("could not renew lease {lease}: {source}")]
    LeaseRenewFailed {
        /// The lease in question.
        lease: LeaseId,
        /// What the store said.
        source: StoreFault,
    },
    /// The lease was not revoked; it ends by itself when its time is over.
    #[error("could not revoke lease {lease}: {source}")]
    LeaseRevokeFailed {
        /// The lease in question.
        lease: LeaseId,
        /// What the store said.
        source: StoreFault,
    },
    /// The store no longer knows the lease; its keys are gone.
    #[error("lease {lease} is gone")]
    LeaseLost {
        /// The lease in question.
        lease: LeaseId,
    },
    /// The key is gone or changed although its lease lives: somebody else's hand.
    #[error("`{key}` was deleted or overwritten by somebody else")]
    KeyLost {
        /// Full key.
        key: String,
    },
    /// A watch could not be opened.
    #[error("could not watch `{prefix}` from revision {from}: {source}")]
    WatchStartFailed {
        /// Common start of the keys.
        prefix: String,
        /// First revision wanted.
        from: Revision,
        /// What the store said.
        source: StoreFault,
    },
    /// An open watch broke or fell silent.
    #[error("the watch on `{prefix}` ended: {source}")]
    WatchFailed {
        /// Common start of the keys.
        prefix: String,
        /// What the store said.
        source: StoreFault,
    },
    /// The store cannot tell what happened since that revision: compacted, or replaced by an older one.
    #[error("the registry has no history from revision {from} on; list again")]
    HistoryLost {
        /// First revision wanted.
        from: Revision,
    },
    /// The background task that announces was lost; a defect of ours, or the runtime is going down.
    #[error("the announcing task ended before it withdrew")]
    AnnounceTaskLost,
}

/// What a store or the way to it said, free of the store's own types.
#[derive(Clone, Debug)]
pub struct StoreFault {
    code: ErrorCode,
    message: String,
}

/// The start of a text from outside, safe to print.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let mut short: String = text.chars().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        short.push('…');
    }
    short
}

// === impl RegistryError ===

impl RegistryError {
    /// The code of the one table that every edge maps.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidUrl { .. }
            | Self::InvalidConfig { .. }
            | Self::InvalidCapability { .. }
            | Self::InvalidWorkerId { .. }
            | Self::InvalidDigest { .. }
            | Self::InvalidRecord { .. }
            | Self::InvalidCard { .. }
            | Self::UnreadableEntry { .. } => ErrorCode::InvalidRequest,
            Self::AlreadyOwned { .. } => ErrorCode::Conflict,
            Self::LeaseLost { .. } | Self::KeyLost { .. } | Self::HistoryLost { .. } => ErrorCode::NotFound,
            Self::AnnounceTaskLost => ErrorCode::Internal,
            Self::ConnectFailed { source, .. }
            | Self::ListFailed { source, .. }
            | Self::ReadFailed { source, .. }
            | Self::WriteFailed { source, .. }
            | Self::DeleteFailed { source, .. }
            | Self::ClaimFailed { source, .. }
            | Self::ReleaseFailed { source, .. }
            | Self::LeaseGrantFailed { source }
            | Self::LeaseRenewFailed { source, .. }
            | Self::LeaseRevokeFailed { source, .. }
            | Self::WatchStartFailed { source, .. }
            | Self::WatchFailed { source, .. } => source.code,
        }
    }

    /// May the same operation be tried again unchanged?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

// === impl StoreFault ===

impl StoreFault {
    /// For whoever implements a [`Store`](crate::store::Store).
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The code of the one table that every edge maps.
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.name())
    }
}

impl std::error::Error for StoreFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_may_be_tried_again_and_a_second_owner_may_not() {
        let away = StoreFault::new(ErrorCode::Unavailable, "connection refused");
        let error = RegistryError::ListFailed { prefix: "/x".into(), source: away };
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), "could not list `/x` in the registry: connection refused (unavailable)");
        let owned = RegistryError::AlreadyOwned { key: "k".into(), owner: "o".into() };
        assert_eq!((owned.code(), owned.is_retryable()), (ErrorCode::Conflict, false));
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        let excerpt = excerpt(&"\u{1b}[31m".repeat(100));
        assert!(excerpt.chars().all(|c| !c.is_control()) && excerpt.ends_with('…'));
    }
}
