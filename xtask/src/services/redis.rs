//! Redis of the machine's own packages: the shared quotas of several gateways. It keeps nothing.

use std::{fs, path::PathBuf, process::Command};

use super::{
    Server, Stop,
    daemon::{self, Daemon},
    packages,
};
use crate::{Outcome, project::Project};

const PROGRAM: &str = "redis-server";

pub struct Redis {
    home: PathBuf,
}

impl Redis {
    pub fn install(project: &Project) -> Outcome<Box<dyn Server>> {
        if !packages::has_program(PROGRAM) {
            packages::install("Redis", &[PROGRAM])?;
        }
        Self::installed(project)?.ok_or_else(|| "Redis is still missing".to_owned())
    }

    pub fn installed(project: &Project) -> Outcome<Option<Box<dyn Server>>> {
        let home = super::home(project, "redis")?;
        Ok(packages::has_program(PROGRAM).then(|| Box::new(Self { home }) as Box<dyn Server>))
    }

    fn daemon(&self) -> Daemon<'_> {
        Daemon { home: &self.home, name: "redis" }
    }

    fn settings(&self, port: u16) -> Outcome<String> {
        let password = daemon::password(&self.home.join("password"))?;
        let folder = self.home.display();
        Ok(format!(
            "bind 127.0.0.1\nport {port}\ndaemonize no\nsave \"\"\nappendonly no\ndir \"{folder}\"\n\
             maxmemory 64mb\nmaxmemory-policy noeviction\nrequirepass {password}\n"
        ))
    }
}

impl Server for Redis {
    fn start(&self) -> Outcome<bool> {
        if self.port().is_some() {
            return Ok(false);
        }
        let port = daemon::port(&self.home.join("port"))?;
        let settings = self.home.join("redis.conf");
        daemon::write_private(&settings, &self.settings(port)?)?;
        let daemon = self.daemon();
        daemon.start(Command::new(PROGRAM).arg(&settings))?;
        // It wants a password first; that it says so is enough.
        daemon.wait_until(|| {
            daemon::ask(port, b"PING\r\n").is_some_and(|answer| answer.starts_with(b"-NOAUTH"))
        })?;
        Ok(true)
    }

    fn stop(&self, how: Stop) -> Outcome {
        self.daemon().stop(how)
    }

    fn port(&self) -> Option<u16> {
        self.daemon().process()?;
        daemon::remembered(&self.home.join("port"))
    }

    fn address(&self) -> Option<String> {
        let port = daemon::remembered(&self.home.join("port"))?;
        let password = fs::read_to_string(self.home.join("password")).ok()?;
        Some(format!("redis://:{}@127.0.0.1:{port}/", password.trim()))
    }
}
