//! Why identity says no, as business facts.

use kernel::{Business, ErrorKind, FieldError};

/// A refusal. Its text may be read by the caller; none of them tells whether an account exists,
/// except [`Rejection::EmailTaken`], which registration cannot hide without sending mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    #[error("too many failed attempts; try again in {retry_after_s} s")]
    TooManyAttempts { retry_after_s: u64 },
    #[error("the password {reason}")]
    WeakPassword { field: &'static str, reason: &'static str },
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the one-time password has expired; ask an administrator for another")]
    OneTimePasswordExpired,
    #[error("only staff accounts have one-time passwords")]
    NotStaff,
    #[error("the account is disabled; enable it first")]
    AccountDisabled,
    #[error("your own password is replaced with POST /v1/auth/password")]
    OwnPassword,
    #[error("an account with this e-mail address exists")]
    EmailTaken,
    #[error("the refresh token is unknown, used or expired; sign in again")]
    InvalidRefreshToken,
    #[error("sign in first")]
    NotSignedIn,
    #[error("there is no such account")]
    AccountNotFound,
    #[error("there is no such address")]
    AddressNotFound,
    #[error("an account keeps at most {max} addresses")]
    TooManyAddresses { max: usize },
    #[error("the address breaks a rule")]
    InvalidAddress { fields: Vec<FieldError> },
    #[error("there is no such session")]
    SessionNotFound,
    #[error("there is no such role")]
    RoleNotFound,
    #[error("a role with this name exists")]
    RoleNameTaken,
    #[error("the built-in role cannot be changed or removed")]
    BuiltInRole,
    #[error("{holders} accounts hold this role; take it from them first")]
    RoleInUse { holders: usize },
    #[error("at most {max} accounts hold one role")]
    TooManyHolders { max: usize },
    #[error("there is no role {role}")]
    UnknownRole { index: usize, role: String },
    #[error("only staff accounts have roles")]
    RolesNeedStaff,
    #[error("the last active owner cannot be disabled or lose the role")]
    LastOwner,
    #[error("nobody grants or manages what they do not hold: {}", .missing.join(", "))]
    NotHeld { missing: Vec<String> },
    #[error("a staff account is disabled by its administrators, not erased by its holder")]
    StaffErasure,
    #[error("there is no such API key")]
    ApiKeyNotFound,
    #[error("the expiry lies between now and ten years from now")]
    BadExpiry,
    #[error("the account changed meanwhile: its version is {current}")]
    StaleAccount { current: u64 },
    #[error("the role changed meanwhile: its version is {current}")]
    StaleRole { current: u64 },
    /// Another command came between the read and the decision. The use case reads again; a caller
    /// sees it only when that happens over and over.
    #[error("the account is being changed by others; try again")]
    Raced,
}

impl Business for Rejection {
    fn kind(&self) -> ErrorKind {
        use Rejection as R;
        match self {
            R::InvalidCredentials
            | R::InvalidRefreshToken
            | R::NotSignedIn
            | R::OneTimePasswordExpired => ErrorKind::Unauthenticated,
            R::TooManyAttempts { .. } => ErrorKind::TooMany,
            R::WeakPassword { .. }
            | R::WrongPassword
            | R::TooManyAddresses { .. }
            | R::TooManyHolders { .. }
            | R::UnknownRole { .. }
            | R::RolesNeedStaff
            | R::NotStaff
            | R::BadExpiry => ErrorKind::Unprocessable,
            R::InvalidAddress { .. } => ErrorKind::Invalid,
            R::AccountNotFound
            | R::AddressNotFound
            | R::SessionNotFound
            | R::RoleNotFound
            | R::ApiKeyNotFound => ErrorKind::NotFound,
            R::EmailTaken
            | R::RoleNameTaken
            | R::BuiltInRole
            | R::RoleInUse { .. }
            | R::LastOwner
            | R::StaffErasure
            | R::AccountDisabled
            | R::OwnPassword
            | R::Raced => ErrorKind::Conflict,
            R::NotHeld { .. } => ErrorKind::Forbidden,
            R::StaleAccount { .. } | R::StaleRole { .. } => ErrorKind::PreconditionFailed,
        }
    }

    fn slug(&self) -> &'static str {
        use Rejection as R;
        match self {
            R::InvalidCredentials => "invalid-credentials",
            R::TooManyAttempts { .. } => "too-many-attempts",
            R::WeakPassword { .. } => "weak-password",
            R::WrongPassword => "wrong-password",
            R::OneTimePasswordExpired => "one-time-password-expired",
            R::NotStaff => "not-staff",
            R::AccountDisabled => "account-disabled",
            R::OwnPassword => "own-password",
            R::EmailTaken => "email-taken",
            R::InvalidRefreshToken => "invalid-refresh-token",
            R::NotSignedIn => "not-signed-in",
            R::AccountNotFound => "account-not-found",
            R::AddressNotFound => "address-not-found",
            R::TooManyAddresses { .. } => "too-many-addresses",
            R::InvalidAddress { .. } => "invalid-address",
            R::SessionNotFound => "session-not-found",
            R::RoleNotFound => "role-not-found",
            R::RoleNameTaken => "role-name-taken",
            R::BuiltInRole => "built-in-role",
            R::RoleInUse { .. } => "role-in-use",
            R::TooManyHolders { .. } => "too-many-holders",
            R::UnknownRole { .. } => "unknown-role",
            R::RolesNeedStaff => "roles-need-staff",
            R::LastOwner => "last-owner",
            R::NotHeld { .. } => "permission-not-held",
            R::StaffErasure => "staff-erasure",
            R::ApiKeyNotFound => "api-key-not-found",
            R::BadExpiry => "bad-expiry",
            R::StaleAccount { .. } | R::StaleRole { .. } => "version-mismatch",
            R::Raced => "concurrent-change",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        use Rejection as R;
        let one = |field: &str| vec![FieldError::new(field, self.to_string())];
        match self {
            R::WeakPassword { field, .. } => one(field),
            R::WrongPassword => one("current_password"),
            R::EmailTaken => one("email"),
            R::RoleNameTaken => one("name"),
            R::UnknownRole { index, .. } => one(&format!("roles[{index}]")),
            R::RolesNeedStaff => one("roles"),
            R::BadExpiry => one("expires_at"),
            R::InvalidAddress { fields } => fields.clone(),
            _ => Vec::new(),
        }
    }
}
