//! Two calls that change one resource must not run side by side.
//!
//! A resource is recognised by an argument that identifies it (`Bucket`, `InstanceIds`, `name`), which is a guess from names:
//! `graph` knows no catalogue. A wrong guess costs an order edge and a note, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Remark, Sheet, duplicates::identity};
use crate::{Call, Reference, canonical_json};

/// Endings of parameter names that identify a resource, lower case, without a plural `s`.
const IDENTIFYING: [&str; 7] = ["id", "name", "arn", "identifier", "bucket", "uri", "url"];

/// Parameters that say which kind of thing, or where, a bare name belongs to.
const QUALIFYING: [&str; 3] = ["resource", "namespace", "kind"];

impl Sheet<'_> {
    /// Adds an order edge between writers on one resource that could have run side by side.
    pub(super) fn separate_writers(&mut self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let mut last_writer: BTreeMap<String, usize> = BTreeMap::new();
        for place in 0..self.calls.len() {
            if self.calls[place].effect.is_read() {
                continue;
            }
            for (resource, title) in resources(&self.calls[place]) {
                let earlier = last_writer.insert(resource, place);
                remarks.extend(earlier.and_then(|earlier| self.order_writers(earlier, place, title)));
            }
        }
        remarks
    }

    fn order_writers(&mut self, earlier: usize, later: usize, resource: String) -> Option<Remark> {
        if self.waits_for(later, earlier) {
            return None;
        }
        self.after[later].insert(earlier);
        let (one, two) = (&self.calls[earlier], &self.calls[later]);
        // Equal calls get a warning of their own.
        let are_twins = identity(one) == identity(two);
        (!are_twins).then_some(Remark::Writers { one: one.id, two: two.id, resource })
    }

    /// Edges point backwards only, so places before `earlier` need not be looked at.
    fn waits_for(&self, later: usize, earlier: usize) -> bool {
        let mut open = vec![later];
        let mut seen = BTreeSet::new();
        while let Some(place) = open.pop() {
            if place == earlier {
                return true;
            }
            open.extend(self.after[place].iter().copied().filter(|&other| other >= earlier && seen.insert(other)));
        }
        false
    }
}

/// Keys of the resources a call names, and how to call them in a message: `aws Bucket "logs"`.
fn resources(call: &Call) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in &call.arguments {
        let singular = name.trim_end_matches('s').to_lowercase();
        let Some(ending) = IDENTIFYING.iter().find(|ending| singular.ends_with(**ending)) else {
            continue;
        };
        // A bare `name` or `id` means something only within its service and kind.
        let place = if singular == **ending && *ending != "bucket" { qualifiers(call) } else { String::new() };
        for value in one_or_many(value) {
            let text = canonical_json(value);
            let shown = if Reference::read(value).is_some() { "that an earlier call makes" } else { &text };
            let title = format!("{} {name} {shown}", call.provider);
            found.insert(format!("{}{place} {singular} {text}", call.provider), title);
        }
    }
    found
}

fn qualifiers(call: &Call) -> String {
    let given = QUALIFYING.iter().filter_map(|name| call.arguments.get(*name)).map(canonical_json);
    given.fold(format!("/{}", call.service), |all, one| all + "/" + &one)
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
