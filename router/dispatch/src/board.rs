//! Which steps wait, which run, which are answered. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use silverback_graph::{Answer, Call, MAX_STEPS, Step, StepId, Unanswered};

/// The steps of one request.
#[derive(Default)]
pub(crate) struct Board {
    known: BTreeSet<StepId>,
    waiting: Vec<Step>,
    answers: BTreeMap<StepId, Answer>,
    /// What had no place, by the id it came with.
    refused: Vec<(StepId, Unanswered)>,
}

// === impl Board ===

impl Board {
    /// Takes one more step; says why when it can have no place.
    pub(crate) fn add(&mut self, step: Step) -> Option<Unanswered> {
        let reason = if self.known.len() >= MAX_STEPS {
            format!("a plan has at most {MAX_STEPS} steps; ask for less at once")
        } else if self.known.insert(step.id) {
            self.waiting.push(step);
            return None;
        } else {
            format!("the plan has two steps {}", step.id)
        };
        let unanswered = Unanswered::of_step(&step, reason);
        self.refused.push((step.id, unanswered.clone()));
        Some(unanswered)
    }

    /// Takes the steps that can start: all they come after are answered, with calls or without.
    ///
    /// A step behind a failed one starts too: the planner draws needless edges, and a specialist that misses a reference asks for it.
    pub(crate) fn take_ready(&mut self) -> Vec<Step> {
        let is_ready = |step: &mut Step| step.after.iter().all(|after| self.answers.contains_key(after));
        self.waiting.extract_if(.., is_ready).collect()
    }

    /// Calls of the steps that `step` comes after, as seen from outside their steps (`s1-c1`).
    pub(crate) fn earlier(&self, step: &Step) -> Vec<Call> {
        let answers = step.after.iter().filter_map(|after| self.answers.get(after));
        answers.flat_map(|answer| &answer.calls).map(Call::seen_from_outside).collect()
    }

    pub(crate) fn finish(&mut self, step: StepId, answer: Answer) {
        self.answers.insert(step, answer);
    }

    /// Gives up what can never start, when no more steps come and none is running.
    pub(crate) fn give_up(&mut self) -> Vec<Unanswered> {
        let stuck = std::mem::take(&mut self.waiting);
        let give_up = |step: &Step| {
            let missing: Vec<_> = step.after.iter().filter(|after| !self.answers.contains_key(after)).collect();
            let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
            Unanswered::of_step(step, format!("it waits for {}, which is never answered", names.join(", ")))
        };
        let unanswered: Vec<_> = stuck.iter().map(give_up).collect();
        for (step, unanswered) in stuck.iter().zip(&unanswered) {
            self.answers.insert(step.id, Answer { unanswered: vec![unanswered.clone()], ..Answer::default() });
        }
        unanswered
    }

    pub(crate) fn into_answers(self) -> BTreeMap<StepId, Answer> {
        let mut answers = self.answers;
        for (step, unanswered) in self.refused {
            answers.entry(step).or_default().unanswered.push(unanswered);
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: usize, after: &[usize]) -> Step {
        let id = |number: usize| StepId::nth(number - 1);
        Step {
            id: id(number),
            capability: "aws".into(),
            text: format!("text {number}"),
            after: after.iter().map(|number| id(*number)).collect(),
        }
    }

    fn ready(board: &mut Board) -> Vec<String> {
        board.take_ready().iter().map(|step| step.id.to_string()).collect()
    }

    #[test]
    fn a_step_starts_when_all_before_it_are_answered() {
        let mut board = Board::default();
        board.add(step(3, &[1, 2]));
        board.add(step(1, &[]));
        board.add(step(2, &[]));
        assert_eq!(ready(&mut board), ["s1", "s2"]);
        board.finish(StepId::nth(1), Answer::default());
        assert!(ready(&mut board).is_empty());
        board.finish(StepId::nth(0), Answer::default());
        assert_eq!(ready(&mut board), ["s3"]);
        assert!(board.give_up().is_empty());
    }

    #[test]
    fn steps_in_a_circle_are_given_up_with_the_reason() {
        let mut board = Board::default();
        board.add(step(1, &[2]));
        board.add(step(2, &[1]));
        board.add(step(3, &[9]));
        assert!(ready(&mut board).is_empty());
        let reasons: Vec<_> = board.give_up().into_iter().map(|unanswered| unanswered.reason).collect();
        assert!(reasons[0].contains("waits for s2"), "{}", reasons[0]);
        assert!(reasons[2].contains("waits for s9"), "{}", reasons[2]);
        assert_eq!(board.into_answers().len(), 3);
    }

    #[test]
    fn a_second_step_of_one_id_and_a_33rd_step_are_refused() {
        let mut board = Board::default();
        for number in 1..=MAX_STEPS {
            board.add(step(number, &[]));
        }
        assert!(board.add(step(33, &[])).unwrap().reason.contains("at most 32"));
        assert!(board.into_answers()[&StepId::nth(32)].unanswered[0].reason.contains("at most 32"));
        let mut board = Board::default();
        board.add(step(1, &[]));
        board.add(step(1, &[]));
        board.finish(StepId::nth(0), Answer::default());
        assert!(board.into_answers()[&StepId::nth(0)].unanswered[0].reason.contains("two steps s1"));
    }
}
