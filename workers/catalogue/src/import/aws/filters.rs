//! What a `Filters` parameter can filter by: botocore types it as free names and values, the vendor's text lists them.

use serde_json::{Map, Value, json};

use super::text;

/// A list of filters is never longer; EC2's longest has 100.
const MAX_FILTERS: usize = 200;
/// Values of one filter.
const MAX_VALUES: usize = 40;

/// `{"instance-state-name": ["pending", "running"], "tag:": [], …}`: names with the values that the text lists for them; `None` when the
/// text lists no names.
pub(super) fn documented(html: &str) -> Option<Value> {
    let mut filters = Map::new();
    for item in html.split("<li>").skip(1).take(MAX_FILTERS) {
        let Some((name, rest)) = item
            .trim_start()
            .trim_start_matches("<p>")
            .trim_start()
            .strip_prefix("<code>")
            .and_then(|rest| rest.split_once("</code>"))
        else {
            continue;
        };
        // `tag:<key>` is a name with a part of the user's own.
        let name = text::first_sentence(name.split("&lt;").next().unwrap_or(name), 80);
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        if is_name && !name.is_empty() && !filters.contains_key(&name) {
            filters.insert(name, json!(values(rest)));
        }
    }
    (!filters.is_empty()).then_some(Value::Object(filters))
}

/// The alternatives in brackets: `(<code>pending</code> | <code>running</code>)`.
fn values(html: &str) -> Vec<&str> {
    let html = html.split("</li>").next().unwrap_or(html);
    let brackets = html.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    let Some(listed) = brackets.into_iter().find(|inside| inside.contains("</code> | <code>")) else {
        return Vec::new();
    };
    let codes = listed.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    codes.filter(|value| !value.contains(['<', '&', ' '])).take(MAX_VALUES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read_from_the_vendors_list() {
        let html = "<p>The filters.</p> <ul> <li> <p> <code>state</code> - The state (<code>in-use</code> | <code>free</code>).</p> </li> \
            <li> <p> <code>vpc-id</code> - The ID (for example, <code>vpc-1</code>).</p> </li> \
            <li> <p> <code>tag:&lt;key&gt;</code> - For example <code>Owner</code>.</p> </li> <li> <p>Or none.</p> </li> </ul>";
        let wanted = json!({"state": ["in-use", "free"], "vpc-id": [], "tag:": []});
        assert_eq!(documented(html), Some(wanted));
        assert_eq!(documented("<p>The filters.</p>"), None);
    }
}
