//! Documentation in HTML → one plain sentence.

/// How much of a text is looked at, in bytes: the first sentence is at the front, some texts have 100 KB.
const MAX_LOOK: usize = 4096;

/// First sentence of an HTML text without markup, at most `limit` bytes; a longer one is cut at a word.
pub(in crate::import) fn first_sentence(html: &str, limit: usize) -> String {
    let html = truncate(html, MAX_LOOK);
    let main = plain(html, true);
    let text = if main.trim().is_empty() { plain(html, false) } else { main };
    let text = text.trim();
    shorten(&text[..sentence_end(text)], limit)
}

/// The beginning of an HTML text without markup and notes, on one line; paragraphs end in a full stop and a blank.
pub(super) fn opening(html: &str) -> String {
    let main = plain(truncate(html, MAX_LOOK), true);
    let text = if main.trim().is_empty() { plain(truncate(html, MAX_LOOK), false) } else { main };
    let lines = text.lines().map(|line| line.trim().trim_end_matches('.')).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(". ")
}

/// Tags out, entities decoded, blanks joined; paragraphs end in a line break. Leading notes are skipped if asked.
fn plain(html: &str, skip_notes: bool) -> String {
    let mut text = String::new();
    let mut rest = html;
    let mut in_note = false;
    while let Some(next) = rest.chars().next() {
        match next {
            '<' => {
                let end = rest.find('>').map_or(rest.len(), |end| end + 1);
                let tag = rest[1..end].trim_end_matches('>');
                match tag {
                    "note" | "important" | "fullname" => in_note = skip_notes,
                    "/note" | "/important" | "/fullname" => in_note = false,
                    "/p" | "/li" | "ul" | "ol" if !in_note => text.push('\n'),
                    _ => {}
                }
                rest = &rest[end..];
                continue;
            }
            _ if in_note => {}
            '&' => {
                let (decoded, used) = entity(rest);
                push(&mut text, decoded);
                rest = &rest[used..];
                continue;
            }
            other => push(&mut text, other),
        }
        rest = &rest[next.len_utf8()..];
    }
    text
}

/// Appends a character; any run of blanks becomes one.
fn push(text: &mut String, letter: char) {
    if !letter.is_whitespace() && !letter.is_control() {
        text.push(letter);
    } else if !text.is_empty() && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
}

fn entity(text: &str) -> (char, usize) {
    let Some(end) = text.bytes().take(10).position(|byte| byte == b';') else { return ('&', 1) };
    let decoded = match &text[1..end] {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        name => number(name),
    };
    decoded.map_or(('&', 1), |letter| (letter, end + 1))
}

fn number(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
}

/// Where the first sentence ends: at a line break, or after a full stop before a capital.
fn sentence_end(text: &str) -> usize {
    for (at, letter) in text.char_indices() {
        if letter == '\n' {
            return at;
        }
        let follows = text[at + letter.len_utf8()..].strip_prefix(' ').and_then(|rest| rest.chars().next());
        if letter == '.' && follows.is_some_and(|next| !next.is_lowercase()) && !is_abbreviation(&text[..at]) {
            return at + 1;
        }
    }
    text.len()
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit([' ', '(']).next().unwrap_or_default();
    matches!(word, "e.g" | "i.e" | "vs" | "etc" | "Inc" | "No")
}

fn shorten(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.len() <= limit {
        return text.to_owned();
    }
    let cut = truncate(text, limit.saturating_sub('…'.len_utf8()));
    let cut = cut.rsplit_once(' ').map_or(cut, |(words, _)| words);
    format!("{cut}…")
}

fn truncate(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_further_sentences_go() {
        let html = "<p>Stops an <a href=\"x\">Amazon EBS</a>-backed   instance &amp; more, e.g. one. For more, see</p><p>x</p>";
        assert_eq!(first_sentence(html, 300), "Stops an Amazon EBS-backed instance & more, e.g. one.");
    }

    #[test]
    fn a_leading_note_is_not_the_sentence() {
        assert_eq!(first_sentence("<note><p>Old.</p></note><p>Lists things.</p>", 300), "Lists things.");
        assert_eq!(first_sentence("<note><p>Old.</p></note>", 300), "Old.");
    }

    #[test]
    fn long_text_is_cut_at_a_word_within_the_limit() {
        let text = first_sentence(&"wörter ".repeat(90), 160);
        assert!(text.len() <= 160 && text.ends_with("wörter…"), "{text}");
    }

    #[test]
    fn broken_markup_does_no_harm() {
        assert_eq!(first_sentence("a < b & c &#xZZ; <unclosed", 99), "a");
        assert_eq!(first_sentence("", 99), "");
    }
}
