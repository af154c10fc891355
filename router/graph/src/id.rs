//! Names of steps and calls within one plan.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::GraphError;

/// `s1`, `s2`, … within one plan, in the order the planner wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepId(u32);

/// `c1`, `c2`, … within one plan; `s2-c1` while the plan is still being written.
///
/// A specialist numbers its own answer from `c1` and names calls of earlier steps as they were given to it: `s2-c1` is the
/// first call of step 2. Merge turns both into the plan's own numbers, so a finished plan has no dashed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallId {
    step: Option<StepId>,
    number: u32,
}

// === impl StepId ===

impl StepId {
    /// The step at this place, counted from 0: `nth(0)` is `s1`.
    pub fn nth(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX - 1) + 1)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s{}", self.0)
    }
}

impl FromStr for StepId {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        number_after('s', text).map(Self).ok_or_else(|| bad_id(text, "a step id like \"s1\""))
    }
}

impl TryFrom<String> for StepId {
    type Error = GraphError;

    fn try_from(text: String) -> Result<Self, GraphError> {
        text.parse()
    }
}

impl From<StepId> for String {
    fn from(id: StepId) -> String {
        id.to_string()
    }
}

// === impl CallId ===

impl CallId {
    /// The call at this place, counted from 0, of a plan or of one answer: `nth(0)` is `c1`.
    pub fn nth(index: usize) -> Self {
        Self { step: None, number: StepId::nth(index).0 }
    }

    /// The step before the dash, if there is one.
    pub fn step(self) -> Option<StepId> {
        self.step
    }

    /// The same call as seen from outside its step: `c1` of `s2` is `s2-c1`; a name with a step keeps it.
    pub fn seen_from_outside(self, step: StepId) -> Self {
        Self { step: self.step.or(Some(step)), number: self.number }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(out, "{step}-c{}", self.number),
            None => write!(out, "c{}", self.number),
        }
    }
}

impl FromStr for CallId {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let expected = "a call id like \"c1\" or \"s2-c1\"";
        let (step, call) = match text.split_once('-') {
            Some((step, call)) => (Some(step.parse().map_err(|_| bad_id(text, expected))?), call),
            None => (None, text),
        };
        let number = number_after('c', call).ok_or_else(|| bad_id(text, expected))?;
        Ok(Self { step, number })
    }
}

impl TryFrom<String> for CallId {
    type Error = GraphError;

    fn try_from(text: String) -> Result<Self, GraphError> {
        text.parse()
    }
}

impl From<CallId> for String {
    fn from(id: CallId) -> String {
        id.to_string()
    }
}

/// One spelling per number: no sign, no leading zero, not 0.
fn number_after(letter: char, text: &str) -> Option<u32> {
    let digits = text.strip_prefix(letter)?;
    let is_canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if is_canonical { digits.parse().ok() } else { None }
}

fn bad_id(text: &str, expected: &'static str) -> GraphError {
    GraphError::ParseIdFailed { text: text.chars().take(64).collect(), expected }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_local_name_gets_its_step_once() {
        let local: CallId = "c3".parse().unwrap();
        let outside = local.seen_from_outside(StepId::nth(1));
        assert_eq!(outside.to_string(), "s2-c3");
        assert_eq!(outside.seen_from_outside(StepId::nth(4)), outside);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "s", "s0", "s01", "S1", "s1 ", "s-1", "s99999999999", "c1"] {
            assert!(text.parse::<StepId>().is_err(), "{text:?}");
        }
        for text in ["", "c", "c0", "c+1", "s1", "s1-", "s1-s2", "s1-c1-c1", "x1-c1", "s1.c1"] {
            assert!(text.parse::<CallId>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_printing_is_its_inverse(text in "[sc0-9-]{0,8}") {
            if let Ok(id) = text.parse::<CallId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
