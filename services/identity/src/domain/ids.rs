//! The ids that identity hands out.

use kernel::typed_id;

typed_id!(
    /// A customer or a member of staff.
    AccountId,
    "acc"
);
typed_id!(
    /// A session: one sign-in and every refresh token that came of it.
    SessionId,
    "ses"
);
typed_id!(
    /// A role: a named set of permissions.
    RoleId,
    "role"
);
typed_id!(
    /// An address in a customer's book.
    AddressId,
    "adr"
);
typed_id!(
    /// An API key. The key itself starts with its id: `mk_<id>_<secret>`.
    ApiKeyId,
    "mk"
);
typed_id!(
    /// A signing key; the `kid` of a token.
    SigningKeyId,
    "sig"
);
