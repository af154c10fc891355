//! Bytes of tokens to text that can be shown: no half characters, nothing of a stop string.

/// Collects bytes and releases text as soon as it is certain.
pub(crate) struct TextStream {
    stops: Vec<String>,
    /// Bytes that do not end on a character yet.
    bytes: Vec<u8>,
    /// Text that may be the beginning of a stop string.
    held: String,
    stopped: bool,
}

// === impl TextStream ===

impl TextStream {
    /// Empty stop strings are ignored: they would stop everything.
    pub(crate) fn new(stops: Vec<String>) -> Self {
        let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        Self { stops, bytes: Vec::new(), held: String::new(), stopped: false }
    }

    /// Was a stop string seen? Nothing after its beginning is released.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Takes the bytes of one token; gives the text that is certain now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        if self.stopped {
            return String::new();
        }
        self.bytes.extend_from_slice(bytes);
        self.decode(false);
        self.release()
    }

    /// Gives what was held back when nothing more comes.
    pub(crate) fn finish(&mut self) -> String {
        if self.stopped {
            return String::new();
        }
        self.decode(true);
        std::mem::take(&mut self.held)
    }

    /// Moves whole characters from `bytes` to `held`; what can never become one turns into U+FFFD.
    fn decode(&mut self, is_last: bool) {
        loop {
            let error = match std::str::from_utf8(&self.bytes) {
                Ok(text) => {
                    self.held.push_str(text);
                    self.bytes.clear();
                    return;
                }
                Err(error) => error,
            };
            let valid = error.valid_up_to();
            self.held.push_str(&String::from_utf8_lossy(&self.bytes[..valid]));
            let bad = error.error_len().or((is_last).then_some(self.bytes.len() - valid));
            self.bytes.drain(..valid + bad.unwrap_or(0));
            if bad.is_none() {
                return;
            }
            self.held.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn release(&mut self) -> String {
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            self.stopped = true;
            self.held.truncate(at);
            return std::mem::take(&mut self.held);
        }
        let may_begin = |at: &usize| self.stops.iter().any(|stop| stop.starts_with(&self.held[*at..]));
        let boundary = self.held.char_indices().map(|(at, _)| at).find(may_begin).unwrap_or(self.held.len());
        let rest = self.held.split_off(boundary);
        std::mem::replace(&mut self.held, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn holds_back_half_a_character() {
        let mut stream = TextStream::new(vec![]);
        assert_eq!(stream.push(&"é".as_bytes()[..1]), "");
        assert_eq!(stream.push(&"é".as_bytes()[1..]), "é");
    }

    #[test]
    fn releases_a_false_beginning_of_a_stop_string() {
        let mut stream = TextStream::new(vec!["\n\n".into()]);
        assert_eq!(stream.push(b"a\n"), "a");
        assert_eq!(stream.push(b"b"), "\nb");
        assert_eq!(stream.push(b"\n"), "");
        assert_eq!(stream.push(b"\nrest"), "");
        assert!(stream.is_stopped());
        assert_eq!(stream.finish(), "");
    }

    proptest! {
        #[test]
        fn without_stops_the_text_is_that_of_all_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 1usize..5) {
            let mut stream = TextStream::new(vec![]);
            let mut text: String = bytes.chunks(cut).map(|piece| stream.push(piece)).collect();
            text += &stream.finish();
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn ends_before_the_first_stop(text in "[ab]{0,12}", stop in "[ab]{1,3}") {
            let mut stream = TextStream::new(vec![stop.clone()]);
            let mut shown: String = text.bytes().map(|byte| stream.push(&[byte])).collect();
            shown += &stream.finish();
            prop_assert_eq!(shown, text.split(&stop).next().unwrap());
            prop_assert_eq!(stream.is_stopped(), text.contains(&stop));
        }
    }
}
