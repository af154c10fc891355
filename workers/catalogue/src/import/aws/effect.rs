//! What an AWS operation does to the world: from its traits, its text and its verb, whichever is the most careful.
//!
//! Verbs are not trusted: what begins like a read must also read by its text, hand out no credentials and carry no idempotency
//! token; what sets a state must not, by its text, add, send, start or destroy. In doubt an operation is irreversible. How
//! well that holds is measured on hand-made labels (`tests/semantics.rs` has the figures). Start at [`effect`].

use std::sync::LazyLock;

use regex::Regex;

use crate::operation::Effect;
use crate::semantics::Origin;

mod words;

use words::{ENDING, FRESH, IDEMPOTENT, NOT_IDEMPOTENT, NOT_READING, PURE, READING};

/// What is known of an operation besides its name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    /// Trait `readonly`.
    pub readonly: bool,
    /// Trait `idempotent`.
    pub idempotent: bool,
    /// HTTP method `GET` or `HEAD`.
    pub safe_method: bool,
    /// Takes an idempotency key.
    pub keyed: bool,
    /// The vendor's text, plain.
    pub text: &'a str,
    /// Each call makes a new version: the result names one.
    pub makes_version: bool,
    /// The service has an opposite that needs nothing this one was not given.
    pub can_be_taken_back: bool,
}

/// Credentials and links that let somebody in: handing them out is no read, whatever the verb says.
static MINTING: LazyLock<Regex> = LazyLock::new(|| {
    let name = "(Access|Auth|Authorization|Session|Bearer|Identity|OpenId|Federation|Refresh|Client|Derived|Callback)Tokens?\
                |Token(For|s?From|s?With|s?$)|Credentials?(For|From|With|$)|AccessKey|LoginProfile|EmbedUrl|ComputeAccess|[Ss]igned(Url|URL)\
                |VerificationCode|AuthCode|DataAccess$|^Assume|^CreateSession$|SessionContext$";
    Regex::new(name).expect("a constant")
});

/// First words of a text that only tells.
static TELLS: LazyLock<Regex> = LazyLock::new(|| {
    let first = "(?i)^(the \\S+ (operation|action|api) )?(this \\S* ?(operation|action|api|request|is a request) )?(to )?\
                 (returns?|lists?|retrieves?|gets?|describes?|search(es)?|provides?|displays?|shows?|fetch(es)?|obtains?|\
                 quer(y|ies)|finds?|views?|checks?|looks? up|counts?|detects?|inspects?|validates?|estimates?|compares?|\
                 calculates?|evaluates?|simulates?|classif(y|ies)|previews?|predicts?|suggests?|maps?|parses?|reads?|\
                 downloads?|exports?|autocomplete|gathers?|analyzes?|selects?|filters?|scans?|determines?|information)\\b";
    Regex::new(first).expect("a constant")
});

/// First words of a text that acts, though the verb of the name reads.
static ACTS: LazyLock<Regex> = LazyLock::new(|| {
    let first = "(?i)^(the \\S+ (operation|action|api) )?(this \\S* ?(operation|action|api) )?(creates?|generates?|starts?|\
                 deletes?|sends?|issues?|exchang|registers?|updates?|polls?|adds?|removes?|initiates?|begins?|verif|invokes?|\
                 attempts?|assigns?|marks?|sets?|enables?|disables?|requests? that|triggers?|runs?|executes?|acquires?)";
    Regex::new(first).expect("a constant")
});

/// Words near the beginning of a text after which even a reading verb does something.
static SIDE_EFFECT: LazyLock<Regex> = LazyLock::new(|| {
    let words = "(?i)temporary (access |security )?credential|short-term credential|returns? [^.]*(authentication|authorization|access) token|sends? an? |issues new|is registered|\
                 asynchronously|starts? an? |creates? an? (new )?(job|task|report|identity|session)|one-time pass|\
                 billed|charge[sd]? |to (the|an|your) (amazon )?s3 |\\bsets? (the )?status|checks (in|out) ";
    Regex::new(words).expect("a constant")
});

/// Words near the beginning of a text that sets nothing absolute: again would add, send, start or destroy more.
static NOT_A_STATE: LazyLock<Regex> = LazyLock::new(|| {
    let words = "(?i)new (\\w+ )?(version|revision)|\\bappend|\\bpublish(es|ed)?\\b|\\bsends?\\b|\\binvok|\\bexecut(es|ion of)|\
                 \\bcancel(s|led)?\\b|\\bterminat|\\bdelet(es|e|ed|ing)\\b|\\bpermanent|\\bpurchas|\\bincrement|\\bingest|\
                 \\buploads?\\b|\\bcommits?\\b|\\brotat|\\bregenerat|\\brecreat|\\breplac(es|ed) the (instance|node)|\\bcannot be undone|\
                 can't be (undone|reversed|restored)|irreversibl|\\brestarts\\b|\\breboots\\b|\\bwip(es|ed)\\b|\\beras|\\bsubmits\\b|\\brecords (a|an|the|your|one) |\\bwrites (a|an|data|one|multiple)";
    Regex::new(words).expect("a constant")
});

static SAYS_IDEMPOTENT: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "(?i)(this|the) (\\w+ )?(operation|action|api|call|request)? ?(is|are) idempotent|\\bis an idempotent\\b";
    Regex::new(words).expect("a constant")
});

/// Effect class of an operation, and who says so.
pub(super) fn effect(name: &str, facts: Facts<'_>) -> (Effect, Origin) {
    let bare = without_batch(name);
    let verb = verb(bare);
    let side_effect = SIDE_EFFECT.is_match(opening(facts.text, 2));
    let minting = MINTING.is_match(name) && !matches!(verb, "List" | "Describe" | "Count" | "Validate");
    if !minting && !side_effect && !facts.keyed && !NOT_READING.contains(&name) {
        if facts.readonly && !words::ACTING.contains(&verb) {
            return (Effect::Read, Origin::vendor("readonly"));
        }
        if let Some(rule) = reads(name, facts) {
            return (Effect::Read, Origin::rule(rule));
        }
    }
    if facts.keyed {
        return (Effect::Keyed, Origin::rule("takes-an-idempotency-key"));
    }
    sets(name, facts, minting).map_or((Effect::Irreversible, Origin::Unknown), |origin| (Effect::Idempotent, origin))
}

/// Name of the rule by which it only reads.
fn reads(name: &str, facts: Facts<'_>) -> Option<&'static str> {
    let bare = without_batch(name);
    let bare = bare.strip_prefix("Admin").filter(|rest| rest.starts_with(char::is_uppercase)).unwrap_or(bare);
    let verb = verb(bare);
    let opening = opening(facts.text, 1);
    let tells = TELLS.is_match(opening);
    if READING.contains(&verb) {
        // A text in other words than a read's own is believed when the protocol agrees.
        return (!ACTS.is_match(opening) || (facts.safe_method && tells)).then_some("reading-verb");
    }
    if PURE.contains(&verb) && (tells || opening.is_empty() && facts.safe_method) {
        return (facts.safe_method || !is_job(facts.text)).then_some("computing-verb-and-text");
    }
    (facts.safe_method && tells && !words::ACTING.contains(&verb)).then_some("safe-method-and-text")
}

/// Who says that the same again leaves the same state.
fn sets(name: &str, facts: Facts<'_>, minting: bool) -> Option<Origin> {
    let bare = without_batch(name);
    let verb = verb(bare);
    if ENDING.contains(&verb)
        || FRESH.contains(&verb)
        || minting
        || NOT_IDEMPOTENT.contains(&name)
        || facts.makes_version
    {
        return None;
    }
    // An open session takes what it is given as one more step.
    let is_step = matches!(verb, "Put" | "Update") && bare.ends_with("Session");
    // What removes tags is said to delete them; they can be set again.
    let is_tagging = matches!(verb, "Tag" | "Untag");
    if verb == "Stop" && is_run(bare) || is_step {
        return None;
    }
    if SAYS_IDEMPOTENT.is_match(facts.text) {
        return Some(Origin::Text);
    }
    if !is_tagging && NOT_A_STATE.is_match(opening(facts.text, 2)) {
        return None;
    }
    // Not for `Create`: some make a second thing in spite of the mark, so there only words count.
    if facts.idempotent && verb != "Create" {
        return Some(Origin::vendor("idempotent"));
    }
    if verb == "Stop" {
        return facts.can_be_taken_back.then(|| Origin::rule("stop-with-start"));
    }
    let tags = ["AddTags", "CreateTags", "CreateOrUpdateTags"].iter().any(|start| name.starts_with(start));
    let overwrites = tags && facts.text.to_ascii_lowercase().contains("overwrit");
    if overwrites {
        return Some(Origin::rule("tags-overwrite"));
    }
    IDEMPOTENT.contains(&verb).then(|| Origin::rule("state-setting-verb"))
}

/// Is what the name speaks of over for good once it is stopped?
pub(super) fn is_run(name: &str) -> bool {
    let ends = [
        "Run",
        "Runs",
        "Executions",
        "Tasks",
        "Queries",
        "Job",
        "Jobs",
        "Task",
        "Execution",
        "Query",
        "Session",
        "Build",
        "Batch",
        "Analyzer",
        "Test",
        "Operation",
    ];
    ends.iter().any(|end| name.ends_with(end))
}

/// Does the text speak of work that goes on after the answer?
fn is_job(text: &str) -> bool {
    let opening = opening(text, 3);
    ["asynchron", " job", "in the background", "starts "].iter().any(|sign| opening.contains(sign))
}

/// The first sentences of a text.
fn opening(text: &str, sentences: usize) -> &str {
    let end = text.match_indices(". ").nth(sentences - 1).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// `BatchStop…` does what `Stop…` does.
fn without_batch(name: &str) -> &str {
    name.strip_prefix("Batch").filter(|rest| rest.starts_with(char::is_uppercase)).unwrap_or(name)
}

/// First word of a name: `Create` of `CreateVpc`.
pub(super) fn verb(name: &str) -> &str {
    let end = name.char_indices().skip(1).find(|(_, letter)| letter.is_uppercase()).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

#[cfg(test)]
mod tests;
