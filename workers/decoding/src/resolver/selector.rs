//! Takes selectors apart: `app=web,tier!=db`, `status.phase!=Running`; finds one that is said in words.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;

/// One condition of a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Label or field, e.g. `status.phase`.
    pub key: &'a str,
    /// `=`, `==` or `!=`.
    pub operator: &'a str,
    /// What it is compared with.
    pub value: &'a str,
}

/// Fields that Kubernetes lets a field selector name.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.unschedulable",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
    "type",
    "reason",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
];

/// Conditions of a selector; nothing when it is none.
pub fn parse(selector: &str) -> Option<Vec<Condition<'_>>> {
    let conditions: Option<Vec<_>> = selector.split(',').map(parse_condition).collect();
    conditions.filter(|conditions| !conditions.is_empty())
}

/// Is this a field that selectors may name?
pub fn is_field(key: &str) -> bool {
    FIELDS.contains(&key)
}

/// Pods by the node that they are on: "pods on node w-3" is `spec.nodeName=w-3`.
pub fn find_node(text: &str) -> Option<Found<String>> {
    static ON_NODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\bpods?\b[^;]*?\b(?P<said>on\s+(?:the\s+)?node\s+(?P<node>[\w][\w.-]*\w))")
            .expect("fixed, see the tests")
    });
    let found = ON_NODE.captures(text)?;
    Some(Found { range: found.name("said")?.range(), value: format!("spec.nodeName={}", &found["node"]) })
}

/// Do these words say "not": `pods that are not running`?
pub fn says_not(text: &str) -> bool {
    let words = crate::words::split(text);
    words.iter().any(|word| {
        matches!(word.lower.as_str(), "not" | "isn" | "aren" | "except" | "without" | "non" | "besides" | "no" | "but")
    })
}

// === private ===

fn parse_condition(text: &str) -> Option<Condition<'_>> {
    let at = text.find(['=', '!'])?;
    let (key, rest) = text.split_at(at);
    let operator = ["!=", "==", "="].into_iter().find(|operator| rest.starts_with(operator))?;
    let value = &rest[operator.len()..];
    let plain = |part: &str| !part.is_empty() && !part.contains(['=', '!', ' ']);
    (plain(key) && plain(value)).then_some(Condition { key, operator, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn selectors_are_taken_apart() {
        let conditions = parse("status.phase!=Running,app=web").expect("a selector");
        assert_eq!(conditions[0], Condition { key: "status.phase", operator: "!=", value: "Running" });
        assert_eq!(conditions[1].operator, "=");
        for text in ["", "web", "=x", "a=", "a=b,", "a=b=c"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_node_selects_its_pods() {
        let value = |text: &str| find_node(text).map(|found| found.value);
        assert_eq!(value("pods that sit on node ip-10-4-7-12, please").as_deref(), Some("spec.nodeName=ip-10-4-7-12"));
        assert_eq!(value("which taints are on node w-1"), None);
        assert_eq!(value("move the pods from node w-1"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-z=!,é]{0,20}") {
            let _ = parse(&text);
        }
    }
}
