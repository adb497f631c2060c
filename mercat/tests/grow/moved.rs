//! A folder whose shop is elsewhere, or on its way there.

use std::path::Path;

use crate::{mercat, said};

const BEGUN: &str = r#"{"id": "019b3f6e-0000-7000-8000-000000000001",
    "begun_at": "2026-11-20T08:00:00Z"}"#;
const DONE: &str = r#"{"id": "019b3f6e-0000-7000-8000-000000000001",
    "begun_at": "2026-11-20T08:00:00Z", "done_at": "2026-11-20T08:05:00Z"}"#;

/// Everything that would change the shop of a folder, or tell of an old one as if it were today's.
const COMMANDS: [&[&str]; 7] = [
    &["up", "--listen", "127.0.0.1:0"],
    &["up", "--topology", "loopback", "--listen", "127.0.0.1:0"],
    &["migrate"],
    &["import", "products.csv"],
    &["export"],
    &["staff", "reset-password", "admin@mercat.local"],
    &["events", "parked"],
];

fn refusals(folder: &Path) -> Vec<String> {
    let each = COMMANDS.iter().map(|words| {
        let refused = mercat(folder, words);
        assert_eq!(refused.status.code(), Some(1), "{words:?}: {}", said(&refused));
        said(&refused)
    });
    each.collect()
}

#[test]
fn a_shop_that_moved_does_not_start_where_it_was() {
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    let path = folder.path();
    std::fs::write(path.join("products.csv"), "Handle,Title\n").expect("the folder is writable");
    assert!(mercat(path, &["migrate"]).status.success());
    let mark = path.join("data/move.json");

    std::fs::write(&mark, BEGUN).expect("the folder is writable");
    for refused in refusals(path) {
        assert!(refused.contains("has not arrived"), "{refused}");
        assert!(refused.contains("mercat migrate --from data"), "a way on: {refused}");
    }
    std::fs::write(&mark, DONE).expect("the folder is writable");
    for refused in refusals(path) {
        assert!(refused.contains("moved to servers (2026-11-20T08:05:00"), "{refused}");
        assert!(refused.contains("mercat serve"), "a way on: {refused}");
    }
    // And back, when somebody wants that.
    std::fs::remove_file(&mark).expect("it is there");
    assert!(mercat(path, &["migrate"]).status.success());
}

#[test]
fn a_shop_that_has_not_moved_is_not_forgotten_by_a_shop_of_processes() {
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    assert!(mercat(folder.path(), &["migrate"]).status.success());
    for content in [None, Some(BEGUN)] {
        if let Some(content) = content {
            std::fs::write(folder.path().join("data/move.json"), content)
                .expect("the folder is writable");
        }
        let nowhere = "database.url=postgres://shop@127.0.0.1:1/shop";
        let refused = mercat(folder.path(), &["up", "--topology", "kafka", "--set", nowhere]);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        let text = said(&refused);
        assert!(text.contains("holds a shop that runs in one process"), "{text}");
        assert!(text.contains("mercat migrate --from data"), "a way on: {text}");
    }
}
