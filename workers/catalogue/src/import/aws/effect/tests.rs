use super::*;

fn told(name: &str, text: &str) -> Effect {
    effect(name, Facts { text, ..Facts::default() }).0
}

#[test]
fn reads_are_told_from_what_only_begins_like_one() {
    assert_eq!(told("DescribeInstances", "Describes the specified instances."), Effect::Read);
    assert_eq!(told("BatchGetItem", "The BatchGetItem operation returns the attributes of items."), Effect::Read);
    assert_eq!(told("DetectLabels", "Detects instances of real-world entities within an image."), Effect::Read);
    for (name, text) in [
        ("GetSessionToken", "Returns a set of temporary credentials."),
        ("GetAuthorizationToken", "Retrieves an authorization token."),
        ("GetUserAttributeVerificationCode", "Given an attribute name, sends a user attribute verification code."),
        ("DetectStackDrift", "Detects whether a stack's actual configuration differs."),
        ("CheckInLicense", "Checks in the specified license."),
        ("VerifyEmailIdentity", "Adds an email address to the list of identities and attempts to verify it."),
        (
            "TestRepositoryTriggers",
            "Tests the functionality of repository triggers by sending information to the target.",
        ),
        ("RetrieveTapeArchive", "Retrieves an archived virtual tape from the virtual tape shelf to a tape gateway."),
    ] {
        assert_eq!(told(name, text), Effect::Irreversible, "{name}");
    }
}

#[test]
fn the_verbs_that_mislead_are_irreversible() {
    for (name, text) in [
        ("AssumeRole", "Returns a set of temporary security credentials that you can use to access resources."),
        ("Invoke", "Invokes a Lambda function."),
        ("InvokeModel", "Invokes the specified model to run inference."),
        ("SendMessage", "Delivers a message to the specified queue."),
        ("SendEmail", "Composes an email message and immediately queues it for sending."),
        ("Publish", "Sends a message to a topic."),
        ("ReceiveMessage", "Retrieves one or more messages from the specified queue."),
        ("TerminateInstances", "Shuts down the specified instances."),
        ("FrobnicateVpc", ""),
    ] {
        assert_eq!(told(name, text), Effect::Irreversible, "{name}");
    }
    let get = Facts { safe_method: true, text: "Returns credentials.", ..Facts::default() };
    assert_eq!(effect("AssumeQueueRoleForUser", get).0, Effect::Irreversible);
}

#[test]
fn a_vendors_mark_is_not_believed_against_the_verb() {
    let readonly = Facts { readonly: true, ..Facts::default() };
    assert_eq!(effect("GetThing", readonly), (Effect::Read, Origin::vendor("readonly")));
    assert_eq!(effect("StartQuery", readonly).0, Effect::Irreversible);
    assert_eq!(effect("BatchStartViewerSessionRevocation", readonly).0, Effect::Irreversible);
    let idempotent = Facts { idempotent: true, ..Facts::default() };
    assert_eq!(effect("PutThing", idempotent), (Effect::Idempotent, Origin::vendor("idempotent")));
    for name in ["DeleteTable", "BatchDeleteReadSet", "CreateNetwork", "StartExportJob", "StopWorkflowRun"] {
        assert_eq!(effect(name, idempotent), (Effect::Irreversible, Origin::Unknown), "{name}");
    }
}

#[test]
fn tokens_make_keyed_also_what_reads_by_its_verb() {
    let keyed = Facts { keyed: true, ..Facts::default() };
    assert_eq!(effect("RunInstances", keyed).0, Effect::Keyed);
    assert_eq!(effect("GetThing", keyed).0, Effect::Keyed);
}

#[test]
fn settings_are_idempotent_unless_the_text_says_they_add_or_destroy() {
    assert_eq!(told("PutBucketVersioning", "Sets the versioning state of an existing bucket."), Effect::Idempotent);
    assert_eq!(told("UntagResource", "Deletes the specified tags."), Effect::Idempotent);
    assert_eq!(told("CreateTags", "Adds or overwrites only the specified tags."), Effect::Idempotent);
    for (name, text) in [
        ("PutRecord", "Writes a single data record."),
        ("UpdateItem", "Edits an existing item's attributes, or adds a new item."),
        ("UpdateJourneyState", "Cancels (stops) an active journey."),
        ("UpdateBackupPlan", "Updates the plan. The new version is uniquely identified by its ID."),
        ("DisableAdmin", "Removes the administrator. Deletes the organization behavior graph."),
    ] {
        assert_eq!(told(name, text), Effect::Irreversible, "{name}");
    }
    let version = Facts { makes_version: true, ..Facts::default() };
    assert_eq!(effect("UpdateThing", version).0, Effect::Irreversible);
}

#[test]
fn stopping_is_idempotent_only_when_it_can_be_started_again() {
    let both = Facts { can_be_taken_back: true, ..Facts::default() };
    assert_eq!(effect("StopInstances", both), (Effect::Idempotent, Origin::rule("stop-with-start")));
    assert_eq!(effect("StopInstances", Facts::default()).0, Effect::Irreversible);
    assert_eq!(effect("StopQueryExecution", both).0, Effect::Irreversible);
}
