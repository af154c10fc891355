//! Who says something about an operation.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who says it: written `trait:NAME`, `text`, `rule:NAME` or `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    /// Nobody: taken as the most dangerous.
    #[default]
    Unknown,
    /// A machine-readable mark in the vendor's description, by name.
    Trait(Cow<'static, str>),
    /// What the vendor's text says.
    Text,
    /// A rule of ours, by name.
    Rule(Cow<'static, str>),
}

// === impl Origin ===

impl Origin {
    /// A mark of the vendor.
    pub const fn vendor(name: &'static str) -> Self {
        Self::Trait(Cow::Borrowed(name))
    }

    /// A rule of ours.
    pub const fn rule(name: &'static str) -> Self {
        Self::Rule(Cow::Borrowed(name))
    }

    /// Does nobody say it?
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown, so the most dangerous"),
            Self::Trait(name) => write!(f, "vendor trait {name}"),
            Self::Text => f.write_str("vendor text"),
            Self::Rule(name) => write!(f, "rule {name}"),
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Unknown => "unknown".to_owned(),
            Origin::Trait(name) => format!("trait:{name}"),
            Origin::Text => "text".to_owned(),
            Origin::Rule(name) => format!("rule:{name}"),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            Some(("trait", name)) => Ok(Self::Trait(Cow::Owned(name.to_owned()))),
            Some(("rule", name)) => Ok(Self::Rule(Cow::Owned(name.to_owned()))),
            None if text == "text" => Ok(Self::Text),
            None if text == "unknown" => Ok(Self::Unknown),
            _ => Err(format!("{text:?} is no origin: want trait:NAME, text, rule:NAME or unknown")),
        }
    }
}
