//! One contract, every engine: each test here runs on memory, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

/// Stamps a contract test on each engine.
macro_rules! on_every_engine {
    ($($module:ident :: $name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test]
            async fn memory() {
                crate::$module::$name(crate::sample::memory()).await;
            }
            #[tokio::test]
            async fn sqlite() {
                let folder = tempfile::tempdir().unwrap();
                crate::$module::$name(crate::sample::sqlite(folder.path())).await;
            }
            #[tokio::test]
            async fn postgres() {
                crate::server::with_bench(crate::$module::$name).await;
            }
            #[tokio::test]
            async fn postgres_without_projections() {
                crate::server::with_plain(crate::$module::$name).await;
            }
        })*
    };
}

mod brokered;
mod contract;
mod durability;
mod executor;
mod local_bus;
mod migrations;
mod opening;
mod replicas;
mod sample;
mod server;
mod torture;
mod transfer;
mod unreadable;
