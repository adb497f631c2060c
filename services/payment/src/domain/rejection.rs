//! Why a request is refused.

use kernel::{Business, ErrorKind, FieldError, Money};

use super::Status;

/// A request that the state of the payment does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such payment")]
    NoPayment,
    #[error("the order's payment is over {recorded}, not {asked}")]
    AmountMismatch { recorded: Money, asked: Money },
    #[error("an authorization is over 0 to {limit} minor units, not {asked}", limit = Money::LIMIT)]
    BadAmount { asked: i64 },
    #[error("the payment is {status}: there is no authorization to work with")]
    NotAuthorized { status: Status },
    #[error("the order was cancelled: nothing more can be captured")]
    Cancelled,
    #[error("a void is under way: nothing more can be captured")]
    BeingVoided,
    #[error("the whole authorization is captured or given back already")]
    NothingToCapture,
    #[error("cannot capture {asked}: {allowed} of the authorization is left")]
    CaptureTooLarge { asked: Money, allowed: Money },
    #[error("nothing is captured that is not refunded already")]
    NothingToRefund,
    #[error("cannot refund {asked}: {allowed} of what was captured is left")]
    RefundTooLarge { asked: Money, allowed: Money },
    #[error("a capture is under way: void when its outcome is known")]
    CapturePending,
    #[error("nothing is held that could be given back; refund what was captured")]
    NothingToVoid,
    #[error("the payment is in {expected}, not in {asked}")]
    WrongCurrency { asked: kernel::Currency, expected: kernel::Currency },
    #[error("a payment has at most {limit} operations of a kind")]
    TooManyOperations { limit: usize },
    #[error("the amount must be positive")]
    NotPositive,
}

impl Business for Rejection {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPayment => ErrorKind::NotFound,
            Self::BadAmount { .. } | Self::NotPositive => ErrorKind::Invalid,
            Self::CaptureTooLarge { .. }
            | Self::RefundTooLarge { .. }
            | Self::WrongCurrency { .. } => ErrorKind::Unprocessable,
            _ => ErrorKind::Conflict,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::NoPayment => "payment-not-found",
            Self::AmountMismatch { .. } => "amount-mismatch",
            Self::BadAmount { .. } | Self::NotPositive => "invalid-amount",
            Self::NotAuthorized { .. } => "payment-not-authorized",
            Self::Cancelled => "payment-cancelled",
            Self::BeingVoided => "void-pending",
            Self::NothingToCapture => "nothing-to-capture",
            Self::CaptureTooLarge { .. } => "capture-too-large",
            Self::NothingToRefund => "nothing-to-refund",
            Self::RefundTooLarge { .. } => "refund-too-large",
            Self::CapturePending => "capture-pending",
            Self::NothingToVoid => "nothing-to-void",
            Self::WrongCurrency { .. } => "wrong-currency",
            Self::TooManyOperations { .. } => "too-many-operations",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        let field = match self {
            Self::WrongCurrency { .. } => "amount.currency",
            Self::CaptureTooLarge { .. }
            | Self::RefundTooLarge { .. }
            | Self::NotPositive
            | Self::BadAmount { .. } => "amount.amount",
            _ => return Vec::new(),
        };
        vec![FieldError::new(field, self.to_string())]
    }
}
