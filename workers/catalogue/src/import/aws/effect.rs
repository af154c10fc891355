//! What an AWS operation does to the world, from its traits and its verb.
//!
//! Botocore marks some operations `readonly` or `idempotent`; the rest is told from the name, and when in doubt the
//! operation is irreversible.

use std::collections::HashMap;

use crate::operation::{Effect, Operation};

/// First words of names that only read.
const READING: &[&str] = &[
    "Describe",
    "List",
    "Get",
    "Head",
    "Search",
    "Query",
    "Scan",
    "Lookup",
    "Select",
    "View",
    "Preview",
    "Estimate",
    "Validate",
    "Check",
    "Simulate",
    "Count",
    "Filter",
    "Is",
    "Detect",
    "Classify",
    "Suggest",
    "Compare",
    "Calculate",
    "Evaluate",
    "Discover",
    "Export",
    "Test",
    "Verify",
    "Retrieve",
    "Lookup",
    "Read",
    "Download",
    "Predict",
];
/// Reading verbs behind `Batch`.
const READING_BATCHES: &[&str] = &["BatchGet", "BatchDescribe", "BatchCheck", "BatchDetect", "BatchIs", "BatchRead"];

/// Names that begin like a read but hand out credentials, create what they get, consume what they read, or act.
const NOT_READING: &[&str] = &[
    "GetFederationToken",
    "GetSessionToken",
    "GetClusterCredentials",
    "GetClusterCredentialsWithIAM",
    "GetCredentials",
    "GetId",
    "GetOpenIdTokenForDeveloperIdentity",
    "GetInstanceAccess",
    "GetDashboardEmbedUrl",
    "GetSessionEmbedUrl",
    "GetLatestConfiguration",
    "GetTemporaryGlueTableCredentials",
    "GetTemporaryGluePartitionCredentials",
    "GetDataAccess",
    "GetRoleCredentials",
    "GetDevicePositionToken",
    "TestFailover",
    "TestMigration",
    "TestRole",
    "TestConnection",
    "ExportToS3",
    "ExportTableToPointInTime",
    "ExportImage",
    "ExportVmImage",
    "ExportClientVpnClientCertificateRevocationList",
    "VerifyEmailAddress",
    "VerifyEmailIdentity",
    "VerifyDomainIdentity",
    "VerifyDomainDkim",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
    "VerifyTrust",
    "VerifyOTPMessage",
    "VerifyDestinationNumber",
    "RetrieveDomainAuthCode",
    "DiscoverInputSchema",
    "TestInvokeMethod",
    "TestInvokeAuthorizer",
    "TestState",
];
/// Ends of names that begin with `Get` and mint a secret.
const MINTING_ENDS: &[&str] = &["Token", "Tokens", "Credentials", "AccessKey", "LoginProfile"];

/// First words after which the same again leaves the same state.
const IDEMPOTENT: &[&str] = &[
    "Put",
    "Set",
    "Update",
    "Modify",
    "Tag",
    "Untag",
    "Enable",
    "Disable",
    "Attach",
    "Detach",
    "Associate",
    "Disassociate",
    "Stop",
];
/// Names that begin so but append, count up or send.
const NOT_IDEMPOTENT: &[&str] = &[
    "PutEvents",
    "PutRecord",
    "PutRecords",
    "PutRecordBatch",
    "PutLogEvents",
    "PutMetricData",
    "PutMessage",
    "PutEvaluations",
    "PutExternalEvaluation",
    "PutActionInteraction",
    "PutTraceSegments",
    "PutTelemetryRecords",
    "PutAuditEvents",
    "PutRumEvents",
    "PutUsers",
    "PutItems",
    "PutActions",
    "PutComment",
    "UpdateItem",
    "PutFeedback",
    "PutJobSuccessResult",
    "PutJobFailureResult",
    "UpdateServiceSpecificCredential",
    "UpdateAccessKey",
];

/// Pairs of first words: what the left one does, the right one takes back.
const INVERSES: &[(&str, &str)] = &[
    ("Create", "Delete"),
    ("Attach", "Detach"),
    ("Detach", "Attach"),
    ("Associate", "Disassociate"),
    ("Disassociate", "Associate"),
    ("Enable", "Disable"),
    ("Disable", "Enable"),
    ("Start", "Stop"),
    ("Stop", "Start"),
    ("Add", "Remove"),
    ("Register", "Deregister"),
    ("Allocate", "Release"),
    ("Authorize", "Revoke"),
    ("Subscribe", "Unsubscribe"),
    ("Tag", "Untag"),
    ("Suspend", "Resume"),
    ("Resume", "Suspend"),
    ("Grant", "Revoke"),
    ("Activate", "Deactivate"),
    ("Deactivate", "Activate"),
    ("Lock", "Unlock"),
    ("Pause", "Resume"),
];
/// Certain, but not to be seen from the names.
const KNOWN_INVERSES: &[(&str, &str, &str)] = &[("ec2", "RunInstances", "TerminateInstances")];

/// What is known of an operation besides its name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    pub readonly: bool,
    pub idempotent: bool,
    /// HTTP method `GET` or `HEAD`.
    pub safe_method: bool,
    /// Has a top-level idempotency token.
    pub keyed: bool,
}

/// Effect class of an operation.
pub(super) fn effect(name: &str, traits: Traits) -> Effect {
    if traits.readonly {
        return Effect::Read;
    }
    let verb = verb(name);
    let minting = verb == "Get" && MINTING_ENDS.iter().any(|end| name.ends_with(end));
    let reading = READING.contains(&verb) || READING_BATCHES.iter().any(|start| name.starts_with(start));
    if reading && !minting && !NOT_READING.contains(&name) && !traits.keyed {
        return Effect::Read;
    }
    // A GET that does not begin like a read (`AssumeRole…`, `CreateSession`) is looked at like any other.
    if traits.keyed {
        return Effect::Keyed;
    }
    let gone_for_good =
        matches!(verb, "Delete" | "Terminate" | "Purge" | "Remove" | "Cancel" | "Deregister" | "Release");
    let idempotent = traits.idempotent || IDEMPOTENT.contains(&verb) || (traits.safe_method && !reading);
    if idempotent && !gone_for_good && !is_minting(name) && !NOT_IDEMPOTENT.contains(&name) {
        return Effect::Idempotent;
    }
    Effect::Irreversible
}

/// Writes `undo` where the inverse exists in the same service and nothing more must be known for it.
pub(super) fn link_inverses(service: &str, operations: &mut [Operation]) {
    let by_name: HashMap<String, usize> =
        operations.iter().enumerate().map(|(at, operation)| (operation.name.clone(), at)).collect();
    for at in 0..operations.len() {
        let undo = inverse_name(service, &operations[at].name, |name| by_name.contains_key(name));
        let certain = undo.as_ref().and_then(|name| by_name.get(name)).is_some_and(|&other| {
            // What a creation made is named by its result; every other pair must speak of the same things.
            verb(&operations[at].name) == "Create" || needs_no_more(&operations[other], &operations[at])
        });
        if certain || KNOWN_INVERSES.iter().any(|known| (known.0, known.1) == (service, &operations[at].name)) {
            operations[at].undo = undo;
        }
    }
}

fn inverse_name(service: &str, name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let known = KNOWN_INVERSES.iter().find(|known| known.0 == service && known.1 == name);
    if let Some((_, _, inverse)) = known {
        return Some((*inverse).to_owned()).filter(|name| exists(name));
    }
    let verb = verb(name);
    let candidates = INVERSES.iter().filter(|pair| pair.0 == verb);
    candidates.map(|pair| format!("{}{}", pair.1, &name[verb.len()..])).find(|name| exists(name))
}

/// Does the first operation need nothing that the second was not given or did not answer?
fn needs_no_more(inverse: &Operation, forward: &Operation) -> bool {
    let answered = forward.result.get("properties").and_then(|properties| properties.as_object());
    inverse.properties().filter(|(name, _)| inverse.is_required(name)).all(|(name, _)| {
        forward.parameter(name).is_some() || answered.is_some_and(|answered| answered.contains_key(name))
    })
}

fn is_minting(name: &str) -> bool {
    name.starts_with("Assume") || MINTING_ENDS.iter().any(|end| name.ends_with(end)) || name == "CreateSession"
}

/// First word of a name: `Create` of `CreateVpc`.
fn verb(name: &str) -> &str {
    let end = name.char_indices().skip(1).find(|(_, letter)| letter.is_uppercase()).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str) -> Effect {
        effect(name, Traits::default())
    }

    #[test]
    fn reads_are_told_from_what_only_begins_like_one() {
        assert_eq!(plain("DescribeInstances"), Effect::Read);
        assert_eq!(plain("BatchGetItem"), Effect::Read);
        assert_eq!(plain("GetSessionToken"), Effect::Irreversible);
        assert_eq!(plain("GetAuthorizationToken"), Effect::Irreversible);
        let assumed = Traits { safe_method: true, ..Traits::default() };
        assert_eq!(effect("AssumeQueueRoleForUser", assumed), Effect::Irreversible);
    }

    #[test]
    fn danger_is_the_default() {
        assert_eq!(plain("TerminateInstances"), Effect::Irreversible);
        assert_eq!(plain("FrobnicateVpc"), Effect::Irreversible);
        assert_eq!(effect("DeleteTable", Traits { idempotent: true, ..Traits::default() }), Effect::Irreversible);
        assert_eq!(plain("PutRecord"), Effect::Irreversible);
        assert_eq!(plain("UpdateItem"), Effect::Irreversible);
    }

    #[test]
    fn tokens_make_keyed_and_settings_are_idempotent() {
        assert_eq!(effect("RunInstances", Traits { keyed: true, ..Traits::default() }), Effect::Keyed);
        assert_eq!(plain("PutBucketVersioning"), Effect::Idempotent);
        assert_eq!(plain("StopInstances"), Effect::Idempotent);
    }
}
