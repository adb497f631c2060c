//! RabbitMQ of the machine's own packages, as a node of ours: its name, its port mapper, its folders
//! and its limits are not the system's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Server, Stop,
    daemon::{self, Daemon},
    packages,
};
use crate::{
    Outcome,
    project::{self, Project},
};

/// Starts the node as whoever runs it; the script of the same name in the path wants to be root and
/// to become the system's user.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const USER: &str = "mercat";

pub struct RabbitMq {
    home: PathBuf,
}

impl RabbitMq {
    pub fn install(project: &Project) -> Outcome<Box<dyn Server>> {
        if !Path::new(PROGRAM).is_file() {
            packages::install("RabbitMQ", &["rabbitmq-server"])?;
        }
        Self::installed(project)?.ok_or_else(|| "RabbitMQ is still missing".to_owned())
    }

    pub fn installed(project: &Project) -> Outcome<Option<Box<dyn Server>>> {
        let home = super::home(project, "rabbitmq")?;
        let installed = Path::new(PROGRAM).is_file();
        Ok(installed.then(|| Box::new(Self { home }) as Box<dyn Server>))
    }

    fn node(&self) -> Daemon<'_> {
        Daemon { home: &self.home, name: "rabbitmq" }
    }

    /// Erlang's port mapper, which would outlive the node if the node started it.
    fn mapper(&self) -> Daemon<'_> {
        Daemon { home: &self.home, name: "epmd" }
    }

    /// Small limits, and a log of quorum queues that does not take half a gigabyte before it rolls.
    fn settings(&self, port: u16) -> Outcome<String> {
        let password = daemon::password(&self.home.join("password"))?;
        Ok(format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\n\
             default_vhost = /\n\
             default_user = {USER}\n\
             default_pass = {password}\n\
             default_permissions.configure = .*\n\
             default_permissions.read = .*\n\
             default_permissions.write = .*\n\
             default_user_tags.administrator = true\n\
             vm_memory_high_watermark.absolute = 768MiB\n\
             disk_free_limit.absolute = 50MB\n\
             raft.wal_max_size_bytes = 33554432\n\
             log.console = true\n\
             log.console.level = warning\n\
             log.file = false\n"
        ))
    }

    fn command(&self, mapper: u16, distribution: u16) -> Command {
        let mut command = Command::new(PROGRAM);
        let variables = std::env::vars_os().map(|(name, _)| name);
        for name in variables.filter(|name| name.to_string_lossy().starts_with("RABBITMQ_")) {
            command.env_remove(name);
        }
        command
            .env("HOME", &self.home)
            .env("RABBITMQ_NODENAME", "mercat@localhost")
            .env("RABBITMQ_CONF_ENV_FILE", self.home.join("rabbitmq-env.conf"))
            .env("RABBITMQ_CONFIG_FILE", self.home.join("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", self.home.join("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.home.join("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", self.home.join("data"))
            .env("RABBITMQ_LOG_BASE", self.home.join("logs"))
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("ERL_EPMD_PORT", mapper.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            // The script becomes the node, so that the process that was started is the node.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            // Two schedulers that sleep when they have nothing to do.
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none \
                 -kernel inet_dist_use_interface {127,0,0,1}",
            );
        command
    }
}

impl Server for RabbitMq {
    fn start(&self) -> Outcome<bool> {
        if self.port().is_some() {
            return Ok(false);
        }
        let port = daemon::port(&self.home.join("port"))?;
        let distribution = daemon::port(&self.home.join("distribution-port"))?;
        daemon::write_private(&self.home.join("rabbitmq.conf"), &self.settings(port)?)?;
        project::write(&self.home.join("rabbitmq-env.conf"), b"")?;
        // Tests lose nothing that only a loss of power can cost.
        let advanced = b"[{ra, [{wal_sync_method, none}]}].\n";
        project::write(&self.home.join("advanced.config"), advanced)?;
        project::write(&self.home.join("enabled_plugins"), b"[].\n")?;

        let mapper = self.mapper();
        let mapper_port = self.home.join("epmd-port");
        if mapper.process().is_none() {
            let port = daemon::port(&mapper_port)?.to_string();
            mapper.start(Command::new("epmd").args(["-address", "127.0.0.1", "-port", &port]))?;
        }
        let mapper_port = daemon::remembered(&mapper_port).ok_or("epmd has no port")?;
        // A question for the names it knows.
        mapper.wait_until(|| daemon::ask(mapper_port, &[0, 1, b'n']).is_some())?;

        let node = self.node();
        node.start(&mut self.command(mapper_port, distribution))?;
        // The header of AMQP 0-9-1; the answer is a frame of the kind "method".
        let hello = b"AMQP\x00\x00\x09\x01";
        node.wait_until(|| daemon::ask(port, hello).is_some_and(|answer| answer[0] == 1))?;
        Ok(true)
    }

    fn stop(&self, how: Stop) -> Outcome {
        self.node().stop(how)?;
        self.mapper().stop(how)
    }

    fn forget(&self) -> Outcome {
        super::remove(&self.home.join("data"))
    }

    fn port(&self) -> Option<u16> {
        self.node().process()?;
        daemon::remembered(&self.home.join("port"))
    }

    fn address(&self) -> Option<String> {
        let port = daemon::remembered(&self.home.join("port"))?;
        let password = fs::read_to_string(self.home.join("password")).ok()?;
        Some(format!("amqp://{USER}:{}@127.0.0.1:{port}/%2f", password.trim()))
    }
}
