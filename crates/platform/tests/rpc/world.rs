//! A service with one call and a few routes, served on a port.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context as Wake, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use platform::auth::Authenticator;
use platform::http::{Module, ModuleDeps, ServerLimits, ServicePort, inner_networks, serve_tls};
use platform::rpc::{self, CallError, Channel, PeerConfig};
use platform::shutdown::{Phase, Shutdown};
use platform::store::Schema;
use platform::testing::executor_in_memory;
use platform::tls::ServerTls;
use platform::{Context, Env};
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;
use utoipa_axum::router::OpenApiRouter;

/// Nothing in these tests may take longer.
pub const LONG: Duration = Duration::from_secs(20);

type Handle =
    dyn Fn(Context, String) -> BoxFuture<'static, Result<String, CallError>> + Send + Sync;

/// `mercat.made.v1.EchoService`, with one method that does what the test says.
#[derive(Clone)]
pub struct Echo {
    env: Env,
    handle: Arc<Handle>,
}

impl Echo {
    pub fn new<F>(env: &Env, handle: impl Fn(Context, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, CallError>> + Send + 'static,
    {
        let handle: Arc<Handle> = Arc::new(move |context, text| Box::pin(handle(context, text)));
        Self { env: env.clone(), handle }
    }

    /// Answers the message and a name.
    pub fn named(env: &Env, name: &'static str) -> Self {
        Self::new(env, move |_, text| async move { Ok(format!("{name}: {text}")) })
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "mercat.made.v1.EchoService";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Wake<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Method(self.clone());
        Box::pin(async move {
            if request.uri().path() != "/mercat.made.v1.EchoService/Echo" {
                return Ok(Status::unimplemented("").into_http());
            }
            let codec = ProstCodec::<String, String>::default();
            Ok(tonic::server::Grpc::new(codec).unary(method, request).await)
        })
    }
}

struct Method(Echo);

impl tonic::server::UnaryService<String> for Method {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let Echo { env, handle } = self.0.clone();
        Box::pin(async move {
            rpc::serve(&env, "made.Echo", request, move |context, text| handle(context, text)).await
        })
    }
}

/// What a generated client does.
pub struct Client {
    env: Env,
    channel: Channel,
    is_repeatable: bool,
}

impl Client {
    pub fn new(env: &Env, channel: Channel) -> Self {
        Self { env: env.clone(), channel, is_repeatable: false }
    }

    pub fn of(env: &Env, config: PeerConfig) -> Self {
        Self::new(env, rpc::remote(env, config).unwrap())
    }

    pub fn repeatable(self) -> Self {
        Self { is_repeatable: true, ..self }
    }

    pub async fn ask(&self, text: &str) -> Result<String, CallError> {
        self.ask_within(text, LONG).await
    }

    pub async fn ask_within(&self, text: &str, time: Duration) -> Result<String, CallError> {
        let context = Context::background(&self.env, "test", time);
        self.ask_as(context, text, "/mercat.made.v1.EchoService/Echo").await
    }

    pub async fn ask_as(
        &self,
        context: Context,
        text: &str,
        path: &'static str,
    ) -> Result<String, CallError> {
        let (channel, is_repeatable) = (self.channel.clone(), self.is_repeatable);
        rpc::unary(&self.env, "made.Echo", context, text.to_owned(), move |request| async move {
            let request = if is_repeatable { rpc::repeatable(request) } else { request };
            let mut client = tonic::client::Grpc::new(channel);
            client.ready().await?;
            let codec = ProstCodec::<String, String>::default();
            client.unary(request, PathAndQuery::from_static(path), codec).await
        })
        .await
    }
}

/// A process of a service.
pub struct Process {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
}

impl Process {
    pub async fn start(env: &Env, module: Module, echo: Echo) -> Self {
        Self::start_with(env, module, echo, None, inner_networks()).await
    }

    pub async fn start_with(
        env: &Env,
        module: Module,
        echo: Echo,
        tls: Option<ServerTls>,
        trusted: Vec<platform::http::Network>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(env, listener, module, echo, tls, trusted)
    }

    pub fn start_on(
        env: &Env,
        listener: TcpListener,
        module: Module,
        echo: Echo,
        tls: Option<ServerTls>,
        trusted: Vec<platform::http::Network>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        shutdown.ready();
        let router = platform::http::service_router(ServicePort {
            env: env.clone(),
            module,
            grpc: Some(Routes::new(echo)),
            descriptors: descriptors(),
            shutdown: shutdown.clone(),
            trusted,
        });
        let limits =
            ServerLimits { drain_timeout: Duration::from_secs(1), ..ServerLimits::default() };
        let served =
            serve_tls(env.clone(), listener, tls, router.unwrap(), limits, shutdown.clone());
        env.spawn("server", async move { served.await.unwrap() });
        Self { address, shutdown }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends as a process does that is told to.
    pub fn stop(&self) {
        self.shutdown.advance(Phase::Stopping);
    }
}

pub fn deps(env: &Env) -> ModuleDeps {
    let (executor, _) = executor_in_memory(&Schema::new("made", &[]));
    let authenticator = Arc::new(Authenticator::new(env.clone(), "made", "made"));
    ModuleDeps { env: env.clone(), authenticator, executor }
}

/// Without routes.
pub fn empty(env: &Env) -> Module {
    platform::http::module("made", OpenApiRouter::new(), deps(env)).unwrap()
}

/// Short times, so that a test does not wait for long ones.
pub fn peer(endpoints: Vec<String>) -> PeerConfig {
    PeerConfig {
        resolve_every: Duration::from_millis(100),
        ping_every: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(100),
        backoff: (Duration::from_millis(10), Duration::from_millis(50)),
        ..PeerConfig::new("made", endpoints)
    }
}

fn descriptors() -> &'static [u8] {
    static ENCODED: OnceLock<Vec<u8>> = OnceLock::new();
    ENCODED.get_or_init(|| {
        let file = |package: &str, service: &str| FileDescriptorProto {
            name: Some(format!("{package}.proto")),
            package: Some(package.to_owned()),
            service: vec![ServiceDescriptorProto {
                name: Some(service.to_owned()),
                ..ServiceDescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        };
        let made = file("mercat.made.v1", "EchoService");
        let other = file("mercat.other.v1", "OtherService");
        FileDescriptorSet { file: vec![made, other] }.encode_to_vec()
    })
}
