//! Reads the `metadata` of a ScaledObject's trigger.

use std::collections::BTreeMap;

use silverback_registry::Capability;

use crate::ScalerError;

/// Steps that one worker is given, when the trigger says nothing: what a worker has at work at once.
pub const DEFAULT_TARGET: f64 = 4.0;

/// Bounds of `target`: less than a hundredth of a step a worker, or more than a million, is a slip of the pen.
const TARGETS: std::ops::RangeInclusive<f64> = 0.01..=1e6;

/// Most that `activation` may be.
const MAX_ACTIVATION: f64 = 1e6;

/// What KEDA itself reads of the metadata; it hands on everything.
const OF_KEDA: [&str; 7] =
    ["scalerAddress", "enableTLS", "unsafeSsl", "caCert", "tlsCertFile", "tlsClientCert", "tlsClientKey"];

/// Characters of a key or value from outside that an error shows.
const MAX_SHOWN: usize = 40;

/// Entries of the metadata that are looked at.
const MAX_ENTRIES: usize = 32;

/// What one ScaledObject wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Whose workers it scales.
    pub capability: Capability,
    /// Steps a worker.
    pub target: f64,
    /// Steps above which there should be any worker.
    pub activation: f64,
}

// === impl Trigger ===

impl Trigger {
    /// Reads `capability`, `target` and `activation`.
    ///
    /// # Errors
    /// `InvalidTrigger`, with all problems.
    pub fn read(metadata: &BTreeMap<String, String>) -> Result<Self, ScalerError> {
        let mut problems = Vec::new();
        if metadata.len() > MAX_ENTRIES {
            problems.push(format!("{} entries, at most {MAX_ENTRIES}", metadata.len()));
        }
        let known = |key: &str| ["capability", "target", "activation"].contains(&key) || OF_KEDA.contains(&key);
        for key in metadata.keys().take(MAX_ENTRIES).filter(|key| !known(key)) {
            let key = excerpt(key);
            problems.push(format!("`{key}` is unknown; there are `capability`, `target` and `activation`"));
        }
        let capability = match metadata.get("capability") {
            Some(name) => Capability::new(name.clone()).map_err(|error| problems.push(error.to_string())).ok(),
            None => {
                problems.push("`capability` is missing; write whose workers are scaled, e.g. `aws`".to_owned());
                None
            }
        };
        let mut number = |key: &str, default: f64, allowed: std::ops::RangeInclusive<f64>| {
            let Some(text) = metadata.get(key) else { return default };
            // The comparison is false for what is no number, too.
            text.parse().ok().filter(|number| allowed.contains(number)).unwrap_or_else(|| {
                let (least, most) = allowed.into_inner();
                problems.push(format!("`{key}` is `{}`; write steps from {least} to {most}", excerpt(text)));
                default
            })
        };
        let target = number("target", DEFAULT_TARGET, TARGETS);
        let activation = number("activation", 0.0, 0.0..=MAX_ACTIVATION);
        match capability {
            Some(capability) if problems.is_empty() => Ok(Self { capability, target, activation }),
            _ => Err(ScalerError::InvalidTrigger { problems: problems.join("; ") }),
        }
    }

    /// Name of its one metric. A `/` is none of the signs that Kubernetes allows in it.
    pub(crate) fn metric(&self) -> String {
        format!("silverback-steps-{}", self.capability.as_str().replace('/', "-"))
    }
}

/// The start of a text from outside, safe to print.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(entries: &[(&str, &str)]) -> Result<Trigger, ScalerError> {
        Trigger::read(&entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn only_the_capability_is_required() {
        let trigger = read(&[("capability", "aws/s3"), ("scalerAddress", "scaler:7413")]).unwrap();
        assert_eq!((trigger.target, trigger.activation), (DEFAULT_TARGET, 0.0));
        assert_eq!(trigger.metric(), "silverback-steps-aws-s3");
        let trigger = read(&[("capability", "aws"), ("target", "2.5"), ("activation", "3")]).unwrap();
        assert_eq!((trigger.target, trigger.activation), (2.5, 3.0));
    }

    #[test]
    fn every_problem_is_told_with_what_to_write() {
        let error = read(&[("target", "0"), ("activation", "many\n"), ("treshold", "5")]).unwrap_err();
        for part in [
            "`capability` is missing; write whose",
            "`target` is `0`; write steps from 0.01",
            "`activation` is `many\\n`",
            "`treshold` is unknown; there are",
        ] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        assert_eq!(error.code(), silverback_proto::ErrorCode::InvalidRequest);
        for bad in ["nan", "inf", "-1", "", "1e9"] {
            assert!(read(&[("capability", "aws"), ("target", bad)]).is_err(), "{bad}");
        }
        assert!(read(&[("capability", "AWS")]).unwrap_err().to_string().contains("a–z"));
    }

    proptest! {
        #[test]
        fn no_metadata_makes_the_reader_fail(
            metadata in prop::collection::btree_map("capability|target|activation|.{0,6}", ".{0,90}|[a-z0-9./-]{1,9}", 0..40),
        ) {
            match Trigger::read(&metadata) {
                Ok(trigger) => prop_assert!(trigger.target > 0.0 && trigger.activation >= 0.0),
                Err(error) => prop_assert!(error.to_string().chars().all(|sign| !sign.is_control())),
            }
        }
    }
}
