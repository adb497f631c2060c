//! F13: the disk is full, and has room again later. Nobody is told that something was sold that is
//! not on the disk, and nobody has to mend anything.
//!
//! Where a file system in memory can be mounted, that is the disk. Elsewhere the process may not
//! make its files longer, which is the same to it but for the name of the error.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::weather::Context;
use super::wrapped::Wrapped;
use crate::load::Load;
use crate::report::RowReport;

/// Enough for the empty databases and a while of trade.
const MOUNT: &str = "mkdir -p data\n\
    mountpoint -q data || mount -t tmpfs -o size=192m mercat-faults data";
/// Without it the first write that is too long ends the process.
const IGNORE: &str = "trap '' XFSZ";

pub async fn run(context: &mut Context) -> RowReport {
    let is_mounted = can_mount();
    if !is_mounted && !has_program("prlimit") {
        return RowReport::skip("neither a tmpfs can be mounted here, nor is there prlimit");
    }
    let before = if is_mounted { MOUNT } else { IGNORE };
    let wrapped = match Wrapped::new(&context.settings.program, before, ("", "")) {
        Ok(wrapped) => wrapped,
        Err(error) => return RowReport::skip(error.to_string()),
    };
    let load = context.wrapped(&wrapped).await;
    let shop = load.house.shop();
    // Goes before the shop does.
    let _mounted = is_mounted.then(|| Mounted(shop.data()));
    let times = context.settings.pick(1, 6);
    let full = context.settings.pick(Duration::from_secs(3), Duration::from_secs(10));
    let mut report = context
        .weather(&load, async |report| {
            for turn in 0..times {
                let sold = load.tally.sold_in_all();
                fill(&load, is_mounted).await?;
                context.env.sleep(full).await;
                let meanwhile = load.tally.sold_in_all() - sold;
                report.note(format!("{meanwhile} sold while there was no room for more"));
                if turn % 2 == 1 {
                    // Killed when nothing can be written, and started when something can.
                    shop.kill();
                    make_room(&load, is_mounted)?;
                    shop.restart().await;
                } else {
                    make_room(&load, is_mounted)?;
                }
                load.purchases_go_on(3, "there was room again").await;
                report.runs += 1;
            }
            // What was answered is on the disk, and not only in this process.
            shop.restart().await;
            Ok(())
        })
        .await;
    let how = if is_mounted { "a tmpfs that was filled" } else { "a limit on the length of files" };
    report.note(format!("the full disk was {how}"));
    report
}

/// Unmounts when the row ends, however it does.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn can_mount() -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=1m", "mercat-faults"]).arg(folder.path());
    let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if mounted {
        let _ = Command::new("umount").arg(folder.path()).status();
    }
    mounted
}

fn has_program(name: &str) -> bool {
    let asked = Command::new(name).arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn filler(data: &Path) -> PathBuf {
    data.join("filler")
}

/// Until nothing more goes in.
async fn fill(load: &Load, is_mounted: bool) -> Result<(), String> {
    let data = load.house.shop().data();
    if !is_mounted {
        return limit(load, "0:");
    }
    let filling = tokio::task::spawn_blocking(move || {
        let mut file = File::create(filler(&data))?;
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
        Ok::<_, std::io::Error>(())
    });
    filling.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn make_room(load: &Load, is_mounted: bool) -> Result<(), String> {
    if is_mounted {
        let removed = std::fs::remove_file(filler(&load.house.shop().data()));
        return removed.map_err(|error| error.to_string());
    }
    limit(load, "unlimited:")
}

/// How long a file may become that the shop writes. One that is longer already may not grow.
fn limit(load: &Load, soft: &str) -> Result<(), String> {
    let Some(pid) = pid_of(load) else { return Ok(()) };
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--fsize={soft}")]);
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("prlimit: {said}")) }
}

/// As the shop tells it.
fn pid_of(load: &Load) -> Option<u64> {
    let text = std::fs::read(load.house.shop().data().join("run.json")).ok()?;
    let run: serde_json::Value = serde_json::from_slice(&text).ok()?;
    run["pid"].as_u64()
}
