//! The OpenAI-compatible HTTP edge: `POST /v1/chat/completions` and `GET /v1/models`, for clients that know no gRPC.
//!
//! With `tools` a conversation goes to a worker of capability `tools`, which calls them under a grammar of their schemas. Without, the last
//! user message is a request to the router and the answer's content is the plan document. Nothing is run here either. Wire format: OpenAI's
//! API reference of 2025, as its Python client 1.x and 2.x speak it. Start at [`complete`].

mod error;
mod reply;
mod request;
mod stream;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::{
    error::{Refusal, refuse},
    reply::Reply,
    request::{Asked, ChatRequest},
};
use crate::{RequestPath, RouterError, tools::Conversation, wire::ClientSink};

/// Bytes of a request; tools and conversation have limits of 256 KiB each behind it.
const MAX_BODY_BYTES: usize = 2 << 20;

/// The model's name on the wire; any other is taken too, since agents bring their own.
const MODEL: &str = "silverback";

/// Serves until `stop`; gives the address with the port it got.
///
/// # Errors
/// The address is taken.
pub(crate) async fn serve(
    listen: SocketAddr,
    path: Arc<RequestPath>,
    stop: CancellationToken,
) -> Result<SocketAddr, RouterError> {
    let failed = |source| RouterError::ListenFailed { address: listen, source, flag: "--http" };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let edge = Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(list_models))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(path);
    tokio::spawn(async move {
        let served = axum::serve(listener, edge).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            warn!(%error, "the HTTP edge ended");
        }
    });
    info!(%address, "HTTP edge serves");
    Ok(address)
}

/// One chat completion.
async fn complete(
    State(path): State<Arc<RequestPath>>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Refusal> {
    let body = body.map_err(|rejection| refuse(format!("{rejection}; at most {MAX_BODY_BYTES} bytes are read")))?;
    // A page in a browser can post text anywhere without asking; JSON it cannot.
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return Err(refuse("the content-type must be application/json".to_owned()));
    }
    let request = ChatRequest::read(&body)?;
    let (streams, model) = (request.stream, request.model.clone());
    let with_usage = request.with_usage();
    match request.admit()? {
        Asked::Tools(conversation) => {
            let conversation = path.tools(conversation)?;
            if streams {
                return Ok(stream::of_tools(conversation, model, with_usage).into_response());
            }
            Ok(Json(collect(conversation, &model).await?).into_response())
        }
        Asked::Plan(ask) => {
            let plan = path.answer(ask, &ClientSink::deaf()).await?;
            let reply = Reply::of_plan(&plan);
            if streams {
                return Ok(stream::of_reply(reply, model, with_usage).into_response());
            }
            Ok(Json(reply.document(&model)).into_response())
        }
    }
}

async fn collect(mut conversation: Conversation, model: &str) -> Result<serde_json::Value, Refusal> {
    let mut reply = Reply::default();
    while let Some(event) = conversation.next().await.map_err(|status| Refusal::of(&status))? {
        reply.take(event);
    }
    Ok(reply.document(model))
}

async fn list_models() -> Json<serde_json::Value> {
    let model = json!({"id": MODEL, "object": "model", "created": 0, "owned_by": "silverback"});
    Json(json!({"object": "list", "data": [model]}))
}

async fn unknown() -> Refusal {
    Refusal::of(
        &silverback_proto::ErrorCode::NotFound
            .status("there is no such path; there are POST /v1/chat/completions and GET /v1/models"),
    )
}

/// What the model's name is when a request gives none.
fn default_model() -> String {
    MODEL.to_owned()
}
