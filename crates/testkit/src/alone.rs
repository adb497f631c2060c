//! One service's own binary, without the others.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::servers::{Servers, are_there};
use crate::shop::Topology;
use crate::{Client, until};

/// A service that migrates an empty database, does it again without a change, and gets ready though
/// nobody else runs. `program` is its binary; skipped loudly when there are no servers.
pub async fn stands_alone(program: &str, service: &str) {
    if !are_there(Topology::Kafka) {
        return;
    }
    let servers = Servers::of(Topology::Kafka);
    servers.create(service).await;
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    let internal = free_address();
    let command = || {
        let mut command = Command::new(program);
        command.current_dir(folder.path()).stdin(Stdio::null());
        let mut settings = servers.settings(service);
        settings.push("listen=127.0.0.1:0".to_owned());
        settings.push(format!("telemetry.internal_listen={internal}"));
        // Where nobody is.
        for peer in ["identity", "catalog", "inventory", "ordering", "payment"] {
            settings.push(format!("peers.{peer}=http://127.0.0.1:1"));
        }
        for setting in settings {
            command.args(["--set", &setting]);
        }
        command
    };
    for _ in 0..2 {
        let output = command().arg("--migrate").output().expect("the binary can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{service} --migrate: {said}");
    }
    let log = folder.path().join("log");
    let mut command = command();
    command.stdout(Stdio::null()).stderr(File::create(&log).expect("the folder is writable"));
    let mut running = Running(command.spawn().expect("the binary can be run"));
    let client = Client::new(format!("http://{internal}"));
    until(&format!("{service} is ready alone"), async || {
        let ended = running.0.try_wait().expect("a child can be asked");
        assert!(ended.is_none(), "it ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
        let asked = client.request(http::Method::GET, "/readyz").try_send().await.ok()?;
        (asked.status == 200).then_some(())
    })
    .await;
    drop(running);
    servers.tidy_up();
}

/// Killed when the test ends, however it does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").to_string()
}
