//! What is known about an operation at the provider.

/// The outcome of asking a provider to act, or of looking an earlier request up. Only the first
/// two are final; whoever gets another one asks again later and never guesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The provider did it; `reference` is the provider's name for what it did.
    Done { reference: String },
    /// The provider will not do it, for a stable reason such as `card_declined`.
    Refused { code: String },
    /// The provider has the request and has not decided yet.
    Processing,
    /// The provider has no request under our key. Only a look-up says so.
    NeverSeen,
    /// No answer, or one that does not tell whether the provider acted.
    Unknown,
}
