//! What stands beside a service's own calls: health, which follows readiness, and reflection, which
//! lists what is served.

use futures_util::FutureExt as _;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::env::Env;
use crate::shutdown::{Phase, Shutdown};

/// `routes` with `grpc.health.v1.Health` and `grpc.reflection.v1.ServerReflection`. Of the
/// contracts in `descriptors` those of `service` are listed: packages whose second part is its name.
pub(crate) fn operated(
    env: &Env,
    service: &str,
    routes: Option<Routes>,
    descriptors: &'static [u8],
    shutdown: &Shutdown,
) -> Result<Routes, String> {
    let names = match &routes {
        Some(_) => names(service, descriptors)?,
        None => Vec::new(),
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let mut reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health")
        .with_service_name("grpc.reflection.v1.ServerReflection");
    for name in &names {
        reflection = reflection.with_service_name(name);
    }
    let reflection =
        reflection.build_v1().map_err(|error| format!("{service}: reflection: {error}"))?;
    // Nobody else knows the reporter yet, so this takes no time.
    let _ = reporter.set_service_status("", ServingStatus::NotServing).now_or_never();
    env.spawn("grpc health", follow(reporter, names, shutdown.clone()));
    Ok(routes.unwrap_or_default().add_service(health).add_service(reflection))
}

fn names(service: &str, descriptors: &[u8]) -> Result<Vec<String>, String> {
    let set = FileDescriptorSet::decode(descriptors)
        .map_err(|error| format!("{service}: the descriptors cannot be read: {error}"))?;
    let own = set.file.iter().filter(|file| file.package().split('.').nth(1) == Some(service));
    let names = own.flat_map(|file| {
        file.service.iter().map(|grpc| format!("{}.{}", file.package(), grpc.name()))
    });
    Ok(names.collect())
}

/// Serving from ready to not ready, for the process as a whole (the empty name) and each service.
async fn follow(reporter: HealthReporter, names: Vec<String>, shutdown: Shutdown) {
    let all = || std::iter::once("").chain(names.iter().map(String::as_str));
    for name in all() {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
    shutdown.reached(Phase::Ready).await;
    if shutdown.is_ready() {
        for name in all() {
            reporter.set_service_status(name, ServingStatus::Serving).await;
        }
    }
    shutdown.reached(Phase::NotReady).await;
    for name in all() {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}
