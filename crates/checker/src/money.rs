//! Payment's database: what was authorized, captured and refunded, and the double entry of it.

use std::collections::{BTreeMap, HashSet};

use kernel::id::Uuid;
use rusqlite::CachedStatement;

use crate::Error;
use crate::report::{Finding, Invariant, Report};
use crate::shape::{Cause, Charge, LedgerEntry, Operation, Payment, PaymentStage};
use crate::snapshot::{Snapshot, uuid};

const INSERT: &str = "INSERT INTO seen_payment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let mut insert = book.prepare(INSERT)?;
    let mut entries =
        book.prepare("SELECT id, state FROM payment.ledger_entry WHERE payment_id = ?")?;
    let (mut count, mut operations) = (0, 0);
    book.each("SELECT id, state FROM payment.payment", |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let payment: Payment = match serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or("")) {
            Ok(payment) => payment,
            Err(error) => {
                let what =
                    format!("its state cannot be read, from character {} on", error.column());
                report.at(Invariant::I4).violated_by("pay", id, what);
                return Ok(());
            }
        };
        let sums = Sums::of(&payment);
        if let Some(charge) = charge_of(&payment) {
            operations += charge.captures.len() + charge.refunds.len();
            within_limits(report.at(Invariant::I4), id, charge, &sums);
            once_each(report.at(Invariant::I12), id, charge);
        }
        let ledger = entered(report.at(Invariant::I4), &mut entries, id, &done_ids(&payment))?;
        if ledger != (sums.captured, sums.refunded) {
            let what = format!(
                "captured {} and refunded {}, but the ledger says {} and {}",
                sums.captured, sums.refunded, ledger.0, ledger.1
            );
            report.at(Invariant::I4).violated_by("pay", id, what);
        }
        insert.execute((
            id.as_bytes(),
            payment.order_id.0.as_bytes(),
            sums.stage,
            sums.amount,
            sums.currency,
            charge_of(&payment).and_then(|charge| charge.reference.as_deref()),
            charge_of(&payment).is_some(),
            sums.captured,
            sums.refunded,
            sums.live,
            payment.timeline.iter().map(|at| at.at).max().unwrap_or(payment.created_at).as_micros(),
        ))?;
        Ok(())
    })?;
    report.at(Invariant::I12).looked_at(operations as u64, "captures and refunds");
    let finding = report.at(Invariant::I4);
    finding.looked_at(count, "payments");
    finding.looked_at(book.count("SELECT count(*) FROM payment.ledger_entry")?, "ledger entries");
    let sql = "SELECT e.payment_id, 'the ledger has entries of it, but there is no such payment' \
        FROM payment.ledger_entry e LEFT JOIN payment.payment p ON p.id = e.payment_id \
        WHERE p.id IS NULL";
    book.find(finding, "pay", sql)
}

/// What a payment comes to.
struct Sums {
    stage: &'static str,
    amount: Option<i64>,
    currency: Option<String>,
    captured: i64,
    refunded: i64,
    /// Held or taken, and not given back.
    live: i64,
}

fn charge_of(payment: &Payment) -> Option<&Charge> {
    match &payment.stage {
        PaymentStage::Authorized(charge) | PaymentStage::Voided { charge: Some(charge), .. } => {
            Some(charge)
        }
        _ => None,
    }
}

fn done_ids(payment: &Payment) -> Vec<&str> {
    let charge = charge_of(payment).into_iter();
    let all = charge.flat_map(|charge| charge.captures.iter().chain(&charge.refunds));
    all.filter(|operation| operation.is_done()).map(|operation| operation.id.as_str()).collect()
}

fn done(operations: &[Operation]) -> i64 {
    operations.iter().filter(|o| o.is_done()).map(|o| o.amount.amount).sum()
}

impl Sums {
    fn of(payment: &Payment) -> Self {
        let (stage, amount) = match &payment.stage {
            PaymentStage::Pending(pending) => ("pending", Some(&pending.amount)),
            PaymentStage::Authorized(charge) => ("authorized", Some(&charge.authorized)),
            PaymentStage::Declined(declined) => ("declined", Some(&declined.amount)),
            PaymentStage::Voided { amount, .. } => ("voided", amount.as_ref()),
        };
        let charge = charge_of(payment);
        let captured = charge.map_or(0, |charge| done(&charge.captures));
        let refunded = charge.map_or(0, |charge| done(&charge.refunds));
        let held = match &payment.stage {
            PaymentStage::Authorized(charge) => {
                let released = charge.void.as_ref().is_some_and(Operation::is_done);
                if released { captured } else { charge.authorized.amount }
            }
            _ => captured,
        };
        Self {
            stage,
            amount: amount.map(|money| money.amount),
            currency: amount.map(|money| money.currency.clone()),
            captured,
            refunded,
            live: held - refunded,
        }
    }
}

fn within_limits(finding: &mut Finding, id: Uuid, charge: &Charge, sums: &Sums) {
    let wanted = |operations: &[Operation]| -> i64 {
        operations.iter().filter(|o| !o.is_failed()).map(|o| o.amount.amount).sum()
    };
    let (captures, refunds) = (wanted(&charge.captures), wanted(&charge.refunds));
    if captures > charge.authorized.amount || refunds > sums.captured {
        let what = format!(
            "authorized {}, to capture {captures}, captured {}, to refund {refunds}",
            charge.authorized.amount, sums.captured
        );
        finding.violated_by("pay", id, what);
    }
    let all = charge.captures.iter().chain(&charge.refunds);
    if all.into_iter().any(|o| o.amount.currency != charge.authorized.currency) {
        finding.violated_by("pay", id, "it moves money of another currency than was authorized");
    }
}

fn once_each(finding: &mut Finding, id: Uuid, charge: &Charge) {
    let mut seen = HashSet::new();
    for operation in charge.captures.iter().chain(&charge.refunds) {
        if !seen.insert(operation.id.as_str()) {
            finding.violated_by("pay", id, format!("{} is in it twice", operation.id));
        }
    }
}

/// The captures and refunds that the ledger has of a payment.
fn entered(
    finding: &mut Finding,
    entries: &mut CachedStatement<'_>,
    id: Uuid,
    done: &[&str],
) -> Result<(i64, i64), Error> {
    let (mut captured, mut refunded) = (0, 0);
    let mut rows = entries.query([id.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let entry = uuid(row, 0)?;
        let text = row.get_ref(1)?.as_str().unwrap_or("");
        let Ok(read) = serde_json::from_str::<LedgerEntry>(text) else {
            finding.violated_by("pay", id, format!("its ledger entry {entry} cannot be read"));
            continue;
        };
        let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
        for posting in &read.postings {
            *balances.entry(&posting.amount.currency).or_default() += posting.amount.amount;
        }
        if balances.values().any(|balance| *balance != 0) {
            finding.violated_by(
                "pay",
                id,
                format!("its ledger entry {entry} does not sum to zero"),
            );
        }
        let receipts = read.postings.iter().filter(|posting| posting.account == "order_receipts");
        let received: i64 = receipts.map(|posting| -posting.amount.amount).sum();
        let operation = match &read.cause {
            Cause::Capture(operation) => {
                captured += received;
                operation
            }
            Cause::Refund(operation) => {
                refunded -= received;
                operation
            }
        };
        if !done.contains(&operation.as_str()) {
            finding.violated_by(
                "pay",
                id,
                format!("its ledger has {operation}, which it did not do"),
            );
        }
    }
    Ok((captured, refunded))
}
