//! Makes S3 addresses of a bucket's name: `bucket raw` is `s3://raw`.

use std::ops::Range;

/// The bucket and key of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct S3Uri<'a> {
    /// Bucket name.
    pub bucket: &'a str,
    /// Key or prefix; empty for the bucket itself.
    pub key: &'a str,
}

/// Splits `s3://bucket/key`; nothing when it is no such address.
pub fn parse(uri: &str) -> Option<S3Uri<'_>> {
    let rest = uri.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some(S3Uri { bucket, key })
}

/// May this be a bucket's name? (AWS: 3 to 63 of lower-case letters, digits, dots and hyphens.)
pub fn is_bucket_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.chars().all(allowed)
        && edge(name.chars().next())
        && edge(name.chars().next_back())
}

/// Is the word at this place said to be a bucket: `bucket raw`, `the raw bucket`?
pub fn is_called_bucket(text: &str, range: &Range<usize>) -> bool {
    let word = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let before = text[..range.start]
        .split_whitespace()
        .rev()
        .map(word)
        .find(|word| !matches!(word.as_str(), "named" | "called" | "the" | ""));
    let after = text[range.end..].split_whitespace().next().map(word);
    let is_bucket =
        |word: Option<String>| word.is_some_and(|word| matches!(word.as_str(), "bucket" | "buckets" | "s3"));
    is_bucket(before) || is_bucket(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(parse("s3://raw/a/b.csv"), Some(S3Uri { bucket: "raw", key: "a/b.csv" }));
        assert_eq!(parse("s3://raw"), Some(S3Uri { bucket: "raw", key: "" }));
        assert_eq!(parse("s3://"), None);
        assert_eq!(parse("raw"), None);
    }

    #[test]
    fn a_bucket_is_said_to_be_one() {
        let called = |text: &str, name: &str| {
            let start = text.find(name).expect("the name is in the text");
            is_called_bucket(text, &(start..start + name.len()))
        };
        assert!(called("from bucket raw", "raw"));
        assert!(called("the raw bucket", "raw"));
        assert!(called("a bucket named raw", "raw"));
        assert!(!called("the raw data", "raw"));
        assert!(is_bucket_name("logs-eu.1") && !is_bucket_name("Logs") && !is_bucket_name("-a-"));
    }
}
