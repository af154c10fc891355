//! What an HTTP operation does to the world, as far as its method and its name say.

use crate::operation::Effect;

/// First words that change something, whatever the method says: `GET /logout`, `GET /send`.
const CHANGING: &[&str] = &[
    "accept",
    "activate",
    "add",
    "approve",
    "archive",
    "assign",
    "attach",
    "buy",
    "cancel",
    "charge",
    "clear",
    "close",
    "commit",
    "confirm",
    "create",
    "deactivate",
    "delete",
    "destroy",
    "detach",
    "disable",
    "dismiss",
    "enable",
    "execute",
    "generate",
    "insert",
    "invite",
    "invoke",
    "kill",
    "lock",
    "logout",
    "merge",
    "modify",
    "move",
    "order",
    "pay",
    "post",
    "publish",
    "purge",
    "put",
    "reboot",
    "refund",
    "regenerate",
    "register",
    "reject",
    "remove",
    "rename",
    "replace",
    "reset",
    "restart",
    "restore",
    "resume",
    "revoke",
    "rotate",
    "run",
    "save",
    "send",
    "set",
    "start",
    "stop",
    "submit",
    "subscribe",
    "suspend",
    "terminate",
    "transfer",
    "trigger",
    "unlock",
    "unsubscribe",
    "update",
    "upload",
    "write",
];

/// Effect class by method (RFC 9110, 9.2); a read whose name changes something is not believed, and danger is the default.
pub(super) fn effect(method: &str, path: &str, name: &str, is_keyed: bool) -> Effect {
    match method {
        "get" | "head" | "options" if is_changing(path, name) => Effect::Irreversible,
        "get" | "head" | "options" => Effect::Read,
        _ if is_keyed => Effect::Keyed,
        "put" | "delete" => Effect::Idempotent,
        _ => Effect::Irreversible,
    }
}

fn is_changing(path: &str, name: &str) -> bool {
    let last = path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default();
    let words = [first_word(last), first_word(name)];
    // A last segment of several words is a thing (`order-items`), of one word it may be an act.
    let is_act = |word: &str| CHANGING.contains(&word);
    (words[0].len() == last.len() && is_act(&words[0])) || is_act(&words[1])
}

/// `sendMessage`, `send_message` and `Send message` begin with `send`.
fn first_word(name: &str) -> String {
    let mut word = String::new();
    for (at, letter) in name.char_indices() {
        if !letter.is_ascii_alphanumeric() || (at > 0 && letter.is_ascii_uppercase()) {
            break;
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_say_what_may_be_repeated() {
        assert_eq!(effect("get", "/pets/{id}", "getPet", false), Effect::Read);
        assert_eq!(effect("put", "/pets/{id}", "putPet", false), Effect::Idempotent);
        assert_eq!(effect("delete", "/pets/{id}", "deletePet", false), Effect::Idempotent);
        assert_eq!(effect("post", "/pets", "createPet", false), Effect::Irreversible);
        assert_eq!(effect("patch", "/pets/{id}", "patchPet", false), Effect::Irreversible);
        assert_eq!(effect("post", "/pets", "createPet", true), Effect::Keyed);
    }

    #[test]
    fn a_get_that_acts_is_no_read() {
        assert_eq!(effect("get", "/logout", "getLogout", false), Effect::Irreversible);
        assert_eq!(effect("get", "/v1/mail", "sendMail", false), Effect::Irreversible);
        assert_eq!(effect("get", "/order-items", "listOrderItems", false), Effect::Read);
        assert_eq!(effect("get", "/sets", "get_sets", false), Effect::Read);
    }
}
