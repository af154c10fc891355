//! Talks to a router.

use std::time::Duration;

use silverback_graph::Plan;
use silverback_proto::v1::{AskRequest, plan_event::Event, router_service_client::RouterServiceClient};
use tonic::transport::{Channel, Endpoint};

use super::tree::View;
use crate::error::CliError;

/// A plan of 32 steps with large arguments stays below this; more is not from our router.
const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// How long to wait for a router to answer.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// A person named it: it should be there.
    Named,
    /// It is only the usual address: look and go on.
    Guessed,
}

/// Connects to a router at `HOST:PORT` or `http://HOST:PORT`.
pub async fn connect(address: &str, patience: Patience) -> Result<Channel, CliError> {
    let url = if address.starts_with("http://") { address.to_owned() } else { format!("http://{address}") };
    let unreachable = |reason: String| CliError::RouterUnreachable { address: address.to_owned(), reason };
    let timeout = match patience {
        Patience::Named => Duration::from_secs(5),
        Patience::Guessed => Duration::from_millis(300),
    };
    let endpoint = Endpoint::from_shared(url).map_err(|error| unreachable(error.to_string()))?;
    let endpoint = endpoint.connect_timeout(timeout);
    endpoint.connect().await.map_err(|error| unreachable(innermost(&error)))
}

/// What "today" means to the person at this terminal; a router elsewhere would count in UTC.
fn local_today() -> String {
    jiff::ZonedDateTime::now().date().to_string()
}

/// Asks, shows what happens, and gives the plan.
pub async fn ask(router: Channel, text: String, today: Option<String>, mut view: View) -> Result<Plan, CliError> {
    let mut client = RouterServiceClient::new(router).max_decoding_message_size(MAX_REPLY_BYTES);
    let request = AskRequest { text, today: today.unwrap_or_else(local_today) };
    let mut events = client.ask_stream(request).await?.into_inner();
    loop {
        let event = tokio::select! {
            event = events.message() => event?,
            () = view.tick() => continue,
        };
        match event.and_then(|event| event.event) {
            Some(Event::Merged(plan)) => {
                view.clear();
                return Plan::try_from(plan).map_err(|error| CliError::AnswerUnusable(error.to_string()));
            }
            Some(event) => view.show(&event),
            None => {
                view.clear();
                return Err(CliError::AnswerUnusable("it ended before the plan was complete".to_owned()));
            }
        }
    }
}

/// The last cause: tonic's own text is only "transport error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
