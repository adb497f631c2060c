//! Apache Kafka from its Maven artifacts: one node that is broker and controller at once.

use std::{fs, path::PathBuf, process::Command};

use super::{
    Server, Stop,
    daemon::{self, Daemon, expect},
    packages,
};
use crate::{
    Outcome,
    project::{self, Project},
    say,
};

const VERSION: &str = "4.3.1";
/// What the broker's log facade needs to print anything; of the facade's own version.
const LOGGER_VERSION: &str = "1.7.36";
const MAVEN_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";
/// Whoever asks a cluster for its name gets this one: 16 bytes in base64.
const CLUSTER: &str = "bWVyY2F0LXRlc3RzLTAwMQ";
const STARTED: &str = "Kafka Server started";

pub struct Kafka {
    home: PathBuf,
}

impl Kafka {
    pub fn install(project: &Project) -> Outcome<Box<dyn Server>> {
        if !packages::has_program("java") || !packages::has_program("mvn") {
            packages::install("Java and Maven", &["default-jre-headless", "maven"])?;
        }
        let kafka = Self { home: super::home(project, "kafka")? };
        if !kafka.complete() {
            say::phase(&format!("fetch Apache Kafka {VERSION} (once)"), || kafka.fetch())?;
        }
        Ok(Box::new(kafka))
    }

    pub fn installed(project: &Project) -> Outcome<Option<Box<dyn Server>>> {
        let kafka = Self { home: super::home(project, "kafka")? };
        Ok(kafka.complete().then(|| Box::new(kafka) as Box<dyn Server>))
    }

    /// Whether the folder of libraries was filled from just this list.
    fn complete(&self) -> bool {
        fs::read_to_string(self.home.join("lib/pom.xml")).is_ok_and(|text| text == Self::list())
    }

    fn list() -> String {
        let dependencies = [
            ("org.apache.kafka", "kafka_2.13", VERSION),
            ("org.slf4j", "slf4j-simple", LOGGER_VERSION),
        ];
        let dependencies = dependencies.map(|(group, name, version)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version></dependency>\n"
            )
        });
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n\
             <modelVersion>4.0.0</modelVersion>\n<groupId>mercat</groupId>\n\
             <artifactId>kafka</artifactId>\n<version>1</version>\n<packaging>pom</packaging>\n\
             <dependencies>\n{}</dependencies>\n</project>\n",
            dependencies.concat()
        )
    }

    fn fetch(&self) -> Outcome {
        let (done, fresh) = (self.home.join("lib"), self.home.join("lib.new"));
        for folder in [&done, &fresh].into_iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        project::write(&fresh.join("pom.xml"), Self::list().as_bytes())?;
        let mut maven = Command::new("mvn");
        maven.current_dir(&fresh).args(["-B", "-q", MAVEN_PLUGIN, "-DincludeScope=runtime"]);
        maven.arg(format!("-DoutputDirectory={}", fresh.display()));
        expect(&mut maven)?;
        fs::rename(&fresh, &done).map_err(|error| format!("{}: {error}", done.display()))
    }

    fn daemon(&self) -> Daemon<'_> {
        Daemon { home: &self.home, name: "kafka" }
    }

    /// Java with Kafka's libraries: little memory, one collector thread, a start without the slow
    /// compiler.
    fn java(&self, memory: &str) -> Command {
        let mut command = Command::new("java");
        command.current_dir(&self.home).arg(memory);
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]);
        command.args(["-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.showDateTime=true"]);
        command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        command.arg("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info");
        command.arg("-cp").arg(self.home.join("lib/*"));
        command
    }

    /// One copy of everything, no topic that nobody made, small buffers, and members that are missed
    /// soon. The broker is missed later: its controller is the same busy process, and a broker that
    /// is taken for dead on a loaded machine leaves every partition without a leader.
    fn settings(&self, port: u16, controller: u16) -> String {
        let data = self.home.join("data");
        format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             inter.broker.listener.name=PLAINTEXT\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             default.replication.factor=1\n\
             min.insync.replicas=1\n\
             offsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             transaction.state.log.num.partitions=4\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n\
             group.consumer.min.session.timeout.ms=1000\n\
             group.consumer.min.heartbeat.interval.ms=200\n\
             broker.heartbeat.interval.ms=1000\n\
             broker.session.timeout.ms=6000\n\
             num.network.threads=2\n\
             num.io.threads=4\n\
             num.recovery.threads.per.data.dir=2\n\
             log.index.size.max.bytes=1048576\n\
             log.segment.bytes=67108864\n\
             log.cleaner.threads=1\n\
             log.cleaner.dedupe.buffer.size=16777216\n",
            data.display()
        )
    }

    fn format(&self) -> Outcome {
        if self.home.join("data/meta.properties").is_file() {
            return Ok(());
        }
        let mut tool = self.java("-Xmx128m");
        tool.args(["kafka.tools.StorageTool", "format", "--ignore-formatted"]);
        tool.args(["-t", CLUSTER, "-c"]).arg(self.home.join("server.properties"));
        expect(&mut tool).map(drop)
    }
}

impl Server for Kafka {
    fn start(&self) -> Outcome<bool> {
        if self.port().is_some() {
            return Ok(false);
        }
        let port = daemon::port(&self.home.join("port"))?;
        let controller = daemon::port(&self.home.join("controller-port"))?;
        let settings = self.home.join("server.properties");
        project::write(&settings, self.settings(port, controller).as_bytes())?;
        self.format()?;
        let daemon = self.daemon();
        daemon.start(self.java("-Xmx512m").arg("kafka.Kafka").arg(&settings))?;
        // The log of this start alone: the file is made anew each time.
        let log = daemon.log();
        daemon.wait_until(|| {
            let text = fs::read(&log).unwrap_or_default();
            text.windows(STARTED.len()).any(|part| part == STARTED.as_bytes())
        })?;
        Ok(true)
    }

    fn stop(&self, how: Stop) -> Outcome {
        self.daemon().stop(how)
    }

    fn forget(&self) -> Outcome {
        super::remove(&self.home.join("data"))
    }

    fn port(&self) -> Option<u16> {
        self.daemon().process()?;
        daemon::remembered(&self.home.join("port"))
    }

    fn address(&self) -> Option<String> {
        daemon::remembered(&self.home.join("port")).map(|port| format!("127.0.0.1:{port}"))
    }
}
