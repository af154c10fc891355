//! Cuts shell text into words, quoting included, without ever running any of it.
//!
//! Not a shell-words crate: drafts hold several lines, comments, redirections, here-documents and quotes that never close,
//! and all of that must give words, not an error. Expansions (`$HOME`, `$(date)`, globs) stay as they are written.

/// What ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A line break outside quotes.
    Line,
    /// `;`, `&&`, `||`, `|` or `&`: another command follows on the same line.
    Operator,
    /// Nothing is left.
    Text,
}

/// One command: its words, and what ended it.
#[derive(Debug, PartialEq, Eq)]
pub struct Lexed {
    pub words: Vec<String>,
    pub end: End,
    /// Bytes of the text that were read.
    pub read: usize,
}

/// Longest command that is read; the words after are dropped.
const MAX_WORDS: usize = 1024;
/// Longest `<placeholder>` that is read, in characters.
const MAX_PLACEHOLDER: usize = 64;

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    words: Vec<String>,
    word: Option<String>,
    heredocs: Vec<String>,
}

/// Reads the command at the start of `text`.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, at: 0, words: Vec::new(), word: None, heredocs: Vec::new() };
    let end = lexer.run();
    lexer.finish_word();
    lexer.words.truncate(MAX_WORDS);
    Lexed { words: lexer.words, end, read: lexer.at }
}

/// A word as a POSIX shell reads it back.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

// === impl Lexer ===

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.text[self.at..].starts_with(prefix)
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn finish_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn run(&mut self) -> End {
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                // Drafts forget the backslash: a line that begins with a flag goes on with the command.
                '\n' if self.flag_follows() => self.finish_word(),
                '\n' => return self.end_line(),
                '#' if self.word.is_none() => self.skip_line(),
                '\\' => self.escape(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' if self.starts_with("(") => self.keep_balanced('(', ')'),
                '$' if self.starts_with("{") => self.keep_balanced('{', '}'),
                '<' | '>' => self.redirect(c),
                '&' if self.starts_with(">") => self.redirect(c),
                ';' | '|' | '&' => return self.end_command(),
                c if c.is_whitespace() => self.finish_word(),
                c => self.push(c),
            }
        }
        End::Text
    }

    fn end_line(&mut self) -> End {
        for tag in std::mem::take(&mut self.heredocs) {
            self.skip_heredoc(&tag);
        }
        End::Line
    }

    fn end_command(&mut self) -> End {
        while let Some(c @ (';' | '|' | '&')) = self.peek() {
            self.at += c.len_utf8();
        }
        End::Operator
    }

    fn flag_follows(&self) -> bool {
        let next = self.text[self.at..].trim_start_matches([' ', '\t']).strip_prefix("--");
        let has_command = self.word.is_some() || !self.words.is_empty();
        has_command
            && self.heredocs.is_empty()
            && next.is_some_and(|flag| flag.starts_with(|c: char| c.is_ascii_lowercase()))
    }

    fn skip_line(&mut self) {
        self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length);
    }

    fn escape(&mut self) {
        match self.peek() {
            None => {}
            Some('\n') => self.at += 1,
            Some('\r') if self.starts_with("\r\n") => self.at += 2,
            Some(c) => {
                self.at += c.len_utf8();
                self.push(c);
            }
        }
    }

    /// A quote that never closes is a character: prose has apostrophes, drafts are cut off.
    fn single_quoted(&mut self) {
        let Some(length) = self.text[self.at..].find('\'') else {
            return self.push('\'');
        };
        let quoted = &self.text[self.at..self.at + length];
        self.word.get_or_insert_default().push_str(quoted);
        self.at += length + 1;
    }

    fn double_quoted(&mut self) {
        let Some(inner) = closing_quote(&self.text[self.at..]) else {
            return self.push('"');
        };
        let quoted = &self.text[self.at..self.at + inner];
        self.at += inner + 1;
        let word = self.word.get_or_insert_default();
        let mut characters = quoted.chars().peekable();
        while let Some(c) = characters.next() {
            match (c, characters.peek()) {
                ('\\', Some('\n')) => drop(characters.next()),
                ('\\', Some('"' | '\\' | '$' | '`')) => word.extend(characters.next()),
                (c, _) => word.push(c),
            }
        }
    }

    /// `$(…)` and `${…}` stay in the word as they are written.
    fn keep_balanced(&mut self, open: char, close: char) {
        self.push('$');
        let mut depth = 0;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            self.push(c);
            depth += i32::from(c == open) - i32::from(c == close);
            if depth == 0 {
                break;
            }
        }
    }

    /// Drops `> file`, `2>&1`, `< file`; remembers the tag of `<<EOF`. A `<placeholder>` is a word.
    fn redirect(&mut self, c: char) {
        if c == '<' && self.keep_placeholder() {
            return;
        }
        // The number before it says which stream.
        if self.word.as_deref().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.finish_word();
        let is_heredoc = c == '<' && self.starts_with("<") && !self.starts_with("<<");
        self.skip_while(|c| "<>&|-".contains(c));
        self.skip_while(|c| c == ' ' || c == '\t');
        let start = self.at;
        self.skip_while(|c| !c.is_whitespace() && !";|&".contains(c));
        if is_heredoc {
            self.heredocs.push(self.text[start..self.at].trim_matches(['\'', '"', '\\']).to_owned());
        }
    }

    fn keep_placeholder(&mut self) -> bool {
        let rest = &self.text[self.at..];
        // Bounded: a text of nothing but `<` must not be searched to its end for each.
        let mut near = rest.char_indices().take(MAX_PLACEHOLDER);
        let Some((length, _)) = near.find(|(_, c)| *c == '>') else {
            return false;
        };
        let is_name = |c: char| c.is_alphanumeric() || "-_ ./".contains(c);
        if length == 0 || !rest[..length].chars().all(is_name) || rest.starts_with(' ') {
            return false;
        }
        let placeholder = format!("<{}>", &rest[..length]);
        self.word.get_or_insert_default().push_str(&placeholder);
        self.at += length + 1;
        true
    }

    fn skip_while(&mut self, is_skipped: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !is_skipped(c)).unwrap_or(rest.len());
    }

    fn skip_heredoc(&mut self, tag: &str) {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let length = rest.find('\n').map_or(rest.len(), |length| length + 1);
            self.at += length;
            if rest[..length].trim() == tag {
                break;
            }
        }
    }
}

/// Bytes before the quote that closes, if one does.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        lex(text).words
    }

    #[test]
    fn quotes_escapes_and_continuations_make_words() {
        assert_eq!(words(r#"aws s3 cp 'a b' "c \"d\"" e\ f"#), ["aws", "s3", "cp", "a b", r#"c "d""#, "e f"]);
        assert_eq!(words("aws ec2 \\\n  run-instances \\\r\n --x"), ["aws", "ec2", "run-instances", "--x"]);
        assert_eq!(words("a '' \"\""), ["a", "", ""]);
        assert_eq!(words("aws s3 ls\n  --recursive\nnext"), ["aws", "s3", "ls", "--recursive"]);
        assert_eq!(words(r#"--filters 'Name=x,Values="a b"'"#), ["--filters", r#"Name=x,Values="a b""#]);
    }

    #[test]
    fn expansions_stay_as_written() {
        assert_eq!(
            words("x $(date +%F; ls) ${c1.Vpc.VpcId} $HOME *.csv"),
            ["x", "$(date +%F; ls)", "${c1.Vpc.VpcId}", "$HOME", "*.csv"]
        );
    }

    #[test]
    fn operators_and_lines_end_a_command() {
        let first = lex("a b && c");
        assert_eq!(
            (first.words.as_slice(), first.end, first.read),
            (["a".to_owned(), "b".to_owned()].as_slice(), End::Operator, 6)
        );
        assert_eq!(lex("a\nb").end, End::Line);
        assert_eq!(lex("a").end, End::Text);
    }

    #[test]
    fn comments_redirections_and_here_documents_are_dropped() {
        assert_eq!(words("a b # c"), ["a", "b"]);
        assert_eq!(words("a#b"), ["a#b"]);
        assert_eq!(words("a > out.txt 2>&1 b < in"), ["a", "b"]);
        let lexed = lex("kubectl apply -f - <<EOF\nkind: Pod\nkubectl delete\nEOF\nnext");
        assert_eq!(lexed.words, ["kubectl", "apply", "-f", "-"]);
        assert_eq!(&"kubectl apply -f - <<EOF\nkind: Pod\nkubectl delete\nEOF\nnext"[lexed.read..], "next");
    }

    #[test]
    fn placeholders_are_words() {
        assert_eq!(
            words("kubectl logs <pod-name> -n <namespace>"),
            ["kubectl", "logs", "<pod-name>", "-n", "<namespace>"]
        );
    }

    #[test]
    fn a_quote_that_never_closes_is_a_character() {
        assert_eq!(words("don't stop"), ["don't", "stop"]);
        assert_eq!(words("say \"hi"), ["say", "\"hi"]);
    }

    proptest::proptest! {
        #[test]
        fn quoted_words_come_back(given in proptest::collection::vec("[^\0]{0,12}", 0..6)) {
            let line = given.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            proptest::prop_assert_eq!(words(&line), given);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC{0,80}[\n'\"<>|$(){}#\\\\]{0,8}\\PC{0,20}") {
            let mut at = 0;
            while at < text.len() {
                let read = lex(&text[at..]).read;
                proptest::prop_assert!(read > 0);
                at += read;
            }
        }
    }
}
