//! What is never done without end.

use futures_util::FutureExt;

use crate::shop::Shop;

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_is_stopped() {
    let shop = Shop::in_sqlite();
    let reader = shop.executor.store().sqlite_reader().unwrap();
    // More than may run at once: the places of those that were stopped are free again.
    for _ in 0..6 {
        let (began, begins) = tokio::sync::oneshot::channel();
        let (ended, ends) = tokio::sync::oneshot::channel();
        let read = reader.read(move |connection| {
            let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                           SELECT x FROM n";
            let mut statement = connection.prepare(endless)?;
            let mut rows = statement.query([])?;
            let mut began = Some(began);
            let outcome = loop {
                match rows.next() {
                    Ok(_) => drop(began.take().map(|began| began.send(()))),
                    Err(error) => break error,
                }
            };
            ended.send(outcome.to_string()).unwrap();
            Err::<(), _>(outcome)
        });
        // The deadline of a request drops its work in the same way.
        tokio::select! {
            _ = read => unreachable!("it has no end"),
            begun = begins.fuse() => begun.unwrap(),
        }
        assert_eq!(ends.await.unwrap(), "interrupted");
    }
}
