//! The test provider's tokens: each stands for a way in which a payment can go.

use crate::ports::Method;

/// What happens when an amount is authorized with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Approve,
    Decline(&'static str),
    /// Decided only after a while.
    NeedsTime,
    /// Charged, and the answer never comes.
    TimeoutAfterCharge,
    /// The first request with a key gets lost; later ones are approved.
    TimeoutWithoutCharge,
    /// Charged, and the answer is an error.
    ErrorAfterCharge,
}

const TOKENS: [(&str, Behaviour, &str); 7] = [
    ("tok_approved", Behaviour::Approve, "Approved at once."),
    ("tok_declined", Behaviour::Decline("card_declined"), "Declined with `card_declined`."),
    (
        "tok_insufficient_funds",
        Behaviour::Decline("insufficient_funds"),
        "Declined with `insufficient_funds`.",
    ),
    ("tok_needs_time", Behaviour::NeedsTime, "Stays undecided for some seconds, then is approved."),
    (
        "tok_timeout_after_charge",
        Behaviour::TimeoutAfterCharge,
        "Approved, but the provider does not answer; looking it up finds the charge.",
    ),
    (
        "tok_timeout_without_charge",
        Behaviour::TimeoutWithoutCharge,
        "The first request is lost without a trace; asking again is approved.",
    ),
    (
        "tok_error_after_charge",
        Behaviour::ErrorAfterCharge,
        "Approved, but the provider answers with an error; looking it up finds the charge.",
    ),
];

/// Tokens that are not in the list are declined.
pub fn behaviour(token: &str) -> Behaviour {
    TOKENS
        .iter()
        .find(|(name, _, _)| *name == token)
        .map_or(Behaviour::Decline("invalid_token"), |(_, behaviour, _)| *behaviour)
}

pub fn methods() -> Vec<Method> {
    TOKENS
        .iter()
        .map(|(token, _, description)| Method {
            token: (*token).to_owned(),
            description: (*description).to_owned(),
            test: true,
        })
        .collect()
}
