//! Reads companies, funds, indices and coins as ticker symbols: `Meta` is `META`.
//!
//! The list `data/tickers.csv` is our own compilation of facts from general knowledge; a symbol that is not in it can still
//! be said by writing it in capitals.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::money::find_currencies;
use super::{Found, stands_alone};
use crate::phrases::Phrases;
use crate::words;

struct Directory {
    symbols: Vec<&'static str>,
    known: HashSet<&'static str>,
    names: Phrases,
}

static DIRECTORY: LazyLock<Directory> = LazyLock::new(|| {
    let mut symbols = Vec::new();
    let mut names = Vec::new();
    for line in include_str!("../../data/tickers.csv").lines().skip(1) {
        let mut columns = line.splitn(3, ',');
        let (Some(symbol), Some(name), aliases) = (columns.next(), columns.next(), columns.next()) else { continue };
        let row = symbols.len();
        names.push((name, row));
        names.extend(aliases.unwrap_or("").split('|').map(|alias| (alias, row)));
        symbols.push(symbol);
    }
    Directory { known: symbols.iter().copied().collect(), names: Phrases::new(names), symbols }
});

/// Capitals that people write and that are no ticker in a sentence about prices.
const NOT_TICKERS: &[&str] = &[
    "I", "A", "AND", "OR", "THE", "ETF", "IPO", "CEO", "CFO", "EPS", "PE", "USA", "US", "EU", "UK", "USD", "EUR",
    "GBP", "JPY", "CHF", "GDP", "CPI", "YTD", "Q1", "Q2", "Q3", "Q4", "OHLC", "JSON", "CSV", "API", "AWS", "OK", "P/E",
    "NYSE", "SEC", "ESG", "ROI", "ROE", "EBITDA", "TTM", "AM", "PM", "FX", "VAT", "IN", "ON", "AT", "OF", "FOR", "TO",
    "MACD", "RSI", "SMA", "EMA",
];

/// All symbols: companies by name, then words that are written like a symbol (`QQQ`, `$F`, `BTC-USD`).
pub fn find(text: &str) -> Vec<Found<String>> {
    let directory = &*DIRECTORY;
    let named = directory.names.find(&words::split(text));
    let mut found: Vec<_> = named
        .into_iter()
        .filter(|(range, _)| stands_alone(text, range) || text[range.end..].starts_with(['/', '-']))
        .map(|(range, row)| Found { range, value: directory.symbols[row].to_owned() })
        .collect();
    for (start, word) in symbol_like(text) {
        let range = start..start + word.len();
        if !found.iter().any(|other| range.start < other.range.end && other.range.start < range.end) {
            found.push(Found { range, value: word.to_owned() });
        }
    }
    found.sort_by_key(|found| found.range.start);
    found
}

/// Pairs of currencies as one symbol: `EUR/USD`, `euro against the dollar` are `EURUSD`.
pub fn find_currency_pairs(text: &str) -> Vec<Found<String>> {
    let mut named = find_currencies(text);
    named.sort_by_key(|found| found.range.start);
    named.dedup_by_key(|found| found.value);
    let pair = |two: &[Found<&str>]| Found {
        range: two[0].range.start..two[1].range.end,
        value: format!("{}{}", two[0].value, two[1].value).to_uppercase(),
    };
    named.chunks_exact(2).map(pair).collect()
}

/// Is this a symbol of the list?
pub fn is_known(symbol: &str) -> bool {
    DIRECTORY.known.contains(symbol)
}

// === private ===

fn symbol_like(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let separators =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '?' | '!' | ':' | '“' | '”' | '`');
    let pieces = text.split(separators).filter(|piece| !piece.is_empty());
    pieces.filter_map(move |piece| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        let dollar = piece.starts_with('$');
        let word = piece.trim_start_matches('$');
        let word = word.strip_suffix("'s").or(word.strip_suffix("’s")).unwrap_or(word).trim_end_matches(['.', '\'']);
        let letters = word.chars().filter(char::is_ascii_uppercase).count();
        let shaped =
            word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '^' | '='));
        let short = word.len() <= 10
            && (letters >= 2 || (dollar && letters == 1) || (letters == 1 && word.len() == 1 && is_known(word)));
        let is_symbol = shaped && short && word.starts_with(|c: char| c.is_ascii_uppercase() || c == '^');
        (is_symbol && !NOT_TICKERS.contains(&word))
            .then(|| (start + (piece.len() - piece.trim_start_matches('$').len()), word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn symbols(text: &str) -> Vec<String> {
        find(text).into_iter().map(|found| found.value).collect()
    }

    #[test]
    fn companies_become_symbols() {
        assert_eq!(symbols("tell me Meta's closing price"), ["META"]);
        assert_eq!(symbols("compare Bank of America with JPMorgan"), ["BAC", "JPM"]);
        assert_eq!(symbols("the S&P 500 and bitcoin"), ["^GSPC", "BTC-USD"]);
        assert_eq!(symbols("AT&T vs. Johnson & Johnson"), ["T", "JNJ"]);
    }

    #[test]
    fn symbols_may_be_written_out() {
        assert_eq!(symbols("price of $F, QQQ and BTC-USD?"), ["F", "QQQ", "BTC-USD"]);
        assert!(symbols("the CEO said in Q1 that I am OK").is_empty());
    }

    #[test]
    fn currencies_pair_up() {
        let pairs = |text| find_currency_pairs(text).into_iter().map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(pairs("EUR/USD since May"), ["EURUSD"]);
        assert_eq!(pairs("the euro against the dollar"), ["EURUSD"]);
        assert!(pairs("in dollars").is_empty());
    }

    #[test]
    fn the_list_is_long_and_has_no_symbol_twice() {
        assert!(DIRECTORY.symbols.len() >= 500);
        assert_eq!(DIRECTORY.symbols.len(), DIRECTORY.known.len());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([A-Z]{1,5}|\\$|EUR|/|\\PC{0,4}| ){0,20}") {
            find(&text);
            find_currency_pairs(&text);
        }
    }
}
