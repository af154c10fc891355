//! `silverback catalogue diff`: finds the two packs that a person means and writes what changed for people.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use console::style;
use silverback_catalogue::{
    Pack,
    diff::{self as comparison, Change, PackDiff},
    pack::archive,
};

use crate::{error::CliError, terminal::one_line};

/// Fewer digits of a digest could mean many packs, or a word.
const MIN_DIGITS: usize = 6;

/// Compares the packs of two names.
pub fn diff(folder: &Path, old: &str, new: &str) -> Result<PackDiff, CliError> {
    let (old, new) = (Pack::open(find(folder, old)?)?, Pack::open(find(folder, new)?)?);
    if old.provider() != new.provider() {
        let message = format!("one is of {}, the other of {}", old.provider(), new.provider());
        return Err(CliError::usage(message, "give two packs of one vendor"));
    }
    Ok(comparison::diff(&old, &new)?)
}

/// The counts, then at most `limit` changes.
pub fn page(found: &PackDiff, limit: usize) -> String {
    let mut text = String::new();
    for (side, about) in [("old", &found.old), ("new", &found.new)] {
        line(&mut text, &format!("{side}  {} {}, {} operations", found.provider, about.digest, about.operations));
    }
    if found.changes.is_empty() {
        line(&mut text, "no difference");
        return text;
    }
    for (kind, count) in &found.counts {
        line(&mut text, &format!("{count:>7}  {}", kind.name()));
    }
    line(&mut text, &format!("{} changes, {} of them breaking", found.changes.len(), found.breaking));
    let mut heading = "";
    for change in found.changes.iter().take(limit) {
        let title = if change.breaking { "breaking" } else { "not breaking" };
        if title != heading {
            line(&mut text, &format!("\n{}", style(title).bold()));
            heading = title;
        }
        line(&mut text, &format!("  {}", sentence(change)));
    }
    if let Some(more) = found.changes.len().checked_sub(limit).filter(|more| *more > 0) {
        line(&mut text, &format!("  … {more} more: raise --limit, or take all of them with --json"));
    }
    text
}

fn sentence(change: &Change) -> String {
    let place = [change.operation.as_str(), change.parameter.as_str()].join(" ");
    let values = match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!(": {old} → {new}"),
        (Some(one), None) | (None, Some(one)) => format!(": {one}"),
        (None, None) => String::new(),
    };
    one_line(&format!("{} {}{values}", change.kind.name(), place.trim_end()))
}

/// A file, a digest or the beginning of one, or a vendor's current pack.
fn find(folder: &Path, name: &str) -> Result<PathBuf, CliError> {
    if Path::new(name).is_file() {
        return Ok(PathBuf::from(name));
    }
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    let archived = if digits.len() >= MIN_DIGITS { archive::find(folder, digits) } else { Vec::new() };
    match &archived[..] {
        [one] => return Ok(one.clone()),
        [_, _, ..] => {
            let message = format!("{name:?} is the beginning of {} digests", archived.len());
            return Err(CliError::usage(message, "give more digits; `silverback catalogue list --all` shows them"));
        }
        [] => {}
    }
    let is_plain = !name.is_empty() && name.chars().all(|sign| sign.is_alphanumeric() || "-_".contains(sign));
    let current = folder.join(format!("{name}.pack"));
    if is_plain && current.is_file() {
        return Ok(current);
    }
    let hint = "give a file, a vendor, or a digest that `silverback catalogue list --all` shows";
    Err(CliError::usage(format!("there is no pack {name:?}"), hint))
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{content}").expect("writing to a string cannot fail");
}
