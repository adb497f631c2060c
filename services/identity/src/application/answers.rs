//! Answers that are kept for repeated requests and show personal data. The account remembers which
//! they are, so that they are erased with it.

use kernel::Timestamp;
use platform::executor::States;
use platform::idempotency::{IdempotencyKey, Idempotent};

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
        states.erase_answer(&IdempotencyKey { owner, route, key, fingerprint });
    }
}
