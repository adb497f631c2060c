//! The service's own binary, without the others.
#![cfg(feature = "process")]

#[tokio::test]
async fn it_migrates_and_gets_ready_though_nobody_else_runs() {
    testkit::alone::stands_alone(env!("CARGO_BIN_EXE_payment"), "payment").await;
}
