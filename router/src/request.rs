//! The story of one request: admit ▶ plan ▶ dispatch ▶ merge ▶ check ▶ reply.
//!
//! Planning and dispatching overlap: a step is on its way while later ones are still being written. A specialist's calls are
//! checked as they come, before anybody sees them (`gate.rs`), and written out anew from their checked arguments when the plan
//! is whole. Nothing here acts.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use futures::FutureExt;
use silverback_dispatch::{Context, Dispatcher};
use silverback_graph::{Answer, Plan, PlanUsage, Step, StepId, Unanswered, Usage, merge};
use silverback_planner::{Planned, PlannerError, plan};
use silverback_proto::v1;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    RouterError,
    admit::{Request, admit},
    config::RouterLimits,
    gate::CatalogueGate,
    general::Generals,
    pool::Pool,
    tools::Conversation,
    wire::ClientSink,
    workers::Workers,
};

/// Events on their way from the steps to a client; more than this and progress is left out.
const EVENT_BUFFER: usize = 64;

/// Everything a request passes through.
pub struct RequestPath {
    pub(crate) workers: Workers,
    pub(crate) generals: Generals,
    pub(crate) tools: Pool,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) gate: Arc<CatalogueGate>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) limits: RouterLimits,
}

/// What planning and dispatching made of a request.
struct Answered {
    steps: Vec<Step>,
    answers: BTreeMap<StepId, Answer>,
    /// What the planner left out.
    unanswered: Vec<Unanswered>,
    usage: Usage,
}

// === impl RequestPath ===

impl RequestPath {
    /// Answers a request with a checked plan. Dropping the future cancels all work on it.
    pub(crate) async fn answer(&self, ask: v1::AskRequest, client: &ClientSink) -> Result<Plan, RouterError> {
        let request = admit(ask)?;
        let max_requests = self.limits.max_requests;
        let _place = self.places.try_acquire().map_err(|_| RouterError::Overloaded { max_requests })?;
        let deadline = self.limits.request_deadline;
        let answered = timeout(deadline, self.make_plan(&request, client)).await;
        answered.unwrap_or(Err(RouterError::DeadlineExceeded { deadline }))
    }

    /// Answers a conversation with calls of the tools that it brings; dropping it cancels the work.
    pub(crate) fn tools(&self, request: v1::CallToolsRequest) -> Result<Conversation, RouterError> {
        let max_requests = self.limits.max_requests;
        let place = self.places.clone().try_acquire_owned().map_err(|_| RouterError::Overloaded { max_requests })?;
        Ok(Conversation::new(self.tools.clone(), request, self.limits.request_deadline, place))
    }

    async fn make_plan(&self, request: &Request, client: &ClientSink) -> Result<Plan, RouterError> {
        let started = Instant::now();
        let answered = self.plan_and_dispatch(request, client).await?;
        let usage = answered.answers.iter().map(|(step, answer)| (*step, answer.usage)).collect();
        let mut merged = merge(&answered.steps, answered.answers);
        merged.unanswered.extend(answered.unanswered);
        self.gate.write_out(&mut merged).await;
        let mut plan = Plan::seal(answered.steps, merged);
        let total_ms = started.elapsed().as_secs_f64() * 1000.0;
        plan.usage = PlanUsage { total_ms, plan: answered.usage, steps: usage };
        let (calls, unanswered) = (plan.calls.len(), plan.unanswered.len());
        info!(request = %request.id, plan = %plan.id, calls, unanswered, total_ms, "planned");
        Ok(plan)
    }

    /// Plans and dispatches side by side.
    async fn plan_and_dispatch(&self, request: &Request, client: &ClientSink) -> Result<Answered, RouterError> {
        if self.workers.capabilities().is_empty() {
            return Err(if self.workers.is_known() { RouterError::NoSpecialist } else { RouterError::RegistryAway });
        }
        client.stage("plan").await;
        let counted = self.generals.pool.enter().await?;
        let capabilities = self.workers.capabilities();
        let context = Context { request: request.id.clone(), text: request.text.clone(), today: request.today.clone() };
        let (written, steps_written) = mpsc::unbounded_channel();
        let (ready, steps_ready) = mpsc::unbounded_channel();
        let (sink, step_events) = mpsc::channel(EVENT_BUFFER);
        let dispatched = async {
            let answers = self.dispatcher.answer_steps(&context, steps_ready, &sink).await;
            drop(sink);
            answers
        };
        let (planned, steps, answers, ()) = tokio::join!(
            plan(&self.generals, &request.text, &capabilities, written).inspect(move |_| drop(counted)),
            announce_steps(steps_written, ready, client),
            dispatched,
            forward_events(step_events, client),
        );
        let planned = planned.or_else(|error| keep_what_is_there(request, &steps, error))?;
        Ok(Answered { steps, answers, unanswered: planned.unanswered, usage: planned.usage })
    }
}

/// A planner that is lost half-way must not take the finished steps with it.
fn keep_what_is_there(request: &Request, steps: &[Step], error: PlannerError) -> Result<Planned, RouterError> {
    if steps.is_empty() {
        return Err(RouterError::PlanFailed { source: error });
    }
    warn!(request = %request.id, %error, steps = steps.len(), "planning broke off");
    let reason = format!("planning broke off after {} steps ({error}); ask again for what is missing", steps.len());
    let rest = Unanswered { text: request.text.clone(), reason, ..Unanswered::default() };
    Ok(Planned { unanswered: vec![rest], ..Planned::default() })
}

/// Shows each step to the client and passes it on; gives all of them in the end.
async fn announce_steps(
    mut written: mpsc::UnboundedReceiver<Step>,
    ready: mpsc::UnboundedSender<Step>,
    client: &ClientSink,
) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = written.recv().await {
        client.planned(&step).await;
        steps.push(step.clone());
        // The dispatcher reads until this sender is dropped.
        let _ = ready.send(step);
    }
    steps
}

async fn forward_events(mut events: mpsc::Receiver<silverback_dispatch::StepEvent>, client: &ClientSink) {
    while let Some(event) = events.recv().await {
        client.step(event).await;
    }
}
