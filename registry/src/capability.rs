//! What can be asked for: a validated name in a tree, e.g. `aws/s3` under `aws`.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{RegistryError, excerpt};

/// `[a-z0-9-]+(/[a-z0-9-]+)*`, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capability(String);

// === impl Capability ===

impl Capability {
    /// Longest name in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Checks a name. `InvalidCapability` says which rule it breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, RegistryError> {
        let name = name.into();
        match broken_rule(&name) {
            None => Ok(Self(name)),
            Some(reason) => Err(RegistryError::InvalidCapability { name: excerpt(&name), reason }),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This name, then those above it, most specific first: `aws/s3`, `aws`.
    pub fn lineage(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |name| name.rsplit_once('/').map(|(above, _)| above))
    }

    /// Is `other` this capability or one below it?
    pub fn covers(&self, other: &Capability) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if name.len() > Capability::MAX_BYTES {
        return Some("at most 64 bytes");
    }
    (!name.split('/').all(is_segment)).then_some("write segments of a–z 0–9 - separated by `/`, e.g. `aws/s3`")
}

impl FromStr for Capability {
    type Err = RegistryError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for Capability {
    type Error = RegistryError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.0
    }
}

/// Lets a map keyed by capabilities be asked with a plain name.
impl Borrow<str> for Capability {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_segments_and_refuses_everything_else() {
        for good in ["aws", "aws/s3", "a-1/b/c", "0"] {
            assert!(Capability::new(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "aws/", "/aws", "aws//s3", "AWS", "a b", "a.b", "..", "ä", "a\n", &"a".repeat(65)] {
            assert!(Capability::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lineage_goes_from_specific_to_general() {
        let capability = Capability::new("aws/s3/glacier").unwrap();
        assert_eq!(capability.lineage().collect::<Vec<_>>(), ["aws/s3/glacier", "aws/s3", "aws"]);
    }

    #[test]
    fn a_common_start_of_letters_is_no_kinship() {
        let aws = Capability::new("aws").unwrap();
        assert!(aws.covers(&Capability::new("aws/s3").unwrap()));
        assert!(!aws.covers(&Capability::new("awsome").unwrap()));
        assert!(!Capability::new("aws/s3").unwrap().covers(&aws));
    }

    proptest! {
        #[test]
        fn any_text_either_is_refused_or_comes_back_unchanged(text in ".{0,80}") {
            if let Ok(capability) = Capability::new(text.clone()) {
                prop_assert_eq!(capability.as_str(), &text);
                prop_assert!(capability.lineage().all(|name| Capability::new(name).is_ok()));
            }
        }
    }
}
