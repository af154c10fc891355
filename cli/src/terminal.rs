//! Writes to the two standard streams: answers on standard output, everything else on standard error.
//!
//! Text of others (requests, models, vendors) passes through [`printable`] first, so that it cannot move the cursor.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// One line on standard error. A closed stream is no reason to fail.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text on standard output, as it is. Gives the error of a closed pipe, which callers treat as the end.
pub fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The text with control characters (terminal escapes among them) replaced by a visible mark.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The text in one line: line ends and tabs become spaces, other control characters a visible mark.
pub fn one_line(text: &str) -> String {
    let spaced = text.split(['\n', '\r', '\t']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    printable(&spaced).into_owned()
}

/// One word of a command line as a POSIX shell would need it.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// A command line that could be pasted into a shell.
pub fn command_line(words: &[String]) -> String {
    let words = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    printable(&words).into_owned()
}

/// Rows in columns, two spaces apart; the first row is the header.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    let width = |column: usize| rows.iter().map(|row| console::measure_text_width(&row[column])).max().unwrap_or(0);
    let widths = std::array::from_fn::<_, N, _>(width);
    for row in rows {
        let cells =
            row.iter().zip(widths).map(|(cell, width)| console::pad_str(cell, width, console::Alignment::Left, None));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(printable(line.trim_end()).as_ref());
        text.push('\n');
    }
    text
}

// Line ends and tabs are for callers to decide; C0, DEL, C1 and the bidirectional overrides can lie to the reader.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_cannot_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(one_line("a\r\n\u{7}b"), "a \u{fffd}b");
    }

    #[test]
    fn words_are_quoted_only_when_a_shell_would_change_them() {
        assert_eq!(quoted("10.0.0.0/16"), "10.0.0.0/16");
        assert_eq!(quoted("${c1.Vpc.VpcId}"), "'${c1.Vpc.VpcId}'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
