//! Waiting for something to become true.

use std::time::Duration;

use platform::Env;

const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer. After half a minute the test fails and says
/// `what` it waited for.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, ask).await
}

/// [`until`] with another patience.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let env = Env::system();
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            env.sleep(PAUSE).await;
        }
    };
    let answer = env.timeout(patience, asking).await;
    answer.unwrap_or_else(|| panic!("after {patience:?} still not so: {what}"))
}
