//! Somebody with an account, who signs out and goes on asking with what they had.

use std::sync::PoisonError;
use std::time::Duration;

use checker::journal::Use;
use serde_json::json;
use testkit::people::Customer;

use super::Load;

/// A session that ended is over everywhere after 5 s.
const BELIEVED: Duration = Duration::from_millis(5_500);
const ASKS: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

impl Load {
    /// When nothing is broken any more: comes, is served, leaves, and asks again. The checker knows
    /// when the session ended.
    pub async fn somebody_leaves(&self) {
        let buyer = Customer::register(&self.house.client()).await;
        let sessions = buyer.client.get("/v1/me/sessions").await.expect_status(200);
        let session = sessions.text("/items/0/id");
        let last = json!({ "refresh_token": buyer.refresh_token });
        self.house.client().post("/v1/auth/logout", &last).await.expect_status(204);
        self.env.sleep(BELIEVED).await;
        for _ in 0..ASKS {
            let at = self.env.now();
            let was_served = buyer.client.get("/v1/me").await.status.is_success();
            let request = Use { session: session.clone(), at, was_served };
            self.uses.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            self.env.sleep(PAUSE).await;
        }
    }

    /// Requests of sessions, as the checker takes them.
    pub fn uses(&self) -> Vec<Use> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
