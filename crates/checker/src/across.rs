//! What must agree between databases once things went quiet. What changed lately is left aside on
//! either side of a comparison.

use crate::Error;
use crate::report::{Invariant, Report};
use crate::snapshot::Snapshot;

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let orders = book.count("SELECT count(*) FROM seen_order")?;
    for invariant in [Invariant::I3, Invariant::I7, Invariant::I10] {
        report.at(invariant).looked_at(orders, "orders");
    }
    goods(book, report)?;
    money(book, report)?;
    origins(book, report)
}

/// Orders and reservations.
fn goods(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    book.find(
        report.at(Invariant::I2),
        "ord",
        "SELECT r.id, printf('it is %s and still holds units', o.status) \
         FROM seen_reservation r JOIN seen_order o ON o.id = r.id \
         WHERE r.status = 'active' AND o.status <> 'placed' \
            AND o.last_at <= :quiet AND r.last_at <= :quiet",
    )?;
    // A reservation that is still active is the matter of I2.
    book.find(
        report.at(Invariant::I7),
        "ord",
        "SELECT o.id, printf('it is %s, its reservation %s', o.status, coalesce(r.status, 'missing')) \
         FROM seen_order o LEFT JOIN seen_reservation r ON r.id = o.id \
         WHERE o.last_at <= :quiet AND coalesce(r.last_at, 0) <= :quiet \
            AND coalesce(r.status, 'missing') <> 'active' AND CASE o.status \
                WHEN 'confirmed' THEN r.status IS NOT 'committed' \
                WHEN 'cancelled' THEN r.status IS NOT 'returned' \
                WHEN 'rejected' THEN r.status IN ('committed', 'returned') \
                ELSE 0 END",
    )?;
    book.find(
        report.at(Invariant::I7),
        "ord",
        "SELECT o.id, 'what it sells is not what left the shelves' \
         FROM seen_order o JOIN seen_reservation r ON r.id = o.id \
         WHERE o.status = 'confirmed' AND r.status = 'committed' \
            AND o.goods IS NOT NULL AND r.goods <> o.goods",
    )
}

/// Orders and payments.
fn money(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    book.find(
        report.at(Invariant::I3),
        "ord",
        "SELECT o.id, printf('it is confirmed, its payment %s', coalesce(p.stage, 'missing')) \
         FROM seen_order o LEFT JOIN seen_payment p ON p.order_id = o.id \
         WHERE o.status = 'confirmed' AND o.total > 0 AND coalesce(p.had_charge, 0) = 0 \
            AND o.last_at <= :quiet",
    )?;
    book.find(
        report.at(Invariant::I3),
        "pay",
        "SELECT p.id, printf('%d %s are held or taken, but the order is %s', \
            p.live, p.currency, o.status) \
         FROM seen_payment p JOIN seen_order o ON o.id = p.order_id \
         WHERE p.live <> 0 AND o.status IN ('rejected', 'cancelled') \
            AND p.last_at <= :quiet AND o.last_at <= :quiet",
    )?;
    book.find(
        report.at(Invariant::I7),
        "ord",
        "SELECT o.id, printf('it knows of %d captured and %d refunded; payment has %d and %d', \
            o.captured, o.refunded, p.captured, p.refunded) \
         FROM seen_order o JOIN seen_payment p ON p.order_id = o.id \
         WHERE o.payment_known AND (o.captured <> p.captured OR o.refunded <> p.refunded) \
            AND o.last_at <= :quiet AND p.last_at <= :quiet",
    )?;
    // An order never changes its total, so this needs no quiet.
    book.find(
        report.at(Invariant::I11),
        "pay",
        "SELECT p.id, printf('it is over %d %s, the order over %d %s', \
            p.amount, p.currency, o.total, o.currency) \
         FROM seen_payment p JOIN seen_order o ON o.id = p.order_id \
         WHERE p.amount IS NOT NULL AND (p.amount <> o.total OR p.currency <> o.currency)",
    )
}

/// Each row of another service belongs to an order.
fn origins(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let finding = report.at(Invariant::I10);
    book.find(
        finding,
        "ord",
        "SELECT r.id, 'units were reserved for it, but there is no such order' \
         FROM seen_reservation r LEFT JOIN seen_order o ON o.id = r.id \
         WHERE o.id IS NULL AND r.last_at <= :quiet",
    )?;
    book.find(
        finding,
        "pay",
        "SELECT p.id, 'a payment of no order' \
         FROM seen_payment p LEFT JOIN seen_order o ON o.id = p.order_id \
         WHERE o.id IS NULL AND p.last_at <= :quiet",
    )?;
    book.find(
        finding,
        "ord",
        "SELECT m.id, 'units were sold to it, but there is no such order' \
         FROM moved m LEFT JOIN seen_order o ON o.id = m.id \
         WHERE o.id IS NULL AND m.last_at <= :quiet",
    )
}

/// Our books and the provider's.
pub fn check_provider(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let charges = book.count("SELECT count(*) FROM charge")?;
    for invariant in [Invariant::I3, Invariant::I4, Invariant::I10, Invariant::I11] {
        report.at(invariant).looked_at(charges, "charges at the provider");
    }
    let keys = book.count("SELECT count(*) FROM provider_key")?;
    report.at(Invariant::I12).looked_at(keys, "keys at the provider");
    each_charge_is_wanted(book, report)?;
    book.find(
        report.at(Invariant::I4),
        "pay",
        "SELECT p.id, printf('captured %d, refunded %d; at the provider %d and %d', \
            p.captured, p.refunded, c.captured, c.refunded) \
         FROM charge c JOIN seen_payment p ON p.id = c.payment \
         WHERE (p.captured <> c.captured OR p.refunded <> c.refunded) \
            AND p.last_at <= :quiet AND c.last_at <= :quiet",
    )?;
    book.find(
        report.at(Invariant::I11),
        "pay",
        "SELECT p.id, printf('it is over %d %s, the charge over %d %s', \
            p.amount, p.currency, c.authorized, c.currency) \
         FROM charge c JOIN seen_payment p ON p.id = c.payment \
         WHERE p.amount IS NOT NULL AND (p.amount <> c.authorized OR p.currency <> c.currency)",
    )?;
    book.each(
        "SELECT key, printf('the provider did this %s %d times', operation, times) \
         FROM provider_key WHERE times > 1 AND operation <> 'authorize'",
        |row| {
            let key: String = row.get(0)?;
            report.at(Invariant::I12).violated(key, row.get::<_, String>(1)?);
            Ok(())
        },
    )
}

fn each_charge_is_wanted(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    book.find(
        report.at(Invariant::I3),
        "pay",
        "SELECT c.payment, printf('the provider holds %d %s of it; here it holds %d and is %s', \
            iif(c.voided, c.captured, c.authorized) - c.refunded, c.currency, p.live, p.stage) \
         FROM charge c JOIN seen_payment p ON p.id = c.payment \
         WHERE (iif(c.voided, c.captured, c.authorized) - c.refunded <> 0) <> (p.live <> 0) \
            AND p.last_at <= :quiet AND c.last_at <= :quiet",
    )?;
    book.find(
        report.at(Invariant::I3),
        "pay",
        "SELECT p.id, 'the provider does not know of its charge' \
         FROM seen_payment p LEFT JOIN charge c ON c.reference = p.reference \
         WHERE p.reference IS NOT NULL AND c.reference IS NULL AND p.last_at <= :quiet",
    )?;
    book.each(
        "SELECT c.key, printf('a charge of %d %s that no payment knows of', \
            c.authorized, c.currency) \
         FROM charge c LEFT JOIN seen_payment p ON p.id = c.payment \
         WHERE p.id IS NULL AND c.last_at <= :quiet \
         UNION ALL SELECT key, printf('charged %d times under one key', times) \
         FROM provider_key WHERE times > 1 AND operation = 'authorize'",
        |row| {
            let key: String = row.get(0)?;
            report.at(Invariant::I10).violated(key, row.get::<_, String>(1)?);
            Ok(())
        },
    )?;
    book.find(
        report.at(Invariant::I10),
        "ord",
        "SELECT order_id, printf('the provider made %d charges for it', count(*)) FROM charge \
         WHERE order_id IS NOT NULL GROUP BY order_id HAVING count(*) > 1",
    )
}
