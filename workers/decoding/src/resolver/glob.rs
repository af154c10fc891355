//! Makes file patterns of words: `csv files` is `*.csv`, `everything` and `only` stand for `*`.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;

static FILES_OF: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s(,])\.?(?P<ext>[a-z0-9]{1,8})[\s-]+(?:files?|images?|objects?|documents?|logs?)\b")
        .expect("the pattern is fixed")
});

static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s(])(?P<glob>\*?\.(?P<ext>[a-z0-9]{1,8}))\b").expect("the pattern is fixed")
});

static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:everything|only|just|all|anything|nothing but|except)\b").expect("the pattern is fixed")
});

/// File endings that need no dot to be known as such.
const EXTENSIONS: &[&str] = &[
    "csv", "json", "jsonl", "ndjson", "txt", "log", "gz", "zip", "tar", "parquet", "avro", "orc", "xml", "html", "htm",
    "css", "js", "ts", "py", "rs", "go", "java", "jar", "png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "doc",
    "docx", "xls", "xlsx", "md", "yaml", "yml", "toml", "ini", "conf", "sql", "bak", "tmp", "mp3", "mp4", "mov", "wav",
    "tsv", "bin", "exe", "dll", "map",
];

/// Patterns for the kinds of file named in the text.
pub fn find(text: &str) -> Vec<Found<String>> {
    let worded = FILES_OF.captures_iter(text).filter_map(|captures| {
        let ending = captures.name("ext")?;
        let known = EXTENSIONS.contains(&ending.as_str().to_ascii_lowercase().as_str());
        let range = ending.start()..captures.get(0)?.end();
        known.then(|| Found { range, value: format!("*.{}", ending.as_str().to_ascii_lowercase()) })
    });
    let mut found: Vec<_> = worded.collect();
    let dotted = EXTENSION.captures_iter(text).filter_map(|captures| {
        Some(Found { range: captures.name("glob")?.range(), value: format!("*.{}", &captures["ext"]) })
    });
    for pattern in dotted {
        let known =
            found.iter().any(|other| other.range.start < pattern.range.end && pattern.range.start < other.range.end);
        found.extend((!known).then_some(pattern));
    }
    found
}

/// Words that stand for `*`.
pub fn find_whole(text: &str) -> Vec<Found<String>> {
    WHOLE.find_iter(text).map(|hit| Found { range: hit.range(), value: "*".to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(text: &str) -> Vec<String> {
        find(text).into_iter().map(|found| found.value).collect()
    }

    #[test]
    fn kinds_of_file_become_patterns() {
        assert_eq!(globs("Copy everything, only csv files."), ["*.csv"]);
        assert_eq!(globs("all .log files and JSON documents"), ["*.log", "*.json"]);
        assert_eq!(globs("skip *.tmp"), ["*.tmp"]);
        assert!(globs("some big files").is_empty());
        assert_eq!(find_whole("only csv files").len(), 1);
    }
}
