//! Where things lie in the store: the only place that builds or takes apart a key.
//!
//! `workers/{capability}/{worker}` nests: the capability's `/` stays, a worker id has none, so the last segment is always
//! the worker. So a store's prefix permission on `workers/aws/` covers `aws` and everything below it.

use crate::{capability::Capability, digest::Digest, record::WorkerId};

/// Start of every key.
pub const PREFIX: &str = "/silverback/v1/";

/// A key, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A worker's record, leased.
    Worker(Capability, WorkerId),
    /// A card, content-addressed, without a lease.
    Card(Digest),
    /// A capability that should exist with no worker too.
    Declared(Capability),
    /// A router, leased.
    Router(WorkerId),
    /// A worker that is still loading what it will serve, leased.
    Loading(Capability, WorkerId),
    /// Measured numbers of a card; the evaluator's role writes them.
    Measured(Digest, String),
}

/// Key of a worker's record.
pub fn worker(capability: &Capability, id: &WorkerId) -> String {
    format!("{PREFIX}workers/{capability}/{id}")
}

/// Key of a card.
pub fn card(digest: &Digest) -> String {
    format!("{PREFIX}cards/{digest}")
}

/// Key of a declared capability.
pub fn declared(capability: &Capability) -> String {
    format!("{PREFIX}declared/{capability}")
}

/// Key of a router.
pub fn router(id: &WorkerId) -> String {
    format!("{PREFIX}routers/{id}")
}

/// Key of a worker that is still loading.
pub fn loading(capability: &Capability, id: &WorkerId) -> String {
    format!("{PREFIX}loading/{capability}/{id}")
}

/// Key of a card's numbers in one suite; `None` when the suite's name is not `[a-z0-9._-]{1,64}`.
pub fn measured(card: &Digest, suite: &str) -> Option<String> {
    is_suite(suite).then(|| format!("{PREFIX}measured/{card}/{suite}"))
}

// === impl Key ===

impl Key {
    /// Takes a key apart; `None` when it is not one of ours.
    pub fn parse(key: &str) -> Option<Self> {
        let (kind, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
        match kind {
            "workers" => {
                let (capability, id) = rest.rsplit_once('/')?;
                Some(Self::Worker(capability.parse().ok()?, id.parse().ok()?))
            }
            "cards" => Some(Self::Card(rest.parse().ok()?)),
            "routers" => Some(Self::Router(rest.parse().ok()?)),
            "loading" => {
                let (capability, id) = rest.rsplit_once('/')?;
                Some(Self::Loading(capability.parse().ok()?, id.parse().ok()?))
            }
            "declared" => Some(Self::Declared(rest.parse().ok()?)),
            "measured" => {
                let (card, suite) = rest.split_once('/')?;
                is_suite(suite).then_some(Self::Measured(card.parse().ok()?, suite.to_owned()))
            }
            _ => None,
        }
    }
}

fn is_suite(name: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_where_the_design_says() {
        let digest = Digest::of(b"");
        assert_eq!(worker(&"aws/s3".parse().unwrap(), &"w-1".parse().unwrap()), "/silverback/v1/workers/aws/s3/w-1");
        assert_eq!(card(&digest), format!("/silverback/v1/cards/{digest}"));
        assert_eq!(declared(&"aws".parse().unwrap()), "/silverback/v1/declared/aws");
        assert_eq!(measured(&digest, "aws-30").unwrap(), format!("/silverback/v1/measured/{digest}/aws-30"));
        assert_eq!(measured(&digest, "a/b"), None);
    }

    #[test]
    fn foreign_keys_are_not_ours() {
        let bad = [
            "",
            "/",
            "workers/aws/w",
            "/silverback/v2/workers/aws/w",
            "/silverback/v1/workers/w",
            "/silverback/v1/x/y",
        ];
        for key in bad {
            assert_eq!(Key::parse(key), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn every_key_is_taken_apart_as_it_was_built(
            capability in "[a-z0-9-]{1,9}(/[a-z0-9-]{1,9}){0,4}",
            id in "[A-Za-z0-9._-]{1,20}",
        ) {
            let (capability, id): (Capability, WorkerId) = (capability.parse().unwrap(), id.parse().unwrap());
            prop_assert_eq!(Key::parse(&worker(&capability, &id)), Some(Key::Worker(capability.clone(), id.clone())));
            prop_assert_eq!(Key::parse(&router(&id)), Some(Key::Router(id.clone())));
            prop_assert_eq!(Key::parse(&loading(&capability, &id)), Some(Key::Loading(capability.clone(), id)));
            prop_assert_eq!(Key::parse(&declared(&capability)), Some(Key::Declared(capability)));
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in ".{0,60}") {
            Key::parse(&format!("{PREFIX}{text}"));
        }
    }
}
