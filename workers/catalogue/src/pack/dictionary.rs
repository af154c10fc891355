//! A sorted table of texts with a number each: bytes that are looked at where they lie.
//!
//! ```text
//! count u32 · ends of the texts u32 each · numbers u32 each · the texts, ascending
//! ```
//! Not `fst`: its maps are a quarter of the size but panic on bytes that somebody made up, and packs come from workers.

use std::collections::BTreeMap;

use super::format::le_u32;

/// Read by binary search; every access is within bounds whatever the bytes say.
#[derive(Debug)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    count: usize,
}

/// The bytes of a dictionary.
pub(super) fn encode<'a>(entries: &BTreeMap<&'a str, u32>) -> Vec<u8> {
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    let mut end = 0u32;
    for text in entries.keys() {
        end += text.len() as u32;
        bytes.extend_from_slice(&end.to_le_bytes());
    }
    entries.values().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    entries.keys().for_each(|text: &&'a str| bytes.extend_from_slice(text.as_bytes()));
    bytes
}

// === impl Dictionary ===

impl Dictionary {
    /// `None` when the bytes are too few for what they say.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let count = le_u32(&bytes, 0)? as usize;
        let dictionary = Self { bytes, count };
        let texts = dictionary.texts_at();
        let end = if count == 0 { 0 } else { dictionary.end(count - 1)? };
        (texts.checked_add(end)? == dictionary.bytes.len()).then_some(dictionary)
    }

    /// The number of a text.
    pub fn get(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.text(middle)?.cmp(text.as_bytes()) {
                std::cmp::Ordering::Equal => return le_u32(&self.bytes, 4 + (self.count + middle) * 4),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn text(&self, at: usize) -> Option<&[u8]> {
        let texts = self.texts_at();
        let start = if at == 0 { 0 } else { self.end(at - 1)? };
        self.bytes.get(texts + start..texts + self.end(at)?)
    }

    fn end(&self, at: usize) -> Option<usize> {
        Some(le_u32(&self.bytes, 4 + at * 4)? as usize)
    }

    fn texts_at(&self) -> usize {
        4 + self.count * 8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_is_found_and_nothing_else(entries: BTreeMap<String, u32>, other: String) {
            let borrowed = entries.iter().map(|(text, number)| (text.as_str(), *number)).collect();
            let dictionary = Dictionary::new(encode(&borrowed)).unwrap();
            for (text, number) in &entries {
                prop_assert_eq!(dictionary.get(text), Some(*number));
            }
            prop_assert_eq!(dictionary.get(&other), entries.get(&other).copied());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, count in 0u32..9, text: String) {
            let mut all = count.to_le_bytes().to_vec();
            all.extend(bytes);
            if let Some(dictionary) = Dictionary::new(all) {
                dictionary.get(&text);
            }
        }
    }
}
