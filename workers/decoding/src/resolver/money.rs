//! Reads amounts of money and gives them in the currency's minor unit: `25 dollars` is 2500 `usd`.

use std::sync::LazyLock;

use regex::Regex;

use super::quantity::{number_pattern, parse_number};
use super::{Found, stands_alone};

/// An amount in minor units, as payment interfaces want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Cents, pence; yen for a currency without a minor unit.
    pub minor: i64,
    /// ISO 4217 code in lower case.
    pub currency: &'static str,
}

/// Code, decimals, signs, words.
const CURRENCIES: &[(&str, u32, &[&str], &[&str])] = &[
    ("usd", 2, &["$", "US$"], &["us dollars", "us dollar", "dollars", "dollar", "bucks", "buck"]),
    ("eur", 2, &["€"], &["euros", "euro"]),
    ("gbp", 2, &["£"], &["british pounds", "pounds sterling", "pounds", "pound", "quid"]),
    ("jpy", 0, &["¥"], &["yen"]),
    ("cad", 2, &["C$", "CA$"], &["canadian dollars", "canadian dollar"]),
    ("aud", 2, &["A$", "AU$"], &["australian dollars", "australian dollar"]),
    ("nzd", 2, &["NZ$"], &["new zealand dollars"]),
    ("chf", 2, &[], &["swiss francs", "francs", "franc"]),
    ("sek", 2, &[], &["swedish kronor", "swedish crowns"]),
    ("nok", 2, &[], &["norwegian kroner", "norwegian crowns"]),
    ("dkk", 2, &[], &["danish kroner", "danish crowns"]),
    ("pln", 2, &["zł"], &["zloty", "zlotys"]),
    ("czk", 2, &[], &["czech crowns", "koruna"]),
    ("huf", 2, &[], &["forints", "forint"]),
    ("inr", 2, &["₹"], &["indian rupees", "rupees", "rupee"]),
    ("cny", 2, &[], &["yuan", "renminbi"]),
    ("hkd", 2, &["HK$"], &["hong kong dollars"]),
    ("sgd", 2, &["S$"], &["singapore dollars"]),
    ("krw", 0, &["₩"], &["won"]),
    ("brl", 2, &["R$"], &["reais", "brazilian real"]),
    ("mxn", 2, &["MX$"], &["mexican pesos", "pesos"]),
    ("zar", 2, &[], &["south african rand", "rand"]),
    ("try", 2, &["₺"], &["turkish lira", "lira"]),
    ("ils", 2, &["₪"], &["shekels"]),
    ("aed", 2, &[], &["dirhams"]),
    ("thb", 2, &["฿"], &["baht"]),
    ("vnd", 0, &["₫"], &["dong"]),
];

/// Words for hundredths, with the currency they mean when none other is said.
const CENTS: &[(&str, &str)] = &[("cents", "usd"), ("cent", "usd"), ("pence", "gbp")];

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    let number = number_pattern();
    let mut signs: Vec<String> = CURRENCIES.iter().flat_map(|row| row.2).map(|sign| regex::escape(sign)).collect();
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.len()));
    let mut words: Vec<String> = currency_words().map(str::to_owned).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let (signs, words) = (signs.join("|"), words.join("|"));
    let scale = r"(?:(?-i:k|K|M)\b|\s+(?:thousand|million|billion)\b)";
    let source = format!(
        r"(?i)(?:(?P<sign>{signs})\s?|(?-i:(?P<code>{codes}))\s)(?P<first>\d[\d,]*(?:\.\d+)?)(?P<scale>{scale})?|(?P<second>{number})\s?(?P<unit>{words}|(?:{signs}))",
        // Capitals only before a number: "try 3 times" is no Turkish lira.
        codes = codes().join("|").to_uppercase(),
    );
    Regex::new(&source).expect("the pattern is fixed, see the tests")
});

/// All amounts of money. An amount with more decimals than its currency has is not one.
pub fn find(text: &str) -> Vec<Found<Money>> {
    let mut found = Vec::new();
    for captures in AMOUNT.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        let money = match (captures.name("first"), captures.name("second"), captures.name("unit")) {
            (Some(number), ..) => {
                let name = captures.name("sign").or(captures.name("code")).map_or("", |name| name.as_str());
                let scale = captures.name("scale").map_or(1.0, |scale| scale_value(scale.as_str()));
                currency_named(name).and_then(|currency| to_minor(parse_number(number.as_str())? * scale, currency))
            }
            (_, Some(number), Some(unit)) => worded(number.as_str(), unit.as_str()),
            _ => None,
        };
        let alone = stands_alone(text, &whole.range()) || !whole.as_str().ends_with(char::is_alphanumeric);
        found.extend(money.filter(|_| alone).map(|value| Found { range: whole.range(), value }));
    }
    found
}

/// Currency codes named in the text, by code, sign or word.
pub fn find_currencies(text: &str) -> Vec<Found<&'static str>> {
    static CURRENCY: LazyLock<Regex> = LazyLock::new(|| {
        let mut words: Vec<&str> = currency_words().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).expect("the pattern is fixed, see the tests")
    });
    // A pair is written with a slash or hyphen: EUR/USD.
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@'));
    let alone = |hit: &regex::Match<'_>| !joins(text[..hit.start()].chars().next_back());
    let named = CURRENCY.find_iter(text).filter(alone);
    let mut found: Vec<_> =
        named.filter_map(|hit| Some(Found { range: hit.range(), value: currency_named(hit.as_str())?.0 })).collect();
    found.extend(find(text).into_iter().map(|money| Found { range: money.range, value: money.value.currency }));
    found
}

/// The ISO code, lower case, of a currency said by code, sign or word.
pub fn currency_code(name: &str) -> Option<&'static str> {
    currency_named(name).map(|currency| currency.0)
}

// === private ===

type Currency = (&'static str, u32);

fn codes() -> Vec<&'static str> {
    CURRENCIES.iter().map(|row| row.0).collect()
}

fn currency_words() -> impl Iterator<Item = &'static str> {
    let cents = CENTS.iter().map(|row| row.0);
    CURRENCIES
        .iter()
        .flat_map(|row| row.3.iter().copied())
        .chain(codes().into_iter().filter(|code| *code != "try"))
        .chain(cents)
}

fn currency_named(name: &str) -> Option<Currency> {
    let lower = name.to_lowercase();
    let is_named = |row: &&(&'static str, u32, &[&str], &[&str])| {
        row.0 == lower || row.2.iter().any(|sign| sign.to_lowercase() == lower) || row.3.contains(&lower.as_str())
    };
    CURRENCIES.iter().find(is_named).map(|row| (row.0, row.1))
}

fn worded(number: &str, unit: &str) -> Option<Money> {
    let amount = parse_number(number)?;
    let lower = unit.to_lowercase();
    if let Some((_, currency)) = CENTS.iter().find(|row| row.0 == lower) {
        let minor = amount.fract() == 0.0 && amount < 1e15;
        return minor.then_some(Money { minor: amount as i64, currency });
    }
    to_minor(amount, currency_named(unit)?)
}

fn to_minor(amount: f64, (currency, decimals): Currency) -> Option<Money> {
    let minor = amount * 10f64.powi(decimals as i32);
    let rounded = minor.round();
    let exact = (minor - rounded).abs() < 1e-6 && rounded < 1e15;
    exact.then_some(Money { minor: rounded as i64, currency })
}

fn scale_value(scale: &str) -> f64 {
    match scale.trim().to_ascii_lowercase().as_str() {
        "k" | "thousand" => 1e3,
        "m" | "million" => 1e6,
        _ => 1e9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &str) -> Option<(i64, &'static str)> {
        find(text).first().map(|found| (found.value.minor, found.value.currency))
    }

    #[test]
    fn amounts_become_minor_units() {
        let good = [
            ("charge her 25 dollars", 2500, "usd"),
            ("$25", 2500, "usd"),
            ("a €9.99 plan", 999, "eur"),
            ("15 bucks.", 1500, "usd"),
            ("500 yen", 500, "jpy"),
            ("USD 12.50", 1250, "usd"),
            ("12.50 USD", 1250, "usd"),
            ("£1,250", 125_000, "gbp"),
            ("five euros", 500, "eur"),
            ("50 cents", 50, "usd"),
            ("$1.5k", 150_000, "usd"),
            ("9,99 or 10€", 1000, "eur"),
            ("twenty-five swiss francs", 2500, "chf"),
            ("$2 million", 200_000_000, "usd"),
        ];
        for (text, minor, currency) in good {
            assert_eq!(first(text), Some((minor, currency)), "{text}");
        }
    }

    #[test]
    fn what_is_no_money_is_none() {
        for text in ["25", "25 pods", "$PATH", "1.005 dollars", "dollars", "try 3 times", "5 wonders"] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn the_span_is_what_was_said() {
        let text = "then charge her 25 dollars please";
        assert_eq!(&text[find(text)[0].range.clone()], "25 dollars");
    }

    #[test]
    fn currencies_are_found_by_code_and_word() {
        let codes = |text| find_currencies(text).into_iter().map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(codes("prices in EUR and in dollars"), ["eur", "usd"]);
        assert_eq!(currency_code("Euro"), Some("eur"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            find(&text);
            find_currencies(&text);
        }
    }
}
