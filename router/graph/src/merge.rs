//! Merging is a compiler: the answers of all steps become one list of calls that can run in its order.
//!
//! Passes, in order: **collect** the calls under their outside names (`s2-c1`), **link** them (references, the worker's own
//! order, the order of the steps), dropping what cannot be linked, **sort**, give **writers** on one resource an order, **fold**
//! reads that are asked for twice, **number** anew (`c1`, `c2`, …). Each dropped call leaves a line in `unanswered` and a
//! diagnostic. Never fails, and its result depends on the ids alone, not on who answered first.
//!
//! A reference names a call of the same answer by its own number (`c1`) and a call of an earlier step as that was given to
//! the worker (`s1-c1`). Invocations are not rewritten: whoever knows the catalogue renders them anew from the arguments.

mod duplicates;
mod links;
mod number;
mod writers;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Call, CallId, Diagnostic, Severity, Step, StepId, Unanswered, Usage, validate, validate::order_steps};

/// More calls than this in one answer are refused.
pub const MAX_CALLS: usize = 32;

/// What one specialist said about its step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Numbered from `c1` within the answer.
    pub calls: Vec<Call>,
    /// Why there is no call, or a question.
    pub unanswered: Vec<Unanswered>,
    /// The specialist's work.
    pub usage: Usage,
}

/// The calls of a plan, ready to be sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Numbered from `c1`, each behind all it waits for.
    pub calls: Vec<Call>,
    /// By step.
    pub unanswered: Vec<Unanswered>,
    /// What merging found.
    pub diagnostics: Vec<Diagnostic>,
}

/// The calls while they are being merged; `after[i]` holds the places of the calls that `calls[i]` waits for.
#[derive(Default)]
struct Sheet<'a> {
    steps: BTreeMap<StepId, &'a Step>,
    /// The steps in an order in which they can run.
    order: Vec<StepId>,
    calls: Vec<Call>,
    after: Vec<BTreeSet<usize>>,
    unanswered: Vec<Unanswered>,
    diagnostics: Vec<Diagnostic>,
}

/// What is to be said about calls once they have their numbers.
enum Remark {
    /// A read stands for another one, of `step`.
    Folded { kept: CallId, dropped: CallId, step: StepId },
    /// Two calls change `resource`.
    Writers { one: CallId, two: CallId, resource: String },
}

/// Merges the answers to these steps.
pub fn merge(steps: &[Step], answers: BTreeMap<StepId, Answer>) -> Merged {
    let mut sheet = Sheet::collect(steps, answers);
    sheet.link();
    sheet.sort();
    let mut remarks = sheet.separate_writers();
    // An order between writers can make two reads see the same world, and a folded read can show two writers to be at one.
    loop {
        let folded = sheet.fold_reads();
        if folded.is_empty() {
            break;
        }
        remarks.extend(folded);
        remarks.extend(sheet.separate_writers());
    }
    sheet.number(&remarks);
    sheet.warn_of_twins();
    sheet.finish()
}

// === impl Sheet ===

impl<'a> Sheet<'a> {
    fn collect(steps: &'a [Step], answers: BTreeMap<StepId, Answer>) -> Self {
        let steps_by_id = steps.iter().map(|step| (step.id, step)).collect();
        let mut sheet = Sheet { steps: steps_by_id, order: order_steps(steps), ..Sheet::default() };
        for fault in validate(steps).err().into_iter().flatten() {
            sheet.note(Severity::Error, "invalid-steps", &fault.to_string(), Vec::new());
        }
        for (id, answer) in answers {
            sheet.unanswered.extend(answer.unanswered);
            sheet.collect_calls(id, answer.calls);
        }
        sheet
    }

    fn collect_calls(&mut self, step: StepId, mut calls: Vec<Call>) {
        calls.sort_by_key(|call| call.id);
        let mut taken = BTreeSet::new();
        for mut call in calls {
            call.step = step;
            let call = call.seen_from_outside();
            if !self.steps.contains_key(&step) {
                self.drop_call(&call, "unknown-step", &format!("the plan has no step {step}"));
            } else if call.id.step() != Some(step) || !taken.insert(call.id) {
                self.drop_call(
                    &call,
                    "duplicate-id",
                    &format!("the worker used the id {} twice or for another step", call.id),
                );
            } else if taken.len() > MAX_CALLS {
                self.drop_call(&call, "too-many-calls", &format!("one step may have at most {MAX_CALLS} calls"));
            } else {
                self.calls.push(call);
            }
        }
    }

    /// Leaves a call out of the plan, with a reason for people and a diagnostic for programs.
    fn drop_call(&mut self, call: &Call, code: &str, reason: &str) {
        let text = self.steps.get(&call.step).map(|step| step.text.clone()).unwrap_or_default();
        let reason = format!("{}: {reason}", call.title());
        self.note(Severity::Error, code, &reason, vec![call.step.to_string()]);
        self.unanswered.push(Unanswered { text, reason, question: None, step: Some(call.step) });
    }

    fn note(&mut self, severity: Severity, code: &str, message: &str, about: Vec<String>) {
        self.diagnostics.push(Diagnostic { severity, code: code.to_owned(), message: message.to_owned(), about });
    }

    fn finish(mut self) -> Merged {
        for (call, after) in self.calls.iter_mut().zip(&self.after) {
            call.after = after.iter().map(|&place| CallId::nth(place)).collect();
        }
        self.unanswered.sort_by_key(|unanswered| unanswered.step);
        Merged { calls: self.calls, unanswered: self.unanswered, diagnostics: self.diagnostics }
    }
}

#[cfg(test)]
mod tests;
