//! Alerts and dashboards ask for what the code counts, and tell people what to do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::queries::asked;

/// What the dashboard's queries may use as their data source: chosen by whoever looks.
const DATA_SOURCE: &str = "${datasource}";
const WIDTH: u64 = 24;

/// What an operator must be told of.
const COVERED: [&str; 7] = [
    "mercat_outbox_oldest_seconds",
    "mercat_consumer_lag_events",
    "mercat_events_parked_total",
    "ordering_oldest_checkout_seconds",
    "http_requests_total",
    "http_request_seconds_bucket",
    "mercat_rpc_breaker_open",
];

pub fn alerts(document: &Value, counted: &BTreeSet<String>, runbook: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    let mut covered = BTreeSet::new();
    let groups = document["groups"].as_array().into_iter().flatten();
    for rule in groups.filter_map(|group| group["rules"].as_array()).flatten() {
        let name = rule["alert"].as_str().unwrap_or_default();
        if !names.insert(name) {
            found.push(format!("{name} is there twice"));
        }
        let metrics = asked(rule["expr"].as_str().unwrap_or_default());
        found.extend(unknown(&metrics, counted).into_iter().map(|one| format!("{name} {one}")));
        covered.extend(metrics);
        if !["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap_or_default()) {
            found.push(format!("{name} is neither for a page nor for a ticket"));
        }
        if rule["annotations"]["summary"].as_str().is_none_or(str::is_empty) {
            found.push(format!("{name} has no summary"));
        }
        let target = format!("{}#{}", super::RUNBOOK, name.to_lowercase());
        if rule["annotations"]["runbook"] != target.as_str() {
            found.push(format!("{name} does not point to {target}"));
        }
        if !runbook.lines().any(|line| line.strip_prefix("## ") == Some(name)) {
            found.push(format!("{name} has no chapter in {}", super::RUNBOOK));
        }
    }
    for metric in COVERED.into_iter().filter(|metric| !covered.contains(*metric)) {
        found.push(format!("no alert looks at {metric}"));
    }
    for chapter in runbook.lines().filter_map(|line| line.strip_prefix("## ")) {
        if !names.contains(chapter) {
            found.push(format!("{} tells of {chapter}, which is no alert", super::RUNBOOK));
        }
    }
    found
}

pub fn dashboard(document: &Value, counted: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["uid", "title", "schemaVersion"] {
        if document.get(key).is_none() {
            found.push(format!("it has no {key}"));
        }
    }
    let variables = document["templating"]["list"].as_array().into_iter().flatten();
    if !variables.into_iter().any(|one| one["name"] == "datasource" && one["type"] == "datasource")
    {
        found.push("its data source cannot be chosen".to_owned());
    }
    let panels: Vec<&Value> = document["panels"].as_array().into_iter().flatten().collect();
    let mut ids = BTreeSet::new();
    let mut taken: Vec<[u64; 4]> = Vec::new();
    for panel in &panels {
        let title = panel["title"].as_str().unwrap_or_default();
        if title.is_empty() || !ids.insert(panel["id"].as_u64()) {
            found.push(format!("panel `{title}` has no title or no id of its own"));
        }
        let place = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap_or(0));
        let overlaps = |other: &[u64; 4]| {
            let [x, y, w, h] = place;
            let [ox, oy, ow, oh] = *other;
            x < ox + ow && ox < x + w && y < oy + oh && oy < y + h
        };
        if place[2] == 0
            || place[3] == 0
            || place[0] + place[2] > WIDTH
            || taken.iter().any(overlaps)
        {
            found.push(format!("panel `{title}` stands on another, or beside the page"));
        }
        taken.push(place);
        if panel["type"] != "row" {
            found.extend(queries(title, panel, counted));
        }
    }
    if panels.is_empty() {
        found.push("it has no panels".to_owned());
    }
    found
}

fn queries(title: &str, panel: &Value, counted: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    if panel["description"].as_str().is_none_or(str::is_empty) {
        found.push(format!("panel `{title}` does not say what it shows"));
    }
    if panel["fieldConfig"]["defaults"]["unit"].as_str().is_none_or(str::is_empty) {
        found.push(format!("panel `{title}` has no unit"));
    }
    let targets: Vec<&Value> = panel["targets"].as_array().into_iter().flatten().collect();
    if targets.is_empty() {
        found.push(format!("panel `{title}` asks for nothing"));
    }
    for target in targets {
        let metrics = asked(target["expr"].as_str().unwrap_or_default());
        if metrics.is_empty() {
            found.push(format!("panel `{title}` has a query without a metric"));
        }
        if target["datasource"]["uid"] != DATA_SOURCE {
            found.push(format!("panel `{title}` asks a data source of its own"));
        }
        found.extend(
            unknown(&metrics, counted).into_iter().map(|one| format!("panel `{title}` {one}")),
        );
    }
    found
}

fn unknown(metrics: &BTreeSet<String>, counted: &BTreeSet<String>) -> Vec<String> {
    let names =
        metrics.difference(counted).map(|name| format!("asks for {name}, which nothing counts"));
    names.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn counted() -> BTreeSet<String> {
        COVERED.map(str::to_owned).into()
    }

    fn rules() -> Value {
        let rules: Vec<Value> = COVERED
            .iter()
            .enumerate()
            .map(|(at, metric)| {
                let runbook = format!("{}#alert{at}", super::super::RUNBOOK);
                json!({
                    "alert": format!("Alert{at}"), "expr": format!("max({metric}) > 1"),
                    "labels": { "severity": "page" },
                    "annotations": { "summary": "Look.", "runbook": runbook }
                })
            })
            .collect();
        json!({ "groups": [{ "rules": rules }] })
    }

    fn runbook() -> String {
        let chapters: Vec<String> = (0..COVERED.len()).map(|at| format!("## Alert{at}")).collect();
        chapters.join("\n")
    }

    #[test]
    fn alerts_that_ask_for_what_is_counted_and_say_what_to_do_are_fine() {
        assert_eq!(alerts(&rules(), &counted(), &runbook()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_of_an_alert_is_named() {
        for (pointer, to, said) in [
            ("/expr", json!("max(gone) > 1"), "asks for gone, which nothing counts"),
            ("/expr", json!("max(gone) > 1"), "no alert looks at mercat_outbox_oldest_seconds"),
            ("/labels/severity", json!("loud"), "neither for a page"),
            ("/annotations/summary", json!(""), "has no summary"),
            ("/annotations/runbook", json!("x"), "does not point to"),
            ("/alert", json!("Alert1"), "is there twice"),
            ("/alert", json!("Other"), "has no chapter"),
            ("/alert", json!("Other"), "tells of Alert0, which is no alert"),
        ] {
            let mut broken = rules();
            *broken.pointer_mut(&format!("/groups/0/rules/0{pointer}")).unwrap() = to;
            let found = alerts(&broken, &counted(), &runbook());
            assert!(found.iter().any(|one| one.contains(said)), "{pointer}: {found:?}");
        }
    }

    fn page() -> Value {
        let panel = |id: u64, x: u64| {
            json!({
                "id": id, "type": "timeseries", "title": "One", "description": "What it is.",
                "gridPos": { "x": x, "y": 0, "w": 12, "h": 8 },
                "fieldConfig": { "defaults": { "unit": "s" } },
                "targets": [{ "datasource": { "uid": DATA_SOURCE }, "expr": "sum(http_requests_total)" }]
            })
        };
        json!({
            "uid": "a", "title": "A", "schemaVersion": 39,
            "templating": { "list": [{ "name": "datasource", "type": "datasource" }] },
            "panels": [panel(1, 0), panel(2, 12)]
        })
    }

    #[test]
    fn a_dashboard_whose_panels_are_whole_is_fine() {
        assert_eq!(dashboard(&page(), &counted()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_of_a_dashboard_is_named() {
        for (pointer, to, said) in [
            ("/templating/list", json!([]), "cannot be chosen"),
            ("/panels", json!([]), "has no panels"),
            ("/panels/1/id", json!(1), "no id of its own"),
            ("/panels/1/gridPos/x", json!(11), "stands on another"),
            ("/panels/1/gridPos/x", json!(13), "beside the page"),
            ("/panels/1/description", json!(""), "does not say what it shows"),
            ("/panels/1/fieldConfig/defaults/unit", Value::Null, "has no unit"),
            ("/panels/1/targets", json!([]), "asks for nothing"),
            ("/panels/1/targets/0/expr", json!("1"), "without a metric"),
            ("/panels/1/targets/0/expr", json!("rate(gone[5m])"), "asks for gone"),
            ("/panels/1/targets/0/datasource/uid", json!("x"), "data source of its own"),
        ] {
            let mut broken = page();
            *broken.pointer_mut(pointer).unwrap() = to;
            let found = dashboard(&broken, &counted());
            assert!(found.iter().any(|one| one.contains(said)), "{pointer}: {found:?}");
        }
    }
}
