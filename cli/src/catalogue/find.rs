//! Finds the operation that a person names, however they write it.

use std::collections::BTreeSet;

use silverback_catalogue::{Catalogue, OperationRef, Scope, match_draft};

use crate::error::CliError;

/// More names than this do not help anybody choose.
const MAX_NAMES: usize = 8;
/// Programs whose name may be left out.
const PROGRAMS: [&str; 2] = ["aws", "kubectl"];

/// The operation of a name such as `aws/ec2/CreateVpc`, `ec2 create-vpc`, `kubectl rollout restart` or `CreateVpc`.
pub fn find(catalogue: &Catalogue, name: &str) -> Result<OperationRef, CliError> {
    let mut found = by_path(catalogue, name);
    if found.is_empty() {
        found = by_command(catalogue, name);
    }
    if found.is_empty() {
        found = by_name(catalogue, name);
    }
    match found[..] {
        [one] => Ok(one),
        [] => Err(unknown(catalogue, name)),
        _ => {
            let message = format!("{name:?} names {} operations", found.len());
            Err(CliError::usage(message, format!("name one of them: {}", keys(catalogue, &found))))
        }
    }
}

/// `provider/service/name` of an operation.
pub fn key(catalogue: &Catalogue, at: OperationRef) -> String {
    catalogue.name(at).map(|(provider, service, name)| format!("{provider}/{service}/{name}")).unwrap_or_default()
}

fn keys(catalogue: &Catalogue, found: &[OperationRef]) -> String {
    let mut names = found.iter().take(MAX_NAMES).map(|at| key(catalogue, *at)).collect::<Vec<_>>();
    if found.len() > MAX_NAMES {
        names.push("…".to_owned());
    }
    names.join(", ")
}

fn unknown(catalogue: &Catalogue, name: &str) -> CliError {
    let mut near = match_draft(catalogue, Scope::default(), name, 3);
    near.extend(catalogue.search(name, 3));
    let mut seen = BTreeSet::new();
    let near = near.into_iter().map(|hit| hit.operation).filter(|at| seen.insert(*at)).take(4).collect::<Vec<_>>();
    let hint = match near[..] {
        [] => "`silverback catalogue search` finds operations by words".to_owned(),
        _ => format!("near it are {}", keys(catalogue, &near)),
    };
    CliError::usage(format!("no operation is named {name:?}"), hint)
}

fn packs(catalogue: &Catalogue) -> impl Iterator<Item = (u32, &silverback_catalogue::Pack)> {
    (0..).zip(catalogue.packs())
}

/// `provider/service/name` or `service/name`, exactly or nearly so.
fn by_path(catalogue: &Catalogue, name: &str) -> Vec<OperationRef> {
    let parts = name.split('/').collect::<Vec<_>>();
    let (provider, service, name) = match parts[..] {
        [provider, service, name] => (Some(provider), service, name),
        [service, name] => (None, service, name),
        _ => return Vec::new(),
    };
    let wanted = packs(catalogue).filter(|(_, pack)| provider.is_none_or(|provider| provider == pack.provider()));
    let found = wanted.filter_map(|(number, pack)| {
        let index = pack.find(service, name).or_else(|| pack.find_loosely(service, name))?;
        Some(OperationRef { pack: number, index })
    });
    found.collect()
}

/// The words of a vendor's command line, with or without the program.
fn by_command(catalogue: &Catalogue, name: &str) -> Vec<OperationRef> {
    let words = name.split_whitespace().collect::<Vec<_>>();
    let lines = std::iter::once(words.clone()).chain(PROGRAMS.map(|program| [&[program], &words[..]].concat()));
    for line in lines {
        let found = packs(catalogue).filter_map(|(pack, within)| {
            let index = within.find_command(&line)?;
            Some(OperationRef { pack, index })
        });
        let found = found.collect::<Vec<_>>();
        if !found.is_empty() {
            return found;
        }
    }
    let [service, rest @ ..] = &words[..] else { return Vec::new() };
    let loosely = packs(catalogue).filter_map(|(pack, within)| {
        let index = within.find_loosely(service, &rest.join(" "))?;
        Some(OperationRef { pack, index })
    });
    if rest.is_empty() { Vec::new() } else { loosely.collect() }
}

/// Every operation of this name, upper and lower case and the signs between words aside.
fn by_name(catalogue: &Catalogue, name: &str) -> Vec<OperationRef> {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = plain(name);
    let all = packs(catalogue).flat_map(|(pack, within)| (0..within.len()).map(move |index| (pack, index, within)));
    let same = all.filter(|(_, index, within)| within.name(*index).is_some_and(|(_, name)| plain(name) == wanted));
    same.map(|(pack, index, _)| OperationRef { pack, index }).collect()
}
