//! The searchable fields of one operation.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{split_name, split_text, term};
use crate::operation::Operation;
use crate::pack::Posting;

/// Words in titles that every service of a vendor has.
pub(super) const GENERIC_TITLE_WORDS: &[&str] = &["amazon", "aws", "service", "api"];

/// An operation cut into terms by field.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    name: Vec<String>,
    words: Vec<String>,
    summary: Vec<String>,
    parameters: BTreeSet<String>,
    service: BTreeSet<String>,
}

// === impl Fields ===

impl Fields {
    /// Cuts an operation; `title` is what people call its service.
    pub fn of(operation: &Operation, title: &str) -> Self {
        let mut service: BTreeSet<String> = terms(split_text(&operation.service));
        let title_words = split_text(title).into_iter().filter(|word| !GENERIC_TITLE_WORDS.contains(&word.as_str()));
        service.extend(terms::<BTreeSet<_>>(title_words));
        let mut words: Vec<String> =
            operation.words.iter().flat_map(|text| terms::<Vec<_>>(split_text(text))).collect();
        let mut parameters = BTreeSet::new();
        for (name, schema) in operation.properties() {
            if schema.get("x-never").is_some() {
                continue;
            }
            parameters.extend(terms::<Vec<_>>(split_name(name)));
            let further = schema.get("x-words").and_then(|words| words.as_array()).into_iter().flatten();
            words.extend(further.filter_map(|word| word.as_str()).flat_map(|word| terms::<Vec<_>>(split_text(word))));
        }
        Self {
            name: split_name(&operation.name).iter().map(|word| super::stem(word).into_owned()).collect(),
            words,
            summary: terms(split_text(&operation.summary)),
            parameters,
            service,
        }
    }

    /// Lengths of name, words, summary, parameters; 255 stands for more.
    pub fn lengths(&self) -> [u8; 4] {
        [self.name.len(), self.words.len(), self.summary.len(), self.parameters.len()]
            .map(|length| length.min(255) as u8)
    }

    /// Each term with its counts, in the order of the terms.
    pub fn postings(&self) -> BTreeMap<String, Posting> {
        let mut postings: BTreeMap<String, Posting> = BTreeMap::new();
        for (field, list) in [&self.name, &self.words, &self.summary].into_iter().enumerate() {
            for term in list {
                let counts = &mut postings.entry(term.clone()).or_default().counts;
                counts[field] = counts[field].saturating_add(1);
            }
        }
        for term in &self.service {
            postings.entry(term.clone()).or_default().in_service = true;
        }
        for term in &self.parameters {
            postings.entry(term.clone()).or_default().in_parameters = true;
        }
        postings
    }
}

fn terms<C: FromIterator<String>>(words: impl IntoIterator<Item = String>) -> C {
    words.into_iter().filter_map(|word| term(&word)).collect()
}
