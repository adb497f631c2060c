//! One process: started, listened to, started again.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use platform::Env;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::plan::Place;
use crate::output;

/// One that dies at once is started again after this, doubled each time, up to [`PAUSES_END`].
const PAUSE: Duration = Duration::from_millis(100);
const PAUSES_END: Duration = Duration::from_secs(5);
/// One that ran so long has not died at once.
const STEADY: Duration = Duration::from_secs(10);

/// Where a process stands, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Starting,
    /// With its process id.
    Running(u32),
    /// It ended, so often by now, and was not told to.
    Died(u32),
}

/// Runs the process until `stop` is true, and again whenever it dies.
pub async fn keep(
    env: Env,
    place: Place,
    state: watch::Sender<State>,
    mut stop: watch::Receiver<bool>,
    once: bool,
) {
    let name = place.name();
    let mut pause = PAUSE;
    let mut deaths = 0;
    loop {
        let begun = env.clock.monotonic();
        match spawn(&env, &place) {
            Ok(mut child) => {
                state.send_replace(child.id().map_or(State::Died(deaths), State::Running));
                // Waiting would close it, and the process end with it.
                let _open = child.stdin.take();
                tokio::select! {
                    biased;
                    ended = child.wait() => tell(&name, ended),
                    () = stopped(&mut stop) => {
                        end(&env, &name, &mut child).await;
                        return;
                    }
                }
            }
            Err(error) => output::note(format_args!("{name} cannot be started: {error}")),
        }
        deaths += 1;
        state.send_replace(State::Died(deaths));
        if once {
            return;
        }
        if env.clock.monotonic().saturating_sub(begun) >= STEADY {
            pause = PAUSE;
        }
        tokio::select! {
            biased;
            () = env.sleep(pause) => {}
            () = stopped(&mut stop) => return,
        }
        pause = (pause * 2).min(PAUSES_END);
        output::note(format_args!("{name} is started again"));
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // When the sender is gone, so is everybody who could stop this one.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn spawn(env: &Env, place: &Place) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(&place.arguments)
        // Open as long as we live: it ends with us.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Those of the server's owner are for us alone.
    for ours in ["MERCAT_CRASH_AT", "MERCAT_CRASH_IN", "MERCAT_DATABASE__URL"] {
        command.env_remove(ours).env_remove(format!("{ours}_FILE"));
    }
    for (name, value) in &place.variables {
        command.env_remove(format!("{name}_FILE")).env(name, value);
    }
    // A Ctrl-C of the terminal is ours: they are told in order.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    if let Some(lines) = child.stdout.take() {
        env.spawn("lines of a process", forward(place.name(), lines, true));
    }
    if let Some(lines) = child.stderr.take() {
        env.spawn("lines of a process", forward(place.name(), lines, false));
    }
    Ok(child)
}

async fn forward(name: String, lines: impl AsyncRead + Unpin, is_result: bool) {
    let mut lines = BufReader::new(lines);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        if is_result {
            output::line(format_args!("{name:<12} {text}"));
        } else {
            output::note(format_args!("{name:<12} {text}"));
        }
    }
}

fn tell(name: &str, ended: std::io::Result<ExitStatus>) {
    match ended {
        Ok(status) => output::note(format_args!("{name} ended: {status}")),
        Err(error) => output::note(format_args!("{name} cannot be waited for: {error}")),
    }
}

/// SIGTERM, and SIGKILL when that is not enough.
async fn end(env: &Env, name: &str, child: &mut Child) {
    const PATIENCE: Duration = Duration::from_secs(40);
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok())
        && let Some(pid) = rustix::process::Pid::from_raw(pid)
    {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if env.timeout(PATIENCE, child.wait()).await.is_none() {
        output::note(format_args!("{name} does not end and is killed"));
        let _ = child.kill().await;
    }
}
