//! schemathesis reads the OpenAPI document and looks for answers that break it: once as somebody
//! who may do everything, once as nobody.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::{Shop, Start, Topology};

/// Set by `cargo xtask test`: the folder of the Python programs.
const PROGRAMS: &str = "MERCAT_TEST_PYTHON_BIN";

/// `positive_data_acceptance` asks that whatever fits the schemas is accepted. Schemas cannot say
/// that a cursor is one of ours, that a role exists, that a title makes a handle: 400 and 422 are
/// the right answers to such, and `tests/bad_input` looks after them.
const EXCLUDED: &str = "positive_data_acceptance";

/// Values may be so long that the server refuses the head before it is a request: 431 is as good a
/// refusal as those that the program knows.
const SETTINGS: &str = "[checks]\nnegative_data_rejection.expected-statuses = \
    [400, 401, 403, 404, 405, 406, 409, 415, 422, 428, 429, 431, \"5xx\"]\n";

/// For one run; there are two.
const SECONDS: &str = "90";

fn program() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin");
    let folder = std::env::var_os(PROGRAMS).map_or(beside, PathBuf::from);
    let program = folder.join("schemathesis");
    program.exists().then_some(program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_breaks_the_document() {
    let Some(program) = program() else {
        let missing = "schemathesis is not installed: `cargo xtask test` brings it";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("SKIPPED, NOTHING WAS CHECKED: {missing}");
        return;
    };
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded).demo();
    let shop = Shop::start(start).await;
    let key = shop.staff().await.key.clone();
    for token in [Some(key), None] {
        let who = if token.is_some() { "the owner" } else { "nobody" };
        let output = run(&program, &shop, token).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let grumbled = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "as {who}: {}\n{said}\n{grumbled}", output.status);
        assert!(shop.is_alive(), "as {who}: the shop died");
        let summary: Vec<&str> = said.lines().rev().take(12).collect();
        let summary: Vec<&str> = summary.into_iter().rev().collect();
        eprintln!("as {who}:\n{}", summary.join("\n"));
    }
    let log = shop.log();
    assert!(!log.contains("panicked"), "a handler panicked:\n{}", shop.log_tail());
}

async fn run(program: &Path, shop: &Shop, token: Option<String>) -> Output {
    let settings = shop.folder().join("schemathesis.toml");
    std::fs::write(&settings, SETTINGS).expect("the shop's folder can be written");
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(settings)
        .arg("run")
        .arg(format!("{}/openapi.json", shop.address()))
        .args(["--checks", "all", "--exclude-checks", EXCLUDED])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "12", "--max-time", SECONDS, "--workers", "1"])
        .args(["--seed", "20260101", "--no-shrink", "--continue-on-failure"])
        .args(["--suppress-health-check", "all", "--generation-database", "none"])
        .args(["--request-timeout", "30", "--no-color"])
        // It would end its own session or take away its own rights.
        .args(["--exclude-path-regex", "^/v1/(me$|auth/password|admin/api-keys/)"])
        .env("PYTHONHASHSEED", "0")
        .current_dir(shop.folder());
    if let Some(token) = token {
        command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    }
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("waiting does not panic")
        .expect("schemathesis can be run")
}
