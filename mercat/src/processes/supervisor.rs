//! Starts all processes of a shop, keeps them running, tells where they are, ends them together.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use platform::Env;
use platform::shutdown::signal;
use tokio::sync::{mpsc, watch};

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

/// A process that is kept running.
struct Kept {
    place: Place,
    state: watch::Receiver<State>,
}

pub async fn up(config: Config, up: Up, given: &Given) -> Result<ExitCode, String> {
    let env = Env::system();
    let folder = DataFolder::open(&config.data)?;
    let databases = databases::prepare(&env, &config, &folder).await?;
    let places = places(&config, &up, given, &folder, &databases)?;
    let (stop, stopping) = watch::channel(false);
    let (died, mut deaths) = mpsc::channel::<()>(1);
    let mut kept = Vec::new();
    let mut ends = Vec::new();
    for place in places {
        let (sender, state) = watch::channel(State::Starting);
        let (ended, has_ended) = tokio::sync::oneshot::channel::<()>();
        let (work, died) = (
            keep(env.clone(), place.clone(), sender, stopping.clone(), up.fail_fast),
            died.clone(),
        );
        env.spawn("a process", async move {
            work.await;
            // One word is enough.
            let _ = died.try_send(());
            drop(ended);
        });
        ends.push(has_ended);
        kept.push(Kept { place, state });
    }
    let outcome = tokio::select! {
        biased;
        // Abruptly: those that are left end with this one.
        _ = deaths.recv() => return Err("a process died".to_owned()),
        outcome = run(&env, &up, &folder, &kept) => outcome,
    };
    output::note("Stopping: requests in flight may end.");
    stop.send_replace(true);
    // The end of each, or of its task.
    join_all(ends).await;
    folder.untell();
    outcome?;
    output::note("Mercat has stopped.");
    Ok(ExitCode::SUCCESS)
}

/// Until somebody asks for the end.
async fn run(env: &Env, up: &Up, folder: &DataFolder, kept: &[Kept]) -> Result<(), String> {
    // One for all turns: a signal between two of them must not be lost.
    let mut asked = std::pin::pin!(signal());
    tokio::select! {
        biased;
        ready = env.timeout(READY, all_ready(env, kept)) => {
            ready.ok_or("not all processes got ready; their lines above tell why")??;
        }
        caught = &mut asked => return caught.map_err(|error| format!("signals: {error}")),
    }
    tell(env, up, folder, kept, true)?;
    let mut states: Vec<_> = kept.iter().map(|kept| kept.state.clone()).collect();
    loop {
        let changes = states.iter_mut().map(|state| Box::pin(state.changed()));
        tokio::select! {
            biased;
            caught = &mut asked => return caught.map_err(|error| format!("signals: {error}")),
            _ = futures_util::future::select_all(changes) => tell(env, up, folder, kept, false)?,
        }
    }
}

async fn all_ready(env: &Env, kept: &[Kept]) -> Result<(), String> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build();
    let client = client.map_err(|error| error.to_string())?;
    for kept in kept {
        let address = format!("http://{}/readyz", kept.place.internal);
        loop {
            let answer = client.get(&address).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            env.sleep(LOOK).await;
        }
    }
    Ok(())
}

/// Writes `run.json`, and greets whoever waits before the terminal.
fn tell(
    env: &Env,
    up: &Up,
    folder: &DataFolder,
    kept: &[Kept],
    greets: bool,
) -> Result<(), String> {
    let process = |kept: &Kept| Process {
        service: kept.place.service.name(),
        nth: kept.place.nth,
        pid: match *kept.state.borrow() {
            State::Running(pid) => pid,
            State::Starting | State::Died => 0,
        },
        address: url(kept.place.address),
        internal: url(kept.place.internal),
    };
    let processes: Vec<Process> = kept.iter().map(process).collect();
    let gateway = processes.iter().find(|process| process.service == ServiceName::Gateway.name());
    let gateway = gateway.ok_or("there is no gateway")?;
    let run = Run {
        shop: gateway.address.clone(),
        internal: gateway.internal.clone(),
        pid: std::process::id(),
        topology: up.topology.name(),
        ready_ms: env.clock.monotonic().as_millis() as u64,
        processes: &processes,
    };
    folder.tell(&run).map_err(|error| format!("run.json cannot be written: {error}"))?;
    if greets {
        greet(&run, folder);
    }
    Ok(())
}
