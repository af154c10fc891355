//! Cuts a text at white space and loose punctuation, keeping compounds such as `kube-system` and `app/web` whole.

use std::ops::Range;

use crate::words;

/// A piece between white space, without the punctuation around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub start: usize,
    pub end: usize,
    pub lower: String,
    /// Index into the text's words of its first word; a chunk has at least one.
    pub form: Form,
    /// Does a sentence or clause begin here?
    pub opens: bool,
}

/// How a chunk is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Small letters only.
    Plain,
    /// Begins with a capital.
    Capital,
    /// Capitals only, two or more.
    Acronym,
    /// Holds a hyphen, underscore, dot, slash or digit, or a capital inside.
    Compound,
    /// Digits only.
    Digits,
}

/// Marks that end a chunk although no space follows.
const SEPARATORS: &[char] =
    &[',', ';', '(', ')', '[', ']', '{', '}', '"', '“', '”', '‘', '`', '<', '>', '|', '!', '?', '…', '—', '–'];

/// All chunks of a text.
pub(crate) fn split(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut previous_end = 0;
    for range in pieces(text) {
        let range = trim(text, range);
        if !text[range.clone()].contains(char::is_alphanumeric) {
            continue;
        }
        let between = &text[previous_end..range.start];
        let opens = previous_end == 0 || between.contains(['.', '!', '?', ';', ':', ',']);
        let lower = text[range.clone()].to_lowercase();
        chunks.push(Chunk { start: range.start, end: range.end, form: form_of(&text[range.clone()]), lower, opens });
        previous_end = range.end;
    }
    chunks
}

// === impl Chunk ===

impl Chunk {
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Written so that no everyday word could be meant.
    pub fn is_shaped(&self) -> bool {
        self.form == Form::Compound && !self.is_common()
    }

    pub fn is_common(&self) -> bool {
        words::is_common(&self.lower) || (self.form == Form::Compound && is_everyday_compound(&self.lower))
    }
}

// === private ===

fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let cut = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
    text.split(cut).filter(|piece| !piece.is_empty()).map(|piece| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        start..start + piece.len()
    })
}

/// Takes off punctuation at both ends and a possessive `'s`.
fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let leading = |c: char| matches!(c, '\'' | '’' | '.' | ':' | '*' | '#' | '&' | '=' | '+' | '-' | '$' | '@');
    let front = piece.len() - piece.trim_start_matches(leading).len();
    let piece = piece[front..].trim_end_matches(['\'', '’', '.', ':', '*', '&', '=', '+', '-', '/', '%']);
    let piece = ["'s", "’s", "'S", "’S"].iter().find_map(|ending| piece.strip_suffix(ending)).unwrap_or(piece);
    let start = range.start + front;
    start..start + piece.len()
}

fn form_of(piece: &str) -> Form {
    let mut chars = piece.chars();
    let first = chars.next().unwrap_or(' ');
    if piece.chars().all(|c| c.is_ascii_digit()) {
        return Form::Digits;
    }
    let letters_only = piece.chars().all(char::is_alphabetic);
    let capitals_inside = chars.clone().any(char::is_uppercase);
    if letters_only && capitals_inside && piece.chars().all(char::is_uppercase) {
        return Form::Acronym;
    }
    if !letters_only || capitals_inside {
        return Form::Compound;
    }
    if first.is_uppercase() { Form::Capital } else { Form::Plain }
}

/// `read-only`, `up-to-date`, `and/or`, `don't`: all parts are everyday words and it is no file.
fn is_everyday_compound(lower: &str) -> bool {
    const KNOWN: &[&str] = &[
        "read-only",
        "read-write",
        "up-to-date",
        "long-running",
        "and/or",
        "e-mail",
        "multi-az",
        "cross-region",
        "point-in-time",
        "on-demand",
        "pay-as-you-go",
        "end-to-end",
        "force-delete",
        "non-empty",
        "re-create",
        "re-run",
        "roll-back",
        "set-up",
        "year-to-date",
        "one-off",
        "built-in",
        "day-to-day",
        "follow-up",
        "high-availability",
        "key-value",
        "key/value",
        "publicly-readable",
        "x86",
        "24/7",
    ];
    KNOWN.contains(&lower) || lower.contains(['\'', '’'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(String, Form)> {
        split(text).iter().map(|chunk| (text[chunk.range()].to_owned(), chunk.form)).collect()
    }

    #[test]
    fn compounds_stay_whole_and_punctuation_goes() {
        assert_eq!(
            cut("Restart (kube-system), then Meta's MyTable: 5 VPC."),
            [
                ("Restart".to_owned(), Form::Capital),
                ("kube-system".to_owned(), Form::Compound),
                ("then".to_owned(), Form::Plain),
                ("Meta".to_owned(), Form::Capital),
                ("MyTable".to_owned(), Form::Compound),
                ("5".to_owned(), Form::Digits),
                ("VPC".to_owned(), Form::Acronym),
            ]
        );
    }

    #[test]
    fn everyday_compounds_are_no_names() {
        let chunks = split("a read-only my-app");
        assert!(chunks[1].is_common() && !chunks[1].is_shaped());
        assert!(chunks[2].is_shaped());
    }

    #[test]
    fn clauses_open_after_punctuation() {
        let opens: Vec<bool> = split("Stop it. Start web, now").iter().map(|chunk| chunk.opens).collect();
        assert_eq!(opens, [true, false, true, false, true]);
    }
}
