//! First words and names by which AWS operations are told apart. Each name is here because its verb misleads.

/// First words of names that read, unless the text says otherwise.
pub(super) const READING: &[&str] =
    &["Describe", "List", "Get", "Head", "Search", "Query", "Scan", "Select", "Lookup", "Count", "Filter", "View"];

/// First words of names that compute or look: only with a text that tells so.
pub(super) const PURE: &[&str] = &[
    "Analyze",
    "Autocomplete",
    "Calculate",
    "Check",
    "Classify",
    "Compare",
    "Contains",
    "Detect",
    "Discover",
    "Estimate",
    "Evaluate",
    "Geocode",
    "Introspect",
    "Is",
    "Predict",
    "Preview",
    "Read",
    "Recognize",
    "Rerank",
    "Retrieve",
    "Simulate",
    "Snap",
    "Suggest",
    "Validate",
];

/// First words of names that act even where the description is marked `readonly`.
pub(super) const ACTING: &[&str] = &[
    "Accept",
    "Add",
    "Allocate",
    "Associate",
    "Assume",
    "Attach",
    "Authorize",
    "Cancel",
    "Complete",
    "Copy",
    "Create",
    "Delete",
    "Deregister",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Execute",
    "Export",
    "Import",
    "Invoke",
    "Modify",
    "Poll",
    "Post",
    "Publish",
    "Put",
    "Reboot",
    "Receive",
    "Register",
    "Reject",
    "Release",
    "Remove",
    "Reset",
    "Restore",
    "Revoke",
    "Run",
    "Send",
    "Set",
    "Start",
    "Stop",
    "Submit",
    "Tag",
    "Terminate",
    "Test",
    "Untag",
    "Update",
    "Upload",
    "Verify",
];

/// First words after which something is gone or over for good.
pub(super) const ENDING: &[&str] =
    &["Abort", "Cancel", "Delete", "Deregister", "Expire", "Purge", "Release", "Remove", "Revoke", "Terminate", "Wipe"];

/// First words that make something new each time, also where the description is marked `idempotent`: a repeated `Create` mostly
/// answers with a conflict, a repeated `Start` with a second run.
pub(super) const FRESH: &[&str] = &[
    "Allocate", "Copy", "Execute", "Export", "Generate", "Import", "Invoke", "Publish", "Purchase", "Reboot", "Reset",
    "Restart", "Restore", "Rotate", "Run", "Send", "Start", "Submit",
];

/// First words after which the same again leaves the same state.
pub(super) const IDEMPOTENT: &[&str] = &[
    "Associate",
    "Attach",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Modify",
    "Put",
    "Set",
    "Tag",
    "Untag",
    "Update",
];

/// Names that begin like a read but create what they get, consume what they read, or act.
pub(super) const NOT_READING: &[&str] = &[
    "DescribeTopicRefreshSchedule",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "DetectStackSetDrift",
    "DiscoverInputSchema",
    "GetConfiguration",
    "GetEventPrediction",
    "GetId",
    "GetIdentityContext",
    "GetInstanceAccess",
    "GetLatestConfiguration",
    "GetJobDetails",
    "GetParametersForImport",
    "GetParametersForExport",
    "GetThirdPartyJobDetails",
    "PreviewPortal",
    "RetrieveAndGenerate",
    "RetrieveAndGenerateStream",
    "RetrieveTapeArchive",
    "RetrieveTapeRecoveryPoint",
];

/// Names that begin like setting a state but append, count up, send, or make something new each time.
pub(super) const NOT_IDEMPOTENT: &[&str] = &[
    "PutActionInteraction",
    "PutActionInteractions",
    "PutActions",
    "PutAuditEvents",
    "PutComment",
    "PutDialRequestBatch",
    "PutEvaluations",
    "PutEvents",
    "PutExternalEvaluation",
    "PutFeedback",
    "PutFile",
    "PutItems",
    "PutJobFailureResult",
    "PutJobSuccessResult",
    "PutLogEvents",
    "PutMessage",
    "PutMetadata",
    "PutMetricData",
    "PutOutboundRequestBatch",
    "PutPartnerEvents",
    "PutProfileOutboundRequestBatch",
    "PutRecord",
    "PutRecordBatch",
    "PutRecords",
    "PutRumEvents",
    "PutSecretValue",
    "PutTelemetryRecords",
    "PutTraceSegments",
    "PutThirdPartyJobFailureResult",
    "PutThirdPartyJobSuccessResult",
    "PutUsers",
    "UpdateAccessKey",
    "UpdateItem",
    "UpdateServiceSpecificCredential",
];
