//! Names the kinds of rules that arguments can break.

/// Which kind of rule is broken. The names are stable: metrics count by them, prompts for repair and clients branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViolationCode {
    /// A parameter or member that must be given is not.
    Required,
    /// There is no parameter or member of this name.
    Unknown,
    /// The value is of another JSON type.
    Type,
    /// The value is none of those that are listed.
    Choice,
    /// The text does not look as the vendor asks.
    Pattern,
    /// The number is too small or too large.
    Bounds,
    /// The text is too short or too long, or the list has too few or too many elements.
    Length,
    /// Not exactly one of several members is given.
    Union,
    /// Two things are given of which only one may be.
    Exclusive,
    /// A reference to an earlier result is malformed.
    Reference,
    /// The catalogue has no such operation.
    Operation,
    /// Nested too deep, or more values than are looked at.
    TooLarge,
}

// === impl ViolationCode ===

impl ViolationCode {
    /// Every code, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::Required,
        Self::Unknown,
        Self::Type,
        Self::Choice,
        Self::Pattern,
        Self::Bounds,
        Self::Length,
        Self::Union,
        Self::Exclusive,
        Self::Reference,
        Self::Operation,
        Self::TooLarge,
    ];

    /// The name outside this process.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Unknown => "unknown",
            Self::Type => "type",
            Self::Choice => "choice",
            Self::Pattern => "pattern",
            Self::Bounds => "bounds",
            Self::Length => "length",
            Self::Union => "union",
            Self::Exclusive => "exclusive",
            Self::Reference => "reference",
            Self::Operation => "operation",
            Self::TooLarge => "too_large",
        }
    }
}
