//! Finds the typed spans of a text. What is found first keeps its place; later kinds take what is left.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Kind;
use crate::calendar::Date;
use crate::resolver::{Found, cron, date, glob, money, port, quantity, region, ticker};

/// More spans than this are not read; the text would be hostile.
const MAX_SPANS: usize = 400;

type Spans = Vec<(Range<usize>, Kind)>;

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#""([^"]+)"|“([^”]+)”|`([^`]+)`|‘([^’]+)’|(?:^|[\s(=:\[])'([^']+)'(?:$|[\s).,;:!?\]])"#));

/// Forms that end at white space.
static RUNS: LazyLock<Vec<(Regex, Kind)>> = LazyLock::new(|| {
    let run = r#"[^\s"'`<>,;()\[\]{}]+"#;
    vec![
        (pattern(&format!("s3://{run}")), Kind::S3Uri),
        (pattern(&format!("(?i:https?|wss?|ftp|postgres|mysql|redis|git|ssh)://{run}")), Kind::Url),
        (pattern(r#"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9]*:[^\s"'`<>,;()]+"#), Kind::Arn),
        (pattern(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"), Kind::Email),
        (
            pattern(r"\b\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}\b|\b(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}/\d{1,3}\b"),
            Kind::Cidr,
        ),
        (pattern(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), Kind::Ip),
        (pattern(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), Kind::Id),
        (
            pattern(
                r"\b(?:i|mi|vpc|subnet|sg|vol|snap|ami|rtb|igw|nat|vgw|tgw|eni|acl|eipalloc|eipassoc|rtbassoc|aclassoc|vpce|pcx|dopt|lt|sir|fs|fsmt|fsap|cgw|vpn|fl|key|pg|r|o|ou|j)-[0-9a-f]{3,32}\b",
            ),
            Kind::Id,
        ),
        (
            pattern(
                r"\b(?:cus|ch|py|pi|seti|in|ii|sub|si|price|prod|plan|pm|card|ba|re|pyr|acct|dp|du|po|tr|src|tok|evt|cs|bps|file|qt|txr|promo|txn|cn|we|plink|tmr|tml|ich|iauth|mandate|clock|sub_sched)_(?:(?:test|live)_)?[A-Za-z0-9]{2,64}\b",
            ),
            Kind::Id,
        ),
    ]
});

static PAIR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?:^|[\s(,])([A-Za-z_][\w./-]*=(?:"[^"]*"|'[^']*'|[^\s,;()"']+))"#));

static PATH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[\s('"`=])((?:~|\.{1,2})?/[\w.@%+~/-]+|[\w@%+-]+(?:/[\w.@%+-]+)*\.(?i:ya?ml|json|csv|tsv|txt|log|gz|tgz|zip|tar|parquet|xml|html?|css|js|ts|py|rs|go|jar|png|jpe?g|gif|svg|pdf|docx?|xlsx?|md|toml|ini|conf|cfg|sql|bak|pem|key|crt|pub|sh|tf|env|properties|war|mp[34]))(?:$|[\s)'"`,;:!?.])"#,
    )
});

static GLOB: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?:^|[\s('"`])([\w./-]*\*[\w.*/?-]*)"#));

/// Typed spans of the text, in order of certainty.
pub(super) fn typed_spans(text: &str, today: Date) -> Spans {
    let mut spans = Scan { text, spans: Vec::new(), claimed: Vec::new() };
    spans.add_quoted();
    spans.claim(cron::find_literal(text), Kind::Cron);
    for (form, kind) in RUNS.iter() {
        let hits = form.find_iter(text).map(|hit| Found { range: unpunctuated(text, hit.range()), value: () });
        spans.claim(hits.collect(), |()| kind.clone());
    }
    spans.claim(groups(&PAIR, text), |()| Kind::Pair);
    spans.claim(groups(&GLOB, text), |()| Kind::Glob);
    spans.claim(groups(&PATH, text), |()| Kind::Path);
    spans.claim(money::find(text), Kind::Money);
    spans.claim(date::find(text, today), Kind::Date);
    // A span of days is also a duration ("the last 7 days"), so these may overlap dates.
    spans.add_over_dates(quantity::find_durations(text));
    spans.claim(quantity::find_sizes(text), Kind::Size);
    spans.claim(quantity::find_numbers(text), Kind::Number);
    spans.add_meanings();
    spans.spans.truncate(MAX_SPANS);
    spans.spans
}

struct Scan<'a> {
    text: &'a str,
    spans: Spans,
    claimed: Vec<(Range<usize>, bool)>,
}

// === impl Scan ===

impl Scan<'_> {
    fn is_free(&self, range: &Range<usize>) -> bool {
        !self.claimed.iter().any(|(other, _)| range.start < other.end && other.start < range.end)
    }

    /// Takes what no earlier form has taken.
    fn claim<T>(&mut self, found: Vec<Found<T>>, kind: impl Fn(T) -> Kind) {
        for Found { range, value } in found {
            if range.is_empty() || self.spans.len() >= MAX_SPANS || !self.is_free(&range) {
                continue;
            }
            let kind = kind(value);
            self.claimed.push((range.clone(), matches!(kind, Kind::Date(_))));
            self.spans.push((range, kind));
        }
    }

    /// What is quoted may have a form of its own, so it claims nothing.
    fn add_quoted(&mut self) {
        for captures in QUOTED.captures_iter(self.text).take(MAX_SPANS) {
            let inner = captures.iter().skip(1).flatten().next();
            self.spans.extend(
                inner.filter(|inner| !inner.as_str().trim().is_empty()).map(|inner| (inner.range(), Kind::Quoted)),
            );
        }
    }

    fn add_over_dates(&mut self, found: Vec<Found<quantity::Quantity>>) {
        for Found { range, value } in found {
            let blocked = self
                .claimed
                .iter()
                .any(|(other, is_date)| !is_date && range.start < other.end && other.start < range.end);
            if !blocked && self.spans.len() < MAX_SPANS {
                self.claimed.push((range.clone(), false));
                self.spans.push((range, Kind::Duration(value)));
            }
        }
    }

    /// Words that mean a value besides being words.
    fn add_meanings(&mut self) {
        let text = self.text;
        let mut meanings: Spans = Vec::new();
        meanings.extend(region::find(text).into_iter().map(|found| (found.range, Kind::Region(found.value))));
        meanings.extend(ticker::find(text).into_iter().map(|found| (found.range, Kind::Ticker(found.value))));
        meanings.extend(
            ticker::find_currency_pairs(text).into_iter().map(|found| (found.range, Kind::CurrencyPair(found.value))),
        );
        meanings
            .extend(money::find_currencies(text).into_iter().map(|found| (found.range, Kind::Currency(found.value))));
        meanings.extend(port::find(text).into_iter().map(|found| (found.range, Kind::Port(found.value))));
        meanings.extend(port::find_protocols(text).into_iter().map(|found| (found.range, Kind::Protocol(found.value))));
        meanings.extend(cron::find(text).into_iter().map(|found| (found.range, Kind::Schedule(found.value))));
        let patterns = [glob::find(text), glob::find_whole(text)].concat();
        meanings.extend(patterns.into_iter().map(|found| (found.range, Kind::Pattern(found.value))));
        // A meaning inside an address or identifier is none.
        let solid = |kind: &Kind| {
            matches!(kind, Kind::S3Uri | Kind::Url | Kind::Arn | Kind::Email | Kind::Id | Kind::Pair | Kind::Path)
        };
        let inside = |range: &Range<usize>| {
            self.spans.iter().any(|(other, kind)| solid(kind) && range.start < other.end && other.start < range.end)
        };
        meanings.retain(|(range, _)| !inside(range));
        self.spans.extend(meanings);
    }
}

// === private ===

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns are fixed, see the tests")
}

/// A sentence's own punctuation is no part of an address.
fn unpunctuated(text: &str, range: Range<usize>) -> Range<usize> {
    let trimmed = text[range.clone()].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*']);
    range.start..range.start + trimmed.len()
}

fn groups(pattern: &Regex, text: &str) -> Vec<Found<()>> {
    let hits = pattern.captures_iter(text).filter_map(|captures| captures.get(1));
    let trimmed = hits.map(|hit| Found { range: unpunctuated(text, hit.range()), value: () });
    // A star must survive: it is trimmed from addresses only.
    trimmed
        .map(|found| {
            if text[found.range.end..].starts_with('*') {
                Found { range: found.range.start..found.range.end + 1, value: () }
            } else {
                found
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::today;

    #[test]
    fn a_form_inside_another_is_not_counted_twice() {
        let spans = typed_spans("put 's3://a/b.csv' and 25 dollars on 2025-01-02", today());
        let count = |wanted: fn(&Kind) -> bool| spans.iter().filter(|(_, kind)| wanted(kind)).count();
        assert_eq!(count(|kind| matches!(kind, Kind::S3Uri)), 1);
        assert_eq!(count(|kind| matches!(kind, Kind::Path | Kind::Number(_))), 0);
    }

    #[test]
    fn globs_keep_their_star() {
        let spans = typed_spans("delete logs/* and *.tmp.", today());
        let globs: Vec<_> =
            spans.iter().filter(|(_, kind)| *kind == Kind::Glob).map(|(range, _)| range.clone()).collect();
        assert_eq!(globs, [7..13, 18..23]);
    }
}
