//! Answers that are kept for repeated requests and show personal data. The account remembers which
//! they are, so that they are erased with it.

use kernel::Timestamp;
use platform::executor::States;
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use serde_json::json;

use crate::domain::{Account, SavedAnswer};

/// The key of a request whose answer will show an account.
pub(super) fn key_of<R>(once: Option<&Idempotent<R>>) -> Option<IdempotencyKey> {
    once.map(|once| once.key().clone())
}

/// Notes in `account` that the answer of this request shows it.
pub(super) fn note(
    states: &mut States<'_>,
    account: &mut Account,
    key: Option<&IdempotencyKey>,
    now: Timestamp,
) {
    let Some(key) = key else { return };
    let answer = SavedAnswer {
        owner: key.owner.clone(),
        route: key.route.clone(),
        key: key.key.clone(),
        fingerprint: key.fingerprint.clone(),
        at: now,
    };
    if let Some(oldest) = account.note_answer(answer) {
        erase(states, [oldest]);
    }
}

/// What is told instead from now on.
pub(super) fn erase(states: &mut States<'_>, answers: impl IntoIterator<Item = SavedAnswer>) {
    for SavedAnswer { owner, route, key, fingerprint, .. } in answers {
        // An answer that is not there any more is written as erased: it goes with the next sweep.
        let key = IdempotencyKey { owner, route, key, fingerprint };
        states.finish(&key, erased());
    }
}

fn erased() -> SavedResponse {
    let problem = json!({
        "type": "https://mercat.dev/problems/answer-erased",
        "title": "Answer erased",
        "status": 404,
        "detail": "The answer of this request was erased with the personal data in it.",
        "errors": [],
    });
    SavedResponse::json(404, &problem)
}
