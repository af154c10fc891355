//! Tells what a line of the planner is: an action of its own, or something said about one.
//!
//! Small models split details off ("Port 443", "NS ml") and make lines of reasons ("Worker-12 is fixed"). A line is an action when it
//! begins as an order or as a question. The words were taken from the beginnings of the phrases in
//! `workers/catalogue/data/phrases`, by hand.

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An order or a question.
    Action,
    /// An order that may only give a detail of the one before: "Set the TTL to 300", "Use the eu region".
    Detail,
    /// A sentence that says how things are, what limits what was said ("Don't delete it"), or where it is to happen.
    Remark,
    /// No sentence at all: "Port 443".
    Piece,
}

/// Words that orders begin with.
const ORDERS: &str = "abort accept activate add alias allow apply approve archive ask assign associate attach authorize autoscale ban \
    bind block boot bounce bring bump buy call cancel cap change charge check clean clear clone close collect commit compare \
    compute confirm connect convert copy cordon count create cut deactivate debug decline decode decrypt delegate delete deny deploy deregister describe \
    destroy detach diff disable disallow disassociate disconnect dismiss display download drain draw drop dump duplicate edit email enable encrypt \
    end enforce erase evict exec execute exempt expire explain export expose extend fail fetch file fill finalize find finish fire fix flip flush force \
    forget forward free freeze generate grab grant group grow halt hand hibernate hide hook import increase install invalidate invite \
    invoice invoke issue join kick kill label launch leave let link list load lock log look lower mail mark merge migrate modify monitor mount \
    move mute name note notify nuke open pack park pass patch pause pay peek pin ping place plan play plug point poll post preview price print promote \
    protect provision publish pull purge push query quarantine quote raise rate read reactivate reboot rebuild recall record recover \
    recreate recycle redeploy redrive reduce refresh refund register reinstate reject release relabel reload remove rename renew reopen reorder \
    replace replay replicate report request rerun reschedule reserve reset resize resolve restart restore restrict resume retire retrieve retry \
    return reverse revert review revoke rewrite rightsize roll rotate route run sample save say scale scan schedule scrap scrub search see select \
    sell send share shift ship shorten shrink shut sign simulate snapshot spin split squash stage start stop store stream strip subscribe \
    suspend swap switch sync tag tail taint take talk tear tell terminate test text throttle throw tie toggle top track transfer trash trigger trim \
    truncate turn unarchive unassign unattach unban unblock uncordon undo uninstall unlink unlock unmount unpause unpin unregister unschedule unshare \
    unsubscribe untag untaint unzip update upgrade upload validate vault verify view void wait wake warm watch wipe withdraw write zip \
    build bulk configure define deposit dial dispute draft embed enrol enroll escalate estimate evaluate fork index init initiate investigate \
    order pluck prepare prune put quiet recompute reconnect reencrypt reindex reply resend rescue reword subtract summarize tidy trace train translate \
    wire withhold make set up give get show keep use";

/// Orders that often only say more about the one before.
const DETAILS: &str = "add allow do don't dont ensure get give have include keep leave let make mark name put save set show skip start store target use wait";

/// Words that questions begin with.
const QUESTIONS: &str = "am anybody anyone any are can could did do does has have how how's is may might must should was were what what's \
    when where where's which who who's whose why will would";

/// Words before an order that say nothing.
const FILLERS: &str = "also and first finally just kindly next now ok okay please quickly so then";

/// Verbs of sentences that say how things are.
const STATES: &str = "am are aren't belongs can can't cannot changed costs could couldn't did didn't died does doesn't expired expires failed fails had has \
    hasn't have haven't is isn't it's keeps left looks lost must need needs no-longer owes paid quit seems should shouldn't signed stays that's walked want wants was \
    wasn't went were weren't will won't works would";

/// Orders that are never one of their own.
const REMARKS: &str = "don't dont filter group order sort";

/// Details that make a thing: "Add a debug container".
const MAKERS: &str = "add make start";

/// Words that places begin with.
const PLACES: &str = "at in inside on within";

/// What a line is.
pub fn of(line: &str) -> Shape {
    let lower = line.to_lowercase().replace('’', "'");
    let mut words = lower.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\''));
    let is_in = |list: &str, word: &str| list.split_whitespace().any(|known| known == word);
    let first = words.find(|word| !word.is_empty() && !is_in(FILLERS, word)).unwrap_or_default();
    if lower.trim_end().ends_with('?') || is_in(QUESTIONS, first) {
        return Shape::Action;
    }
    if is_in(REMARKS, first) {
        return Shape::Remark;
    }
    if is_in(DETAILS, first) {
        let makes = is_in(MAKERS, first) && words.next().is_some_and(|word| is_in("a an another new one", word));
        return if makes { Shape::Action } else { Shape::Detail };
    }
    if is_in(ORDERS, first) {
        return Shape::Action;
    }
    if words.any(|word| is_in(STATES, word)) || is_in(PLACES, first) { Shape::Remark } else { Shape::Piece }
}

/// The actions of a line: "Create a gateway and attach it to the VPC" holds two, the second of which speaks of the first.
pub fn actions(line: &str) -> Vec<&str> {
    let lower = line.to_ascii_lowercase();
    let joints = lower.match_indices(" and ").filter(|(at, joint)| {
        let mut words = lower[at + joint.len()..].split_whitespace();
        let (verb, object) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_order = ORDERS.split_whitespace().any(|known| known == verb);
        is_order && matches!(object, "it" | "them" | "her" | "him")
    });
    let (mut actions, mut from) = (Vec::new(), 0);
    for (at, joint) in joints {
        actions.push(line[from..at].trim_end_matches(','));
        from = at + joint.len();
    }
    actions.push(&line[from..]);
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_questions_are_actions() {
        for line in [
            "Scale producer to 1",
            "please restart the api",
            "Which pods are pending",
            "nightly-2291 still running?",
            "then publish v4 to the topic",
            "Could you drop the table",
        ] {
            assert_eq!(of(line), Shape::Action, "{line}");
        }
    }

    #[test]
    fn an_action_on_what_was_made_is_one_of_its_own() {
        let line = "Create an Internet Gateway and attach it to the VPC";
        assert_eq!(actions(line), ["Create an Internet Gateway", "attach it to the VPC"]);
        assert_eq!(actions("List pods and nodes"), ["List pods and nodes"]);
        assert_eq!(actions("Stop i-1 and terminate i-2"), ["Stop i-1 and terminate i-2"]);
    }

    #[test]
    fn what_only_says_more_is_told_apart() {
        assert_eq!(of("Set the TTL to 300"), Shape::Detail);
        assert_eq!(of("Use the namespace shop"), Shape::Detail);
        assert_eq!(of("Make a product 'Choir Box'"), Shape::Action);
        assert_eq!(of("Sort the pods by memory usage"), Shape::Remark);
        assert_eq!(of("Worker-12 is fixed"), Shape::Remark);
        assert_eq!(of("The customer walked away from it"), Shape::Remark);
        assert_eq!(of("the card won’t go through"), Shape::Remark);
        assert_eq!(of("Port 443"), Shape::Piece);
        assert_eq!(of("in the sidecar container of pod web-7c"), Shape::Remark);
        assert_eq!(of("NS ml"), Shape::Piece);
        assert_eq!(of("2 hours"), Shape::Piece);
        assert_eq!(of(""), Shape::Piece);
    }
}
