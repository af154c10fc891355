//! Reads the request from the command line or from standard input, and refuses what no router would take.

use std::io::{self, IsTerminal, Read};

use crate::error::CliError;

/// The contract's limit, see `AskRequest.text`.
const MAX_BYTES: usize = 16 * 1024;

/// The words of the command line, or standard input for `-` and for no words at all.
pub fn read(words: &[String]) -> Result<String, CliError> {
    let from_stdin = match words {
        [] if io::stdin().is_terminal() => return Err(missing()),
        [] => true,
        [word] => word == "-",
        _ => false,
    };
    if !from_stdin {
        return admit(words.join(" ").as_bytes());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed shows that it is too long, however much follows.
    let limit = MAX_BYTES as u64 + 1;
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(CliError::InputUnreadable)?;
    admit(&bytes)
}

fn missing() -> CliError {
    CliError::usage(
        "the request is empty",
        "say what you want done, e.g. silverback ask \"scale the web deployment to 5\", or pipe it in",
    )
}

fn admit(bytes: &[u8]) -> Result<String, CliError> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the request is longer than {} KiB", MAX_BYTES / 1024);
        return Err(CliError::usage(message, "send less, or several requests"));
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(CliError::usage("the request is not valid UTF-8", "save it as UTF-8 and try again"));
    };
    // Files end in a line end, and Windows' files in two characters.
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Err(missing());
    }
    if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        let message = format!("the request has the control character U+{:04X}", u32::from(control));
        return Err(CliError::usage(message, "remove it and try again"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_passes_without_its_last_line_end() {
        assert_eq!(admit("scale web\r\nto 5\n".as_bytes()).unwrap(), "scale web\nto 5");
    }

    #[test]
    fn bad_requests_say_what_is_wrong() {
        let long = vec![b'x'; MAX_BYTES + 1];
        let cases: [(&[u8], &str); 5] =
            [(b"", "empty"), (b" \n\t ", "empty"), (b"caf\xe9", "UTF-8"), (b"a\x1b[2J", "U+001B"), (&long, "16 KiB")];
        for (bytes, wanted) in cases {
            let error = admit(bytes).unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
            assert_eq!(error.exit(), crate::error::Exit::Usage);
        }
    }

    #[test]
    fn the_longest_request_passes() {
        assert!(admit(&vec![b'x'; MAX_BYTES]).is_ok());
    }
}
