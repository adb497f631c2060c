//! `cargo xtask lint-deploy`: the files in `deploy/` say what the code does.
//!
//! Other people's linters look at the forms (yamllint, hadolint, promtool, which also runs the tests
//! of the alerts); the rules in here look at what only this project knows: which services there are,
//! what may be published, and which metrics the code counts.

mod compose;
mod observability;
mod queries;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    Outcome,
    project::{Project, has_extension},
    say,
    services::packages,
    tools,
};

const FOLDER: &str = "deploy";
const COMPOSE: [&str; 2] = ["compose.yaml", "compose.rabbitmq.yaml"];
const ALERTS: &str = "deploy/observability/alerts.yml";
const DASHBOARD: &str = "deploy/observability/dashboard.json";
const RUNBOOK: &str = "docs/how-to/answer-an-alert.md";

/// Lines may be as long as a query; a document need not say that it starts.
const YAML_RULES: &str = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, \
    comments: {min-spaces-from-content: 1}, braces: {max-spaces-inside: 1}, \
    truthy: {check-keys: false}}}";

/// PyYAML understands what Docker and Prometheus do; this crate reads what it says as JSON.
const TO_JSON: &str = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";

pub fn run(project: &Project) -> Outcome {
    let python = tools::python(project)?;
    forms(project, &python)?;
    let mut findings = Vec::new();
    for file in COMPOSE {
        let folder = format!("{FOLDER}/compose");
        let document = resolved(project, &python, &folder, file)?;
        let said = compose::findings(&document, &services(project)?);
        findings.extend(said.into_iter().map(|one| format!("{folder}/{file}: {one}")));
    }
    let counted = queries::counted(project)?;
    let alerts = yaml(project, &python, ALERTS)?;
    let said = observability::alerts(&alerts, &counted, &project.read(RUNBOOK)?);
    findings.extend(said.into_iter().map(|one| format!("{ALERTS}: {one}")));
    let dashboard: Value = serde_json::from_str(&project.read(DASHBOARD)?)
        .map_err(|error| format!("{DASHBOARD}: {error}"))?;
    let said = observability::dashboard(&dashboard, &counted);
    findings.extend(said.into_iter().map(|one| format!("{DASHBOARD}: {one}")));
    if findings.is_empty() {
        say::line("lint-deploy: nothing to mend");
        return Ok(());
    }
    Err(format!("lint-deploy: {} to mend\n{}", findings.len(), findings.join("\n")))
}

/// What any project's files of these kinds must be.
fn forms(project: &Project, python: &Path) -> Outcome {
    let files = project.files(FOLDER)?;
    let of = |extensions: &'static [&str]| {
        let fits = move |path: &&String| extensions.iter().any(|one| has_extension(path, one));
        files.iter().filter(fits)
    };
    let mut lint = Command::new(python.join("yamllint"));
    lint.current_dir(&project.root).args(["--strict", "--config-data", YAML_RULES]);
    tools::run(lint.args(of(&["yaml", "yml"])))?;
    let mut hadolint = Command::new(python.join("hadolint"));
    hadolint.current_dir(&project.root).arg("deploy/images/Dockerfile");
    tools::run(&mut hadolint)?;
    for script in of(&["sh"]) {
        tools::run(Command::new("bash").current_dir(&project.root).args(["-n", script]))?;
    }
    for source in files.iter().filter(|path| has_extension(path, "rs")) {
        compiles(project, source)?;
    }
    let promtool = promtool()?;
    let prometheus = |arguments: &[&str]| {
        let mut command = Command::new(&promtool);
        tools::run(command.current_dir(project.path("deploy/observability")).args(arguments))
    };
    prometheus(&["check", "config", "prometheus.yml"])?;
    prometheus(&["test", "rules", "alerts.test.yml"])
}

/// A program of an image is compiled by itself, as its Dockerfile does.
fn compiles(project: &Project, source: &str) -> Outcome {
    let made = project.path("target/xtask/deploy");
    std::fs::create_dir_all(&made).map_err(|error| format!("{}: {error}", made.display()))?;
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = Command::new(compiler);
    compile.current_dir(&project.root).args(["--edition", "2024", "-D", "warnings", "--out-dir"]);
    tools::run(compile.arg(made).arg(source))
}

/// Prometheus' own checker, of the system's packages.
fn promtool() -> Outcome<PathBuf> {
    if !packages::has_program("promtool") {
        packages::install("Prometheus' checker of rules", &["prometheus"])?;
    }
    Ok(PathBuf::from("promtool"))
}

/// The services are the folders below `services/`.
fn services(project: &Project) -> Outcome<BTreeSet<String>> {
    let files = project.files("services")?;
    let manifests =
        files.iter().filter_map(|path| path.strip_prefix("services/")?.strip_suffix("/Cargo.toml"));
    Ok(manifests.filter(|name| !name.contains('/')).map(str::to_owned).collect())
}

/// A compose file with what its services take over from another file put in.
fn resolved(project: &Project, python: &Path, folder: &str, file: &str) -> Outcome<Value> {
    let mut document = yaml(project, python, &format!("{folder}/{file}"))?;
    let services =
        document["services"].as_object_mut().ok_or_else(|| format!("{file} has no services"))?;
    for (name, service) in services {
        let Some(source) = service["extends"]["file"].as_str() else { continue };
        let base = yaml(project, python, &format!("{folder}/{source}"))?;
        let from = service["extends"]["service"].as_str().unwrap_or(name);
        let base =
            base["services"].get(from).ok_or_else(|| format!("{source} has no service {from}"))?;
        *service = compose::extended(base, service);
    }
    Ok(document)
}

fn yaml(project: &Project, python: &Path, path: &str) -> Outcome<Value> {
    let file =
        std::fs::File::open(project.path(path)).map_err(|error| format!("{path}: {error}"))?;
    let mut command = Command::new(python.join("python"));
    let output = command
        .args(["-c", TO_JSON])
        .stdin(file)
        .output()
        .map_err(|error| format!("Python cannot start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{path}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{path}: {error}"))
}
