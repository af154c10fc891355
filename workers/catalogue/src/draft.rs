//! Finds the operations that a model's own draft names: "draft, then ground".
//!
//! A model writes a vendor's command line from memory. Here that text is matched against what exists: exactly, then
//! without case and dashes, then by likeness within the service, then by likeness everywhere. A draft is never trusted:
//! the result is a list of candidates with scores. Start at [`match_draft`]; `retrieve` joins it with searches by words and meaning.

mod likeness;
mod reading;

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Hit, OperationRef, Scope};
use crate::pack::Pack;
use likeness::Likeness;
use reading::Drafted;

/// Most lines of a draft that are looked at; a model that rambles is not read to its end.
const MAX_LINES: usize = 8;
/// Score of a name that is right but for case, dashes or blanks.
const LOOSE: f32 = 0.95;
/// What a later line counts: models go on with examples.
const LATER: f32 = 0.8;

/// The operations a draft names, best first, at most `k`; scores from 0 to 1, 1.0 is exact.
///
/// Reads the vendors' command lines (`aws ec2 stop-instances --instance-ids i-0abc`, `kubectl rollout restart …`), HTTP
/// requests (`curl -X POST https://…`), dotted paths and library calls; the program may be missing.
pub fn match_draft(catalogue: &Catalogue, scope: Scope<'_>, text: &str, k: usize) -> Vec<Hit> {
    let mut best: BTreeMap<OperationRef, f32> = BTreeMap::new();
    let mut first_provider = None;
    for drafted in reading::read(catalogue, scope, text).iter().take(MAX_LINES) {
        // A second line of the same vendor is later; of another vendor it is another reading of the first.
        let is_later = first_provider.as_ref().is_some_and(|first| *first == drafted.provider);
        first_provider.get_or_insert_with(|| drafted.provider.clone());
        for hit in match_line(catalogue, scope, drafted, k) {
            let score = if is_later && hit.score < LOOSE { hit.score * LATER } else { hit.score };
            let kept = best.entry(hit.operation).or_insert(0.0);
            *kept = kept.max(score);
        }
    }
    let mut hits: Vec<Hit> = best.into_iter().map(|(operation, score)| Hit { operation, score }).collect();
    // Stable: operations of equal score stay in the order of the catalogue.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(k);
    hits
}

fn match_line(catalogue: &Catalogue, scope: Scope<'_>, drafted: &Drafted, k: usize) -> Vec<Hit> {
    let scope = match &drafted.provider {
        // Another vendor's tool: nothing in scope is named.
        Some(provider) if scope.provider.is_some_and(|wanted| wanted != provider) => return Vec::new(),
        Some(provider) => Scope { provider: Some(provider), ..scope },
        None => scope,
    };
    let mut hits = Vec::new();
    for (number, pack) in catalogue.scoped(scope) {
        let admits = |index: u32| {
            scope.service.is_none_or(|service| pack.name(index).is_some_and(|(found, _)| found == service))
        };
        if let Some((index, score)) = named(pack, drafted).filter(|(index, _)| admits(*index)) {
            hits.push(Hit { operation: OperationRef { pack: number, index }, score });
        }
    }
    hits.extend(Likeness::new(catalogue, scope, drafted).hits(k));
    hits
}

/// The operation a draft names, when it does.
fn named(pack: &Pack, drafted: &Drafted) -> Option<(u32, f32)> {
    // The longest command wins: `rollout restart` before `rollout`.
    let words: Vec<&str> = drafted.command.iter().map(String::as_str).collect();
    let exactly = (2..=words.len()).rev().find_map(|end| pack.find_command(&words[..end]));
    let by_url = || drafted.http.as_ref().and_then(|(method, url)| pack.find_http(method, url));
    let by_name = || drafted.named.as_ref().and_then(|(service, operation)| pack.find(service, operation));
    if let Some(index) = exactly.or_else(by_name).or_else(by_url) {
        return Some((index, 1.0));
    }
    let (service, operation) = drafted.named.as_ref()?;
    let services = likeness::service_names(service);
    services.iter().find_map(|service| pack.find_loosely(service, operation)).map(|index| (index, LOOSE))
}

#[cfg(test)]
mod tests;
