//! Joins a key and its value that are said apart: "set the image of container app to shop:2" is `app=shop:2`.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;

/// A noun that announces a key, the key, and not far from it what it is set to.
static WORDED: LazyLock<Regex> = LazyLock::new(|| {
    let key = r"(?:variable|container|label|annotation|setting|literal)s?\s+(?:called\s+|named\s+)?(?P<key>[\w./-]*\w)";
    // What the key is in may stand between, but no second value.
    let between = r"(?:\s+(?:in|of|on|for)(?:\s+[\w./-]+){1,4}?)?";
    Regex::new(&format!(r"(?i)\b{key}{between}\s+(?:to|as|with(?:\s+the)?\s+value|=)\s+(?P<value>[\w./:@+-]*\w)"))
        .expect("the pattern is fixed")
});

/// A word for taking away, a noun that announces a key, the key.
static REMOVED: LazyLock<Regex> = LazyLock::new(|| {
    let removing = r"\b(?:remove|drop|delete|unset|strip|clear|take|rid\s+of|no\s+longer\s+(?:have|has|need|needs|carry|carries))\b";
    let noun = r"\b(?:variable|env(?:ironment)?\s+var|label|annotation|taint)s?";
    Regex::new(&format!(r"(?i){removing}[^.;,]*?{noun}\s+(?:called\s+|named\s+)?(?P<key>[\w./-]*\w)"))
        .expect("the pattern is fixed")
});

/// Keys of the text that are to go, each as kubectl writes it, `KEY-`, over the range of the key.
pub fn find_removed(text: &str) -> Vec<Found<String>> {
    let removed = REMOVED.captures_iter(text).filter_map(|captures| {
        let key = captures.name("key")?;
        let is_filler = matches!(key.as_str().to_ascii_lowercase().as_str(), "from" | "of" | "on" | "in" | "off");
        (!is_filler).then(|| Found { range: key.range(), value: format!("{}-", key.as_str()) })
    });
    removed.collect()
}

/// Pairs of the text, each `KEY=VALUE` over the range of all its words.
pub fn find(text: &str) -> Vec<Found<String>> {
    let joined = WORDED.captures_iter(text).filter_map(|captures| {
        let range = captures.get(0)?.range();
        Some(Found { range, value: format!("{}={}", &captures["key"], &captures["value"]) })
    });
    joined.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<String> {
        find(text).into_iter().map(|found| found.value).collect()
    }

    #[test]
    fn a_key_that_goes_ends_in_a_dash() {
        let keys = |text: &str| find_removed(text).into_iter().map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(keys("drop the env variable OLD_FLAG from the statefulset worker"), ["OLD_FLAG-"]);
        assert_eq!(keys("node worker-9 should no longer have the label zone"), ["zone-"]);
        assert!(keys("remove the label from the node").is_empty());
        assert!(keys("set the label zone to b").is_empty());
    }

    #[test]
    fn a_key_and_its_value_are_joined() {
        let image = "Set the image of container app in deployment shop to registry.local/shop:1.4.2.";
        assert_eq!(pairs(image), ["app=registry.local/shop:1.4.2"]);
        assert_eq!(pairs("set the variable LOG_LEVEL to debug on the deployment web"), ["LOG_LEVEL=debug"]);
        assert!(pairs("scale the deployment web to 3").is_empty());
        assert!(pairs("add the container app, then go to bed").is_empty());
    }
}
