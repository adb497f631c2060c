use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    name: String,
    http: Http,
    database: Database,
    payment: Payment,
    rates: BTreeMap<String, u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    listen: String,
    max_connections: usize,
    compress: bool,
    origins: Vec<String>,
    certificate: Option<String>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Database {
    #[default]
    Memory,
    Sqlite {
        folder: String,
    },
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Payment {
    secret: Secret,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            max_connections: 100,
            compress: false,
            origins: Vec::new(),
            certificate: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "7".into(),
            http: Http::default(),
            database: Database::default(),
            payment: Payment::default(),
            rates: BTreeMap::new(),
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn from(file: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mercat.toml");
    std::fs::write(&path, file).unwrap();
    load(Some(&path), pairs(env), &pairs(overrides))
        .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
}

#[test]
fn later_sources_win_key_by_key() {
    let config = from(
        "name = 'file'\n[http]\nlisten = 'a:1'\nmax_connections = 5\n[database.sqlite]\nfolder='x'",
        &[
            ("MERCAT_HTTP__MAX_CONNECTIONS", "6"),
            ("MERCAT_HTTP__COMPRESS", "true"),
            ("MERCAT_HTTP__ORIGINS", "https://a, https://b"),
            ("MERCAT_NAME", "12"),
            ("MERCAT_CRASH_AT", "not ours"),
            ("PATH", "/bin"),
        ],
        &[("http.max_connections", "7"), ("http.certificate", "12"), ("rates.de", "19")],
    )
    .unwrap();
    assert_eq!(config.name, "12");
    assert_eq!(config.http.listen, "a:1");
    assert_eq!(config.http.max_connections, 7);
    assert!(config.http.compress);
    assert_eq!(config.http.origins, ["https://a", "https://b"]);
    assert_eq!(config.http.certificate.as_deref(), Some("12"), "a text that looks like a number");
    assert_eq!(config.database, Database::Sqlite { folder: "x".into() });
    assert_eq!(config.rates["de"], 19);
}

#[test]
fn nothing_given_is_the_default() {
    assert_eq!(load::<Config>(None, [], &[]).unwrap(), Config::default());
}

#[test]
fn an_error_names_key_value_origin_and_what_is_right() {
    let cases = [
        (
            from("[http]\nmax_conections = 5", &[], &[]),
            "http.max_conections = 5 (file /mercat.toml): there is no such key; did you mean \
             max_connections? Known here: listen, max_connections, compress, origins, certificate",
        ),
        (
            from("", &[("MERCAT_HTTP__MAX_CONNECTIONS", "many")], &[]),
            "http.max_connections = \"many\" (variable MERCAT_HTTP__MAX_CONNECTIONS): invalid \
             type: string \"many\", expected usize",
        ),
        (
            from("", &[], &[("http.compress", "2")]),
            "http.compress = 2 (command line): invalid type: integer `2`, expected a boolean",
        ),
        (
            from("zebra = 1", &[], &[]),
            "zebra = 1 (file /mercat.toml): there is no such key. Known here: name, http, \
             database, payment, rates",
        ),
        (
            from("database = 'oracle'", &[], &[]),
            "database = \"oracle\" (file /mercat.toml): unknown variant `oracle`, expected \
             `memory` or `sqlite`",
        ),
    ];
    for (outcome, expected) in cases {
        assert_eq!(outcome.unwrap_err(), expected);
    }
    assert!(from("http = [", &[], &[]).unwrap_err().contains("line 1"));
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hunter2\n").unwrap();
    let file = path.display().to_string();
    let config = from("", &[("MERCAT_PAYMENT__SECRET_FILE", &file)], &[]).unwrap();
    assert_eq!(config.payment.secret.expose(), "hunter2");
    let printed = print(&config).unwrap() + &format!("{config:?}");
    assert!(!printed.contains("hunter2"), "{printed}");

    let both = format!("[payment]\nsecret = 'a'\nsecret_file = '{file}'");
    assert!(from(&both, &[], &[]).unwrap_err().contains("both given"));
    // They are one key: the later source counts.
    let later = from("[payment]\nsecret = 'a'", &[("MERCAT_PAYMENT__SECRET_FILE", &file)], &[]);
    assert_eq!(later.unwrap().payment.secret.expose(), "hunter2");
    let in_file = format!("[payment]\nsecret_file = '{file}'");
    let later = from(&in_file, &[("MERCAT_PAYMENT__SECRET", "b")], &[]);
    assert_eq!(later.unwrap().payment.secret.expose(), "b");
    let error = from("[payment]\nsecret = 4711", &[], &[]).unwrap_err();
    assert!(error.starts_with("payment.secret") && !error.contains("4711"), "{error}");
}

#[test]
fn a_value_is_not_a_section() {
    let error = from("name = 'x'", &[("MERCAT_NAME__FIRST", "y")], &[]).unwrap_err();
    assert!(error.starts_with("name.first (variable MERCAT_NAME__FIRST)"), "{error}");
}
