//! Starts all processes of a shop, keeps them running, tells where they are, ends them together.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use platform::Env;
use platform::shutdown::signal;
use tokio::sync::{mpsc, oneshot, watch};

use super::child::{State, keep};
use super::databases;
use super::plan::{Place, places};
use crate::cli::{ServiceName, Up};
use crate::commands::Given;
use crate::commands::up::greet;
use crate::config::Config;
use crate::data::{DataFolder, Process, Run, url};
use crate::output;

/// How long all processes may take to be ready.
const READY: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(20);
/// One that ended so often before it was ready will not be.
const MOST_DEATHS: u32 = 5;

/// A process that is kept running.
struct Kept {
    place: Place,
    state: watch::Receiver<State>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

/// What is done to processes, and what is known of them.
struct Supervisor<'a> {
    env: Env,
    up: &'a Up,
    folder: DataFolder,
    /// Whether the shop's own address speaks TLS.
    is_public_tls: bool,
    died: mpsc::Sender<()>,
    kept: Vec<Kept>,
}

pub async fn up(config: Config, up: Up, given: &Given) -> Result<ExitCode, String> {
    config.check_processes()?;
    let env = Env::system();
    let folder = DataFolder::open_for_processes(&config.data)?;
    let databases = databases::prepare(&env, &config, &folder).await?;
    let places = places(&config, &up, given, &folder, &databases)?;
    let (died, mut deaths) = mpsc::channel::<()>(1);
    let is_public_tls = !config.gateway.tls.is_empty();
    let mut shop = Supervisor { env, up: &up, folder, is_public_tls, died, kept: Vec::new() };
    let outcome = tokio::select! {
        biased;
        // Abruptly: those that are left end with this one.
        _ = deaths.recv() => return Err("a process died".to_owned()),
        outcome = shop.run(places) => outcome,
    };
    output::note("Stopping: requests in flight may end. Once more, and they may not.");
    let folder = shop.folder;
    tokio::select! {
        biased;
        _ = signal() => return Err("stopped at once".to_owned()),
        () = stop(shop.kept) => {}
    }
    folder.untell();
    outcome?;
    output::note("Mercat has stopped.");
    Ok(ExitCode::SUCCESS)
}

/// The gateway first: what is in flight there needs the others.
async fn stop(kept: Vec<Kept>) {
    let (gateways, services): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|kept| kept.place.service == ServiceName::Gateway);
    for some in [gateways, services] {
        let ends = some.into_iter().map(|kept| {
            kept.stop.send_replace(true);
            // The end of it, or of its task.
            kept.ended
        });
        join_all(ends).await;
    }
}

fn client() -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build();
    client.map_err(|error| error.to_string())
}

impl Supervisor<'_> {
    /// Until somebody asks for the end.
    async fn run(&mut self, places: Vec<Place>) -> Result<(), String> {
        // One for all turns: a signal between two of them must not be lost.
        let mut asked = std::pin::pin!(signal());
        let env = self.env.clone();
        tokio::select! {
            biased;
            caught = &mut asked => return caught.map_err(|error| format!("signals: {error}")),
            ready = env.timeout(READY, self.start(places)) => {
                ready.ok_or("not all processes got ready; their lines above tell why")??;
            }
        }
        let processes = self.processes();
        let run = self.shown(&processes);
        let told = self.folder.tell(&run);
        told.map_err(|error| format!("run.json cannot be written: {error}"))?;
        greet(&run, &self.folder);
        loop {
            let mut states: Vec<_> = self.kept.iter().map(|kept| kept.state.clone()).collect();
            let changes = states.iter_mut().map(|state| Box::pin(state.changed()));
            tokio::select! {
                biased;
                caught = &mut asked => {
                    return caught.map_err(|error| format!("signals: {error}"));
                }
                _ = select_all(changes) => {}
            }
            for kept in &mut self.kept {
                kept.state.mark_unchanged();
            }
            // The shop goes on without it: it is for those who look.
            if let Err(error) = self.folder.tell(&self.shown(&self.processes())) {
                output::note(format_args!("run.json cannot be written: {error}"));
            }
        }
    }

    /// The gateway last: then it knows at once what the services serve.
    async fn start(&mut self, places: Vec<Place>) -> Result<(), String> {
        let (gateways, services): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|place| place.service == ServiceName::Gateway);
        for some in [services, gateways] {
            for place in some {
                self.keep(place);
            }
            self.all_ready().await?;
        }
        if !self.is_public_tls {
            self.all_known().await?;
        }
        Ok(())
    }

    /// The gateway serves before it knows all routes, when a service is slow to tell its own: what
    /// nobody serves is 503 until then, and 404 afterwards.
    async fn all_known(&self) -> Result<(), String> {
        let (client, gateway) = (client()?, self.processes().pop());
        let nobody = gateway.map(|gateway| format!("{}/v1/nobody-serves-this", gateway.address));
        while let Some(nobody) = &nobody {
            let answer = client.get(nobody).send().await;
            if answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::NOT_FOUND) {
                break;
            }
            self.refuse_dying()?;
            self.env.sleep(LOOK).await;
        }
        Ok(())
    }

    fn keep(&mut self, place: Place) {
        let (sender, state) = watch::channel(State::Starting);
        let (stop, stopping) = watch::channel(false);
        let (has_ended, ended) = oneshot::channel::<()>();
        let work = keep(self.env.clone(), place.clone(), sender, stopping, self.up.fail_fast);
        let died = self.died.clone();
        self.env.spawn("a process", async move {
            work.await;
            // One word is enough.
            let _ = died.try_send(());
            drop(has_ended);
        });
        self.kept.push(Kept { place, state, stop, ended });
    }

    async fn all_ready(&self) -> Result<(), String> {
        let client = client()?;
        for kept in &self.kept {
            let address = format!("http://{}/readyz", kept.place.internal);
            loop {
                let answer = client.get(&address).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                self.refuse_dying()?;
                self.env.sleep(LOOK).await;
            }
        }
        Ok(())
    }

    fn refuse_dying(&self) -> Result<(), String> {
        let is_dying = |kept: &&Kept| matches!(*kept.state.borrow(), State::Died(often) if often >= MOST_DEATHS);
        self.kept.iter().find(is_dying).map_or(Ok(()), |kept| {
            let name = kept.place.name();
            Err(format!("{name} ended {MOST_DEATHS} times; its lines above tell why"))
        })
    }

    fn processes(&self) -> Vec<Process> {
        let process = |kept: &Kept| Process {
            service: kept.place.service.name(),
            nth: kept.place.nth,
            pid: match *kept.state.borrow() {
                State::Running(pid) => pid,
                State::Starting | State::Died(_) => 0,
            },
            address: url(kept.place.address),
            internal: url(kept.place.internal),
        };
        self.kept.iter().map(process).collect()
    }

    fn shown<'p>(&self, processes: &'p [Process]) -> Run<'p> {
        // The gateway is the last one.
        let gateway = processes.last();
        let mut shop = gateway.map(|gateway| gateway.address.clone()).unwrap_or_default();
        if self.is_public_tls {
            shop = shop.replacen("http:", "https:", 1);
        }
        Run {
            shop,
            internal: gateway.map(|gateway| gateway.internal.clone()).unwrap_or_default(),
            pid: std::process::id(),
            topology: self.up.topology.name(),
            ready_ms: self.env.clock.monotonic().as_millis() as u64,
            processes,
        }
    }
}
