//! Lets a request in, or says what is wrong with it.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use silverback_proto::v1;

use crate::RouterError;

/// More text than this is no request but a document.
const MAX_BYTES: usize = 16 * 1024;

/// A request that may be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `r_…`, unique; in every log line.
    pub id: String,
    /// 1 byte to 16 KiB, with no control characters but tab and newline.
    pub text: String,
    /// `YYYY-MM-DD`, what relative dates mean.
    pub today: String,
}

/// Checks a request and gives it its id.
///
/// # Errors
/// `AdmitFailed`, with one line that says what to do.
pub fn admit(ask: v1::AskRequest) -> Result<Request, RouterError> {
    let text = ask.text.replace("\r\n", "\n");
    let bytes = text.len();
    let control = text.chars().find(|sign| sign.is_control() && *sign != '\t' && *sign != '\n');
    if bytes > MAX_BYTES {
        return refuse(format!("the request has {bytes} bytes; say it in at most {MAX_BYTES}"));
    }
    if let Some(control) = control {
        return refuse(format!("the request has the control character U+{:04X}; send plain text", u32::from(control)));
    }
    if text.trim().is_empty() {
        return refuse("the request is empty; say in words what you want done".to_owned());
    }
    let today = if ask.today.is_empty() { utc_today() } else { ask.today };
    if !is_date(&today) {
        return refuse(format!(
            "\"today\" is {}; write a date like 2026-04-21",
            today.escape_debug().take(40).collect::<String>()
        ));
    }
    Ok(Request { id: format!("r_{:016x}", rand::random::<u64>()), text, today })
}

fn refuse<T>(reason: String) -> Result<T, RouterError> {
    Err(RouterError::AdmitFailed { reason })
}

/// An existing day as `YYYY-MM-DD` (RFC 3339 `full-date`) and in no other spelling.
fn is_date(text: &str) -> bool {
    text.parse::<Date>().is_ok_and(|date| date.to_string() == text)
}

/// Why UTC: the router may stand on another continent than the person; who cares sends `today`.
fn utc_today() -> String {
    Timestamp::now().to_zoned_datetime(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admitted(text: &str) -> Result<Request, RouterError> {
        admit(v1::AskRequest { text: text.into(), today: "2026-11-22".into() })
    }

    fn reason(text: &str) -> String {
        admitted(text).unwrap_err().to_string()
    }

    #[test]
    fn each_bad_request_is_told_what_to_do() {
        assert!(reason("").contains("is empty; say"));
        assert!(reason(" \n\t ").contains("is empty; say"));
        assert!(reason("a\x1b[2Jb").contains("U+001B; send plain text"));
        assert!(reason("a\0").contains("U+0000"));
        assert!(reason("a\u{85}").contains("U+0085"));
        assert!(reason(&"x".repeat(MAX_BYTES + 1)).contains("16385 bytes; say it in at most 16384"));
        assert!(reason(&"x".repeat(1 << 20)).contains("1048576 bytes"));
    }

    #[test]
    fn ordinary_text_of_any_script_passes() {
        let request = admitted("Starte die Instanz\tund\r\n再起動 🦍").unwrap();
        assert_eq!(request.text, "Starte die Instanz\tund\n再起動 🦍");
        assert!(admitted(&"x".repeat(MAX_BYTES)).is_ok());
        assert_ne!(admitted("a").unwrap().id, admitted("a").unwrap().id);
    }

    #[test]
    fn only_days_that_exist_are_dates() {
        for good in ["2026-11-22", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "",
            "2026-13-01",
            "2025-02-29",
            "1900-02-29",
            "2026-1-1",
            "2026-00-10",
            "22.11.2026",
            "2026-11-22T00:00Z",
            "+026-01-01",
            "20261122",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_admitted_keeps_the_promise(text in ".{0,80}|[\\x00-\\x20]{0,4}") {
            if let Ok(request) = admitted(&text) {
                prop_assert!(!request.text.trim().is_empty());
                prop_assert!(request.text.chars().all(|sign| !sign.is_control() || sign == '\t' || sign == '\n'));
            }
        }
    }
}
