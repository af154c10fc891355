//! Asks one worker for the calls of one step and reads its events.

use std::future::Future;

use silverback_graph::{Answer, Call, MAX_CALLS, Unanswered};
use silverback_proto::v1::{self, answer_event::Event, specialist_service_client::SpecialistServiceClient};
use tokio::time::timeout;
use tonic::{Request, Status, transport::Channel};

use crate::{DispatchConfig, DispatchError, balance::Attempt, directory::Worker, event::StepEvent};

/// Events of one answer; a worker that sends more is broken.
const MAX_EVENTS: usize = 10_000;

/// Words from a worker that people will read, in characters.
const MAX_LINE: usize = 500;

/// The answer of one worker, unchecked.
pub(crate) async fn ask(
    worker: &Worker,
    channel: Channel,
    attempt: &Attempt,
    config: &DispatchConfig,
) -> Result<Answer, DispatchError> {
    let mut reading = Reading { worker, attempt, answer: Answer::default() };
    reading.report_stage(String::new());
    let mut client = SpecialistServiceClient::new(channel).max_decoding_message_size(config.max_message_bytes);
    let mut request = Request::new(v1::AnswerRequest::clone(&attempt.request));
    // The worker need not go on when nobody waits any more.
    request.set_timeout(config.step_deadline);
    let mut events = reading.within_silence(config, client.answer(request)).await?.into_inner();
    for _ in 0..MAX_EVENTS {
        match reading.within_silence(config, events.message()).await?.and_then(|event| event.event) {
            Some(Event::Done(done)) => return Ok(reading.finish(done)),
            Some(event) => reading.take(event)?,
            None => {
                let source = Box::new(Status::unknown("the answer ended before it was complete"));
                return Err(DispatchError::WorkerLost { worker: worker.id.clone(), source });
            }
        }
    }
    Err(reading.bad_answer(format!("more than {MAX_EVENTS} events")))
}

/// One line that cannot move a terminal's cursor.
fn clean(text: &str) -> String {
    text.chars().take(MAX_LINE).map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

/// An answer while it comes in.
struct Reading<'a> {
    worker: &'a Worker,
    attempt: &'a Attempt,
    answer: Answer,
}

// === impl Reading ===

impl Reading<'_> {
    /// Waits for the worker's next sign of life.
    async fn within_silence<T>(
        &self,
        config: &DispatchConfig,
        sign: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, DispatchError> {
        let silent = |_| DispatchError::WorkerSilent { worker: self.worker.id.clone(), silence: config.silence };
        let result = timeout(config.silence, sign).await.map_err(silent)?;
        result.map_err(|status| DispatchError::from_status(&self.worker.id, status))
    }

    fn take(&mut self, event: Event) -> Result<(), DispatchError> {
        match event {
            Event::Stage(stage) => self.report_stage(clean(&stage)),
            Event::Call(call) => self.take_call(call)?,
            Event::NeedsInput(needs) => {
                let operation = format!("{} {} {}", needs.provider, needs.service, needs.operation);
                let reason = format!("needs_input: {} of {}", needs.parameters.join(", "), operation.trim());
                self.leave_unanswered(&reason, Some(&needs.question));
            }
            Event::Refused(refused) => self.leave_unanswered(&refused.reason, None),
            Event::Done(_) => {}
        }
        Ok(())
    }

    fn take_call(&mut self, mut call: v1::Call) -> Result<(), DispatchError> {
        // The step is ours to say: a worker knows it only from us.
        call.step = self.attempt.step.to_string();
        let call = Call::try_from(call).map_err(|error| self.bad_answer(error.to_string()))?;
        if self.answer.calls.len() >= MAX_CALLS {
            return Err(self.bad_answer(format!("more than {MAX_CALLS} calls")));
        }
        self.answer.calls.push(call);
        Ok(())
    }

    fn leave_unanswered(&mut self, reason: &str, question: Option<&str>) {
        let text = self.attempt.request.step.as_ref().map(|step| step.text.clone()).unwrap_or_default();
        let question = question.filter(|question| !question.is_empty()).map(clean);
        self.answer.unanswered.push(Unanswered {
            text,
            reason: clean(reason),
            question,
            step: Some(self.attempt.step),
        });
    }

    /// Progress is dropped rather than waited for when the client reads slowly.
    fn report_stage(&self, stage: String) {
        let (worker, attempt) = (self.worker.id.clone(), self.attempt.number());
        let _ = self.attempt.events.try_send(StepEvent::Started { step: self.attempt.step, worker, attempt, stage });
    }

    fn bad_answer(&self, reason: String) -> DispatchError {
        DispatchError::BadAnswer { worker: self.worker.id.clone(), reason: clean(&reason) }
    }

    fn finish(mut self, done: v1::AnswerDone) -> Answer {
        if self.answer.calls.is_empty() && self.answer.unanswered.is_empty() {
            self.leave_unanswered("the specialist found no call for this", None);
        }
        self.answer.usage = done.usage.unwrap_or_default().into();
        self.answer
    }
}
