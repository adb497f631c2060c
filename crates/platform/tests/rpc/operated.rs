//! What stands beside a service's calls on its port.

use futures_util::StreamExt as _;
use kernel::ErrorKind;
use platform::http::inner_networks;
use platform::shutdown::Phase;
use platform::{Env, rpc};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::world::{Client, Echo, LONG, Process, empty, peer};

#[tokio::test]
async fn reflection_lists_the_services_own_calls_and_no_other_services() {
    let env = Env::system();
    let process = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    let channel = rpc::remote(&env, peer(vec![process.url()])).unwrap();
    let ask =
        |request| ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let requests = futures_util::stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("mercat.made.v1.EchoService".to_owned())),
    ]);
    let mut client = ServerReflectionClient::new(channel);
    let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
    let listed = answers.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else {
        panic!("{listed:?}");
    };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort_unstable();
    let expected = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "mercat.made.v1.EchoService",
    ];
    assert_eq!(names, expected);
    let file = answers.next().await.unwrap().unwrap().message_response;
    assert!(matches!(file, Some(MessageResponse::FileDescriptorResponse(_))), "{file:?}");
}

#[tokio::test]
async fn health_follows_readiness() {
    let env = Env::system();
    let process = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    let channel = rpc::remote(&env, peer(vec![process.url()])).unwrap();
    let status = |service: &'static str| {
        let mut client = HealthClient::new(channel.clone());
        async move {
            let request = HealthCheckRequest { service: service.to_owned() };
            client.check(request).await.map(|answer| answer.into_inner().status())
        }
    };
    let until = |wanted| {
        let status = &status;
        let work = async move {
            for service in ["", "mercat.made.v1.EchoService"] {
                while status(service).await.unwrap() != wanted {}
            }
        };
        let env = &env;
        async move { env.timeout(LONG, work).await.unwrap() }
    };
    until(ServingStatus::Serving).await;
    process.shutdown.advance(Phase::NotReady);
    until(ServingStatus::NotServing).await;
    assert_eq!(status("mercat.other.v1.OtherService").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_method_that_nobody_has_is_unimplemented() {
    let env = Env::system();
    let process = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    let channel = rpc::remote(&env, peer(vec![process.url()])).unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/mercat.other.v1.OtherService/Do");
    let codec = tonic_prost::ProstCodec::<String, String>::default();
    let outcome = client.unary(tonic::Request::new("hi".to_owned()), path, codec).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn strangers_cannot_call_grpc() {
    let env = Env::system();
    let echo = || Echo::named(&env, "one");
    let outside = vec!["192.0.2.0/24".parse().unwrap()];
    let process = Process::start_with(&env, empty(&env), echo(), None, outside).await;
    let client = Client::of(&env, peer(vec![process.url()]));
    assert_eq!(client.ask("hi").await.unwrap_err().kind, ErrorKind::Forbidden);
    let process = Process::start_with(&env, empty(&env), echo(), None, inner_networks()).await;
    let client = Client::of(&env, peer(vec![process.url()]));
    assert_eq!(client.ask("hi").await.unwrap(), "one: hi");
}
