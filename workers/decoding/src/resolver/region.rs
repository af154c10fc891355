//! Reads cloud regions by code or by place: `eu-west-1`, `Ireland`, `Frankfurt`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, stands_alone};
use crate::phrases::Phrases;
use crate::words;

static CODE: LazyLock<Regex> = LazyLock::new(|| {
    let area = "us|eu|ap|sa|ca|af|me|il|mx|cn";
    let side = "north|south|east|west|central|northeast|northwest|southeast|southwest";
    Regex::new(&format!(r"(?i)\b(?:{area})-(?:gov-|iso[a-z]?-)?(?:{side})-\d\b"))
        .expect("the pattern is fixed, see the tests")
});

static PLACES: LazyLock<(Vec<&'static str>, Phrases)> = LazyLock::new(|| {
    let rows = include_str!("../../data/regions.csv").lines().skip(1).filter_map(|line| line.split_once(','));
    let (codes, names): (Vec<_>, Vec<_>) = rows.unzip();
    let phrases = names.iter().enumerate().flat_map(|(row, names)| names.split('|').map(move |name| (name, row)));
    let phrases = Phrases::new(phrases);
    (codes, phrases)
});

/// All regions, as lower-case codes.
pub fn find(text: &str) -> Vec<Found<String>> {
    let coded = CODE.find_iter(text).filter(|hit| stands_alone(text, &hit.range()));
    let mut found: Vec<_> =
        coded.map(|hit| Found { range: hit.range(), value: hit.as_str().to_ascii_lowercase() }).collect();
    let (codes, places) = &*PLACES;
    let named = places.find(&words::split(text)).into_iter().filter(|(range, _)| stands_alone(text, range));
    found.extend(named.map(|(range, row)| Found { range, value: codes[row].to_owned() }));
    found.sort_by_key(|found| found.range.start);
    found
}

/// Is this an availability zone, `eu-west-1a`?
pub fn is_zone(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower
        .strip_suffix(|c: char| c.is_ascii_lowercase())
        .is_some_and(|code| CODE.find(code).is_some_and(|hit| hit.len() == code.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        find(text).into_iter().map(|found| found.value).collect()
    }

    #[test]
    fn regions_by_code_and_place() {
        assert_eq!(codes("a bucket in eu-west-1"), ["eu-west-1"]);
        assert_eq!(codes("from Frankfurt to Northern Virginia"), ["eu-central-1", "us-east-1"]);
        assert_eq!(codes("in São Paulo."), ["sa-east-1"]);
    }

    #[test]
    fn a_zone_is_a_region_and_a_letter() {
        assert!(is_zone("eu-west-1a") && !is_zone("eu-west-1") && !is_zone("web-1a") && !is_zone(""));
    }

    #[test]
    fn a_zone_or_a_name_is_no_region() {
        assert!(codes("eu-west-1a and my-eu-west-1-bucket in nowhere").is_empty());
    }
}
