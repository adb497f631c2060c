//! `GET /v1/admin/payments/{id}/ledger`

use axum::extract::State;
use axum::response::Response;
use kernel::{Money, Timestamp};
use platform::http::{PathParams, Problem, ok};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use crate::domain::ledger::{Account, Cause};
use crate::domain::{LedgerEntry, PaymentId};

/// How the money of a payment moved, in double entry.
#[utoipa::path(get, path = "/v1/admin/payments/{id}/ledger", tag = "payments",
    operation_id = "get_payment_ledger",
    params(("id" = PaymentId, Path, description = "The payment.")),
    responses((status = 200, description = "Entries and balances.", body = LedgerView)),
    extensions(("x-permission" = json!("payments:read"))))]
pub async fn get_payment_ledger(
    State(app): State<App>,
    PathParams(id): PathParams<PaymentId>,
) -> Result<Response, Problem> {
    Ok(ok(None, &LedgerView::of(id, &app.ledger(id).await?)))
}

/// The ledger of one payment.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LedgerView {
    pub payment_id: PaymentId,
    /// Oldest first; the postings of each add up to zero.
    pub entries: Vec<LedgerEntryView>,
    /// What the entries leave on each account.
    pub balances: Vec<PostingView>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct LedgerEntryView {
    /// The capture or refund that moved the money.
    #[schema(example = "cap_01h455vb4pex5vsknk084sn02q")]
    pub operation_id: String,
    pub recorded_at: Timestamp,
    pub postings: Vec<PostingView>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct PostingView {
    pub account: Account,
    /// Debits are positive, credits negative.
    pub amount: Money,
}

impl LedgerView {
    pub fn of(payment_id: PaymentId, entries: &[LedgerEntry]) -> Self {
        let mut balances: Vec<PostingView> = Vec::new();
        for posting in entries.iter().flat_map(|entry| &entry.postings) {
            match balances.iter_mut().find(|balance| balance.account == posting.account) {
                // Within one payment all is in one currency and below the limit.
                Some(balance) => {
                    balance.amount =
                        balance.amount.checked_add(posting.amount).unwrap_or(balance.amount);
                }
                None => {
                    balances.push(PostingView { account: posting.account, amount: posting.amount });
                }
            }
        }
        balances.sort_by_key(|balance| balance.account);
        let entries = entries.iter().map(LedgerEntryView::of).collect();
        Self { payment_id, entries, balances }
    }
}

impl LedgerEntryView {
    fn of(entry: &LedgerEntry) -> Self {
        Self {
            operation_id: match entry.cause {
                Cause::Capture(id) => id.to_string(),
                Cause::Refund(id) => id.to_string(),
            },
            recorded_at: entry.recorded_at,
            postings: entry
                .postings
                .iter()
                .map(|posting| PostingView { account: posting.account, amount: posting.amount })
                .collect(),
        }
    }
}
