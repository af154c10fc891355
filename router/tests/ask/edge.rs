//! The gRPC edge: bad input, overload, who is there, and the end.

use silverback_proto::{CodedStatus, ErrorCode, v1};
use silverback_router::{Router, RouterError};
use tonic::{Status, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    double::{Double, Script},
    troop::{Troop, all_events, ask, connect, eventually, soon},
};

/// An `AskRequest` whose text need not be UTF-8.
#[derive(Clone, PartialEq, prost::Message)]
struct RawAsk {
    #[prost(bytes = "vec", tag = "1")]
    text: Vec<u8>,
}

async fn ask_raw(channel: Channel, text: &[u8]) -> Status {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/silverback.v1.RouterService/Ask");
    let codec: ProstCodec<RawAsk, v1::Plan> = ProstCodec::default();
    client.unary(tonic::Request::new(RawAsk { text: text.to_vec() }), path, codec).await.unwrap_err()
}

#[tokio::test]
async fn bad_requests_are_the_requests_fault_and_say_what_to_do() {
    let troop = Troop::new().await;
    let (router, mut client) = troop.router().await;
    let megabyte = "x".repeat(1 << 20);
    for (text, expected) in [("", "is empty"), ("a\x07b", "U+0007"), (&megabyte, "1048576 bytes")] {
        let status = soon(client.ask(ask(text))).await.unwrap_err();
        assert_eq!(status.error_code(), ErrorCode::InvalidRequest);
        assert!(status.message().contains(expected), "{}", status.message());
        let status = soon(all_events(&mut client, text)).await.unwrap_err();
        assert_eq!(status.error_code(), ErrorCode::InvalidRequest);
    }
    let channel = connect(&router).await;
    let status = soon(ask_raw(channel, b"stop \xff\xfe")).await;
    assert_eq!(status.error_code(), ErrorCode::InvalidRequest);
    assert!(status.message().contains("not UTF-8"), "{}", status.message());
}

#[tokio::test]
async fn a_full_router_says_when_to_ask_again() {
    let mut troop = Troop::new().await;
    let mut script = Script::plan(&["one thing", "another"]);
    script.text_holds_at = Some(0);
    let (general, aws) = (Double::start(script), Double::start(Script::default()));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let mut config = troop.config(troop.folder.path());
    config.limits.max_requests = 1;
    let (_router, mut client) = troop.router_with(config).await;
    let mut first = soon(client.ask_stream(ask("one thing, and another"))).await.unwrap().into_inner();
    soon(first.message()).await.unwrap();
    let status = soon(client.ask(ask("one thing, and another"))).await.unwrap_err();
    assert_eq!(status.error_code(), ErrorCode::Exhausted);
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1000");
    drop(first);
    general.release();
    let waiting = async { while soon(client.ask(ask("one thing, and another"))).await.is_err() {} };
    soon(waiting).await;
}

#[tokio::test]
async fn workers_health_and_reflection_can_be_asked() {
    let mut troop = Troop::new().await;
    let double = Double::start(Script::default());
    troop.announce("g", "plan", &double).await;
    troop.announce("a", "aws/s3", &double).await;
    let (router, mut client) = troop.router().await;
    let reply = soon(client.list_workers(v1::ListWorkersRequest {})).await.unwrap().into_inner();
    let found: Vec<_> = reply.workers.iter().map(|worker| (worker.id.as_str(), worker.capability.as_str())).collect();
    assert_eq!(found, [("a", "aws/s3"), ("g", "plan")]);
    assert!(reply.snapshot_age_ms < 60_000);
    let channel = connect(&router).await;
    let service = HealthCheckRequest { service: "silverback.v1.RouterService".into() };
    let health = soon(HealthClient::new(channel.clone()).check(service)).await.unwrap();
    assert_eq!(health.get_ref().status(), ServingStatus::Serving);
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = tokio_stream::iter([list]);
    let mut replies =
        soon(ServerReflectionClient::new(channel).server_reflection_info(requests)).await.unwrap().into_inner();
    let reply = soon(replies.message()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = reply.message_response else { panic!("{reply:?}") };
    assert!(services.service.iter().any(|service| service.name == "silverback.v1.RouterService"));
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let troop = Troop::new().await;
    let (router, _client) = troop.router().await;
    let mut config = troop.config(troop.folder.path());
    config.listen = router.address();
    let Err(error) = Router::start(config).await else { panic!("two routers on one port") };
    assert!(matches!(error, RouterError::ListenFailed { .. }));
    assert!(error.to_string().contains("choose another with --listen"));
}

#[tokio::test]
async fn a_router_that_was_shut_down_takes_no_requests() {
    let troop = Troop::new().await;
    let (router, client) = troop.router().await;
    let address = router.address();
    drop(client);
    soon(router.shutdown()).await.unwrap();
    eventually("the port is free", || std::net::TcpStream::connect(address).is_err()).await;
}
