//! Finds the command lines in a text that a model drafted.
//!
//! Prose, fences, prompts and numbering around them are passed over. Understands shell lines, `curl`, and calls in Python or
//! JavaScript (`obb.equity.price.quote(symbol="META")`). Never fails: what cannot be read is not a command line.

use super::lexer::{End, lex};
use super::{CommandLine, expression, http, options};

/// Longest draft that is read, in bytes; drafts are some hundred.
const MAX_TEXT: usize = 64 * 1024;
/// Most command lines that are taken from one draft.
const MAX_LINES: usize = 256;

/// Programs whose lines are read wherever they stand; other programs only in a fence or behind a prompt.
const KNOWN: &[&str] = &["kubectl", "aws", "curl", "stripe", "obb", "openbb"];
/// Words before a program that change nothing about what is said.
const PREFIXES: &[&str] = &["sudo", "time", "command", "exec", "nohup", "k3s", "microk8s", "minikube"];

/// The command lines of a drafted text, in order.
pub fn parse(text: &str) -> Vec<CommandLine> {
    let mut reader = Reader { text: bounded(text), at: 0, is_fenced: false, lines: Vec::new() };
    while reader.at < reader.text.len() && reader.lines.len() < MAX_LINES {
        reader.read_line();
    }
    reader.lines
}

fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    is_fenced: bool,
    lines: Vec<CommandLine>,
}

// === impl Reader ===

impl Reader<'_> {
    fn read_line(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.find('\n').map_or(rest.len(), |length| length + 1);
        let line = &rest[..length];
        if let Some(fenced) = line.trim().strip_prefix("```") {
            self.at += length;
            return self.read_fence(fenced);
        }
        if let Some((call, read)) = expression::read(rest, length) {
            self.lines.push(call);
            self.at += read;
            return;
        }
        let (start, is_prompted) = command_start(line);
        if self.is_fenced || is_prompted || begins_with_known(&line[start..]) {
            self.at += start;
            return self.read_commands();
        }
        self.at += length;
        self.read_inline(line);
    }

    /// A fence opens or closes; one that closes on its own line holds its command between.
    fn read_fence(&mut self, rest: &str) {
        match rest.strip_suffix("```") {
            Some(inside) if !inside.is_empty() => self.read_inside(inside),
            _ => self.is_fenced = !self.is_fenced,
        }
    }

    /// Commands joined by operators, up to the end of their line.
    fn read_commands(&mut self) {
        loop {
            let lexed = lex(&self.text[self.at..]);
            self.at += lexed.read;
            self.lines.extend(assemble(lexed.words));
            if lexed.end != End::Operator || self.lines.len() >= MAX_LINES {
                return;
            }
        }
    }

    /// Prose may hold commands between backticks.
    fn read_inline(&mut self, line: &str) {
        for inside in line.split('`').skip(1).step_by(2) {
            self.read_inside(inside);
        }
    }

    fn read_inside(&mut self, inside: &str) {
        if let Some((call, _)) = expression::read(inside, inside.len()) {
            self.lines.push(call);
        } else if begins_with_known(inside) {
            self.lines.extend(assemble(lex(inside).words));
        }
    }
}

/// Where the command begins behind a prompt (`$ `), a bullet (`- `) or a number (`1. `); and was there a prompt?
fn command_start(line: &str) -> (usize, bool) {
    let mut start = line.len() - line.trim_start().len();
    for marker in ["$ ", "% ", "> ", "- ", "* "] {
        if line[start..].starts_with(marker) {
            return (start + marker.len(), matches!(marker, "$ " | "% "));
        }
    }
    let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[start + digits..].starts_with([')', '.']) {
        start += digits + 1;
        start += line[start..].len() - line[start..].trim_start().len();
    }
    (start, false)
}

fn begins_with_known(line: &str) -> bool {
    let words = line.split_whitespace().map(|word| word.trim_start_matches('`'));
    let program = words.skip_while(|word| is_prefix(word)).take(1).next();
    program.is_some_and(|program| KNOWN.contains(&program))
}

fn is_prefix(word: &str) -> bool {
    let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    });
    is_assignment || PREFIXES.contains(&word)
}

/// Sorts words into program, words, flags and rest.
fn assemble(words: Vec<String>) -> Option<CommandLine> {
    let mut words = words.into_iter().skip_while(|word| is_prefix(word));
    let program = words.next().filter(|program| !program.starts_with('-'))?;
    if program == "curl" {
        return http::read_curl(words);
    }
    let mut builder = Builder { line: CommandLine { program, ..CommandLine::default() }, room: usize::MAX };
    while let Some(word) = words.next() {
        if word == "--" {
            builder.line.rest = words.collect();
            break;
        }
        builder.add(word);
    }
    Some(builder.line)
}

struct Builder {
    line: CommandLine,
    /// How many words the last flag takes at most: those before the command (`kubectl -n prod get pods`) take not all that follow.
    room: usize,
}

// === impl Builder ===

impl Builder {
    fn add(&mut self, word: String) {
        let long = word.strip_prefix("--");
        if long.is_some() || is_short(&word) {
            let (name, values) = split_flag(long.unwrap_or(&word));
            self.room = self.room_of(&name).saturating_sub(values.len());
            self.line.flags.push((name, values));
            return;
        }
        match self.line.flags.last_mut() {
            Some((_, values)) if self.room > 0 => {
                self.room -= 1;
                values.push(word);
            }
            _ => self.line.words.push(word),
        }
    }

    /// Before its service and operation are said, an option of the AWS command line takes its own words only.
    fn room_of(&self, name: &str) -> usize {
        let is_aws = self.line.program == "aws";
        let is_leading = self.line.words.len() < if is_aws { 2 } else { 1 };
        match options::words_of(name).filter(|_| is_aws) {
            Some(count) if is_leading => count,
            _ if is_leading => 1,
            _ => usize::MAX,
        }
    }
}

fn split_flag(text: &str) -> (String, Vec<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), vec![value.to_owned()]),
        None => (text.to_owned(), Vec::new()),
    }
}

/// `-n` and `-it` are flags; `-` is a file, `-1` a number.
fn is_short(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(program: &str, words: &[&str], flags: &[(&str, &[&str])], rest: &[&str]) -> CommandLine {
        let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        CommandLine {
            program: program.to_owned(),
            words: own(words),
            flags: flags.iter().map(|(name, values)| ((*name).to_owned(), own(values))).collect(),
            rest: own(rest),
        }
    }

    #[test]
    fn one_line_is_cut_into_its_parts() {
        assert_eq!(
            parse("kubectl exec -it web-0 -n prod --container=app -- sh -c 'ls -la'"),
            [line(
                "kubectl",
                &["exec"],
                &[("-it", &["web-0"]), ("-n", &["prod"]), ("container", &["app"])],
                &["sh", "-c", "ls -la"]
            )]
        );
        assert_eq!(
            parse("aws ec2 stop-instances --instance-ids i-1 i-2 --no-dry-run"),
            [line("aws", &["ec2", "stop-instances"], &[("instance-ids", &["i-1", "i-2"]), ("no-dry-run", &[])], &[])]
        );
        assert_eq!(
            parse("kubectl logs web --tail -1 -f")[0].flags,
            [("tail".to_owned(), vec!["-1".to_owned()]), ("-f".to_owned(), vec![])]
        );
    }

    #[test]
    fn a_flag_before_the_command_takes_one_word() {
        let lines = parse("kubectl -n prod get pods web; aws --region=eu-west-1 ec2 describe-vpcs --vpc-ids a b");
        assert_eq!(lines[0], line("kubectl", &["get", "pods", "web"], &[("-n", &["prod"])], &[]));
        assert_eq!(
            lines[1],
            line("aws", &["ec2", "describe-vpcs"], &[("region", &["eu-west-1"]), ("vpc-ids", &["a", "b"])], &[])
        );
    }

    #[test]
    fn prose_fences_prompts_and_operators_are_passed_over() {
        let text = "Sure! Here's how you'd do it:\n\n```bash\n# first\n$ kubectl get pods \\\n  -n prod && aws s3 ls\n```\nThat's it. Don't `kubectl delete pod x`; or:\n1. aws ec2 describe-vpcs\n";
        let programs: Vec<String> =
            parse(text).iter().map(|line| format!("{} {}", line.program, line.words.join(" "))).collect();
        assert_eq!(programs, ["kubectl get pods", "aws s3 ls", "kubectl delete pod x", "aws ec2 describe-vpcs"]);
    }

    #[test]
    fn environment_and_sudo_before_the_program_are_dropped() {
        let lines = parse("AWS_PROFILE=dev sudo aws s3 ls; cat x.json | kubectl apply -f -");
        assert_eq!(lines.iter().map(|line| line.program.as_str()).collect::<Vec<_>>(), ["aws", "cat", "kubectl"]);
    }

    #[test]
    fn a_program_nobody_knows_is_read_only_where_it_is_marked_as_one() {
        assert!(parse("the answer is --help").is_empty());
        assert_eq!(parse("$ slack post --channel general")[0].program, "slack");
        assert_eq!(parse("```\nslack post\n```")[0].words, ["post"]);
        assert_eq!(parse("```kubectl get ns```")[0].words, ["get", "ns"]);
    }

    #[test]
    fn a_huge_draft_is_cut_not_refused() {
        let text = "kubectl get pods\n".repeat(100_000);
        assert_eq!(parse(&text).len(), MAX_LINES);
        assert!(parse(&"é".repeat(MAX_TEXT)).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses(text in "(kubectl |aws |obb\\.|stripe\\.|curl |`|\\$ )?[\\PC\n]{0,120}") {
            parse(&text);
        }
    }
}
