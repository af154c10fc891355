//! Reads amounts of compute as Kubernetes writes them: "2 cpus and 4Gi of memory" is `cpu=2,memory=4Gi`, "10 pods" is `pods=10`.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::Found;

/// What an amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// What a container may use at most.
    Limit,
    /// What it is promised.
    Request,
}

/// Amounts with their units; memory is whatever is measured in bytes.
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    let written = r"(?P<written>\b[\w./-]*\w=\d(?:[\w.]*\w)?)";
    let cpu = r"(?P<cpu>\d+(?:\.\d+)?m?)\s*(?:(?:of\s+)?v?cpus?|cores?)\b|\b(?:v?cpus?|cores?)\s*(?:[=:]|of|to|at)?\s*(?P<cpu2>\d+(?:\.\d+)?m?)\b|\b(?P<milli>\d+m)\b";
    let memory = r"(?P<memory>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt])(?:i?b|i)\b";
    let counted = r"(?P<count>\d+)\s+(?P<kind>pods|services|secrets|configmaps|persistentvolumeclaims|deployments|replicasets|replicationcontrollers)\b";
    Regex::new(&format!("(?i){written}|\\b{memory}|{cpu}|{counted}")).expect("the pattern is fixed, see the tests")
});
static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:limit(?:s|ed)?|cap(?:ped|s)?|max(?:imum)?|at most|up to)\b").expect("fixed")
});
static REQUEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:request(?:s|ing|ed)?|guaranteed?|promised?|reserved?|min(?:imum)?|at least)\b")
        .expect("fixed")
});

/// Longest way from an amount to the word after it that says what it is for: "2 cpus as a limit".
const NEAR: usize = 12;

/// All amounts of the text for this bound as one list; where no bound is said, all of them. `None` without any.
pub fn find(text: &str, bound: Option<Bound>) -> Option<Found<String>> {
    let amounts: Vec<(Range<usize>, String)> = AMOUNT.captures_iter(text).filter_map(|found| read(&found)).collect();
    let bounds: Vec<Option<Bound>> = amounts.iter().map(|(range, _)| bound_of(text, range)).collect();
    let is_said = bounds.iter().any(Option::is_some);
    let wanted = |said: &Option<Bound>| bound.is_none() || !is_said || *said == bound;
    let mut chosen = amounts.iter().zip(&bounds).filter(|(_, said)| wanted(said)).map(|(amount, _)| amount);
    let first = chosen.next()?;
    let (mut range, mut value) = first.clone();
    for (next, amount) in chosen {
        range.end = next.end;
        value.push(',');
        value.push_str(amount);
    }
    Some(Found { range, value })
}

// === private ===

fn read(found: &regex::Captures<'_>) -> Option<(Range<usize>, String)> {
    let part = |name: &str| found.name(name).map(|part| part.as_str());
    if let Some(written) = found.name("written") {
        return Some((written.range(), written.as_str().to_owned()));
    }
    let value = match (part("memory"), part("cpu").or(part("cpu2")).or(part("milli")), part("count")) {
        (Some(amount), ..) => format!("memory={amount}{}i", part("unit")?.to_uppercase()),
        (_, Some(amount), _) => format!("cpu={}", amount.to_lowercase()),
        (_, _, Some(count)) => format!("{}={count}", part("kind")?.to_lowercase()),
        _ => return None,
    };
    Some((found.get(0)?.range(), value))
}

/// The last bound said before an amount, else one right after it.
fn bound_of(text: &str, amount: &Range<usize>) -> Option<Bound> {
    let last = |form: &Regex| form.find_iter(&text[..amount.start]).last().map(|word| word.start());
    match (last(&LIMIT), last(&REQUEST)) {
        (Some(limit), request) if request.is_none_or(|request| request < limit) => Some(Bound::Limit),
        (_, Some(_)) => Some(Bound::Request),
        _ => {
            let after = |form: &Regex| form.find(&text[amount.end..]).is_some_and(|word| word.start() <= NEAR);
            let limit = after(&LIMIT).then_some(Bound::Limit);
            limit.or(after(&REQUEST).then_some(Bound::Request))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, bound: Option<Bound>) -> Option<String> {
        find(text, bound).map(|found| found.value)
    }

    #[test]
    fn amounts_become_a_list() {
        let text = "deployment renderer needs a limit of 2 cpus and 4Gi of memory";
        assert_eq!(read(text, Some(Bound::Limit)).as_deref(), Some("cpu=2,memory=4Gi"));
        assert_eq!(read(text, Some(Bound::Request)), None);
        assert_eq!(read("half the pods get 250m cpu and 512 MB", None).as_deref(), Some("cpu=250m,memory=512Mi"));
        assert_eq!(read("cap interns at 10 pods, cpu 4", None).as_deref(), Some("pods=10,cpu=4"));
        assert_eq!(read("scale web to 3", None), None);
        let written = "quota q1: requests.cpu=2,limits.memory=4Gi.";
        assert_eq!(read(written, None).as_deref(), Some("requests.cpu=2,limits.memory=4Gi"));
    }

    #[test]
    fn requests_and_limits_are_told_apart() {
        let text = "requests 250m cpu and 256Mi, limits 500m and 512Mi for web";
        assert_eq!(read(text, Some(Bound::Request)).as_deref(), Some("cpu=250m,memory=256Mi"));
        assert_eq!(read(text, Some(Bound::Limit)).as_deref(), Some("cpu=500m,memory=512Mi"));
        assert_eq!(read("give it 1 cpu max", Some(Bound::Limit)).as_deref(), Some("cpu=1"));
        assert_eq!(read("give it 1 cpu", Some(Bound::Request)).as_deref(), Some("cpu=1"), "nothing is said of a bound");
    }
}
