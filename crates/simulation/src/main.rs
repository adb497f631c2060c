//! `simulate --seeds N [--from S]` plays many seeds; `simulate --seed S` replays one and tells what
//! happened in it. `cargo xtask simulate` builds and runs this.

mod many;
mod output;

use std::process::ExitCode;

use output::line;

/// Much of a seed is asking for memory and giving it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
usage: simulate [--seeds N] [--from S] [--threads N] [--seed S]

  --seeds N    plays N seeds (10,000 without)
  --from S     beginning with this one (1 without)
  --threads N  so many at a time (one a core without)
  --seed S     replays one seed and tells all that happened in it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match parse(&arguments) {
        Ok(Wish::Replay(seed)) => Ok(replay(seed)),
        Ok(Wish::Many(wish)) => Ok(many::play(&wish)),
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            line(format_args!("{reason}\n\n{HELP}"));
            ExitCode::from(2)
        }
    }
}

enum Wish {
    Replay(u64),
    Many(many::Wish),
}

fn parse(arguments: &[String]) -> Result<Wish, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wish = many::Wish { seeds: 10_000, from: 1, threads };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or(format!("{name} needs a number"))?;
        let number: u64 =
            value.parse().map_err(|_| format!("{name} is {value:?}; it must be a number"))?;
        match name.as_str() {
            "--seeds" => wish.seeds = number,
            "--from" => wish.from = number,
            "--threads" => wish.threads = number.clamp(1, 1024) as usize,
            "--seed" => return Ok(Wish::Replay(number)),
            _ => return Err(format!("{name} is not an option")),
        }
    }
    Ok(Wish::Many(wish))
}

fn replay(seed: u64) -> bool {
    let verdict = simulation::run(seed, true);
    for told in &verdict.lines {
        line(told);
    }
    let (events, lasted) = (verdict.events, verdict.lasted);
    line(format_args!("seed {seed}: {events} events in {lasted:?}, hash {:016x}", verdict.hash));
    for (mark, times) in &verdict.marks {
        line(format_args!("reached {times} times: {mark}"));
    }
    for fault in &verdict.faults_found {
        line(format_args!("FAULT: {fault}"));
    }
    verdict.faults_found.is_empty()
}
