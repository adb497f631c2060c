//! Erases answers that were kept for repeated requests, together with the person whom they show.

use platform::executor::States;
use platform::idempotency::IdempotencyKey;

use crate::domain::checkout::RequestKey;

/// A request by its key, as the domain remembers it.
pub(super) fn request(key: &IdempotencyKey) -> RequestKey {
    RequestKey {
        owner: key.owner.clone(),
        route: key.route.clone(),
        key: key.key.clone(),
        fingerprint: key.fingerprint.clone(),
    }
}

pub(super) fn key(request: RequestKey) -> IdempotencyKey {
    let RequestKey { owner, route, key, fingerprint } = request;
    IdempotencyKey { owner, route, key, fingerprint }
}

/// These requests are told from now on that their answer is gone.
pub(super) fn erase(states: &mut States<'_>, requests: Vec<RequestKey>) {
    for request in requests {
        states.erase_answer(&key(request));
    }
}
