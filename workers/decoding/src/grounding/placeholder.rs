//! Knows the stand-ins that models write where a value is missing: `<vpc-id>`, `$VPC_ID`, `my-bucket`, `example`.

use std::sync::LazyLock;

use regex::Regex;

static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^<.*>$|^\$\{?[a-z_]+\}?$|^\{\{?.*\}\}?$|^\[.*\]$|\byour[-_ ]|^my[-_]|^(?:some|the|new)[-_]|example|placeholder|x{3,}|^(?:foo|bar|baz|todo|tbd|null|none|n/a|string|value|name|unknown)$|0{6,}|123456789|^\.\.\.$|…")
        .expect("the pattern is fixed, see the tests")
});

/// Is this a stand-in rather than a value?
pub(super) fn is_placeholder(text: &str) -> bool {
    FORM.is_match(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_known() {
        for text in [
            "<vpc-id>",
            "$VPC_ID",
            "${bucket}",
            "my-bucket",
            "your-bucket-name",
            "example.com",
            "i-xxxx",
            "string",
            "123456789012",
            "vpc-00000000",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["logs-eu", "vpc-0abc123", "web", "jane@acme.com", "2500", "$25"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
