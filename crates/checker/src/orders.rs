//! Ordering's database: what orders cost, how their checkouts stand, which cart made which.

use kernel::id::Uuid;
use rusqlite::Row;

use crate::report::{Finding, Invariant, Report};
use crate::shape::{Cart, Checkout, Id, Order};
use crate::snapshot::{Snapshot, uuid};
use crate::{Error, goods};

const INSERT: &str = "INSERT INTO seen_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    read_orders(book, report.at(Invariant::I11))?;
    numbers(book, report.at(Invariant::I5))?;
    read_carts(book, report.at(Invariant::I6))?;
    read_checkouts(book, report)
}

fn read_orders(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    let mut insert = book.prepare(INSERT)?;
    let mut count = 0;
    let sql =
        "SELECT id, status, cart_id, total_minor, currency, placed_at, state FROM main.orders";
    book.each(sql, |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let order: Order = match serde_json::from_str(row.get_ref(6)?.as_str().unwrap_or("")) {
            Ok(order) => order,
            Err(error) => {
                finding.violated_by(
                    "ord",
                    id,
                    format!("its state cannot be read, from character {} on", error.column()),
                );
                // What the columns tell, so that nothing seems to belong to no order.
                let columns = (id.as_bytes(), row.get_ref(1)?.as_str().unwrap_or("?"));
                let cart = uuid(row, 2)?;
                let (total, currency): (i64, String) = (row.get(3)?, row.get(4)?);
                let (status, never) = (columns.1, i64::MAX);
                insert.execute((
                    columns.0,
                    status,
                    cart.as_bytes(),
                    total,
                    currency,
                    None::<i64>,
                    0,
                    0,
                    0,
                    never,
                ))?;
                return Ok(());
            }
        };
        if let Err(why) = adds_up(&order, row) {
            finding.violated_by("ord", id, why);
        }
        let placed_at: i64 = row.get(5)?;
        let last_at = order.timeline.iter().map(|at| at.at.as_micros()).max();
        let payment = order.stage.payment.as_ref();
        let lines = order.lines.iter().map(|line| (line.variant_id.0, line.quantity));
        insert.execute((
            id.as_bytes(),
            &order.stage.status,
            order.cart_id.0.as_bytes(),
            order.sums.total_minor,
            &order.currency,
            goods::hash(lines),
            payment.is_some(),
            payment.map_or(0, |payment| payment.captured_minor),
            payment.map_or(0, |payment| payment.refunded_minor),
            last_at.unwrap_or(placed_at),
        ))?;
        Ok(())
    })?;
    finding.looked_at(count, "orders");
    Ok(())
}

/// The sums of an order follow from its lines.
fn adds_up(order: &Order, row: &Row<'_>) -> Result<(), String> {
    let sums = &order.sums;
    let mut subtotal: i128 = 0;
    let mut tax: i128 = 0;
    for line in &order.lines {
        let amount = i128::from(line.price_minor) * i128::from(line.quantity);
        if amount != i128::from(line.amount_minor) {
            return Err(format!(
                "a line of {} at {} costs {}",
                line.quantity, line.price_minor, line.amount_minor
            ));
        }
        subtotal += amount;
        tax += i128::from(line.tax_minor);
    }
    if subtotal != i128::from(sums.subtotal_minor) {
        return Err(format!(
            "the lines sum to {subtotal}, the subtotal is {}",
            sums.subtotal_minor
        ));
    }
    let taxes: i128 = sums.taxes.iter().map(|tax| i128::from(tax.tax_minor)).sum();
    // Shipping has a tax of its own, which stands in no line.
    if taxes != i128::from(sums.tax_minor) || tax > taxes {
        return Err(format!("the tax is {}, its parts {taxes}, the lines' {tax}", sums.tax_minor));
    }
    let added = if sums.tax_included { 0 } else { taxes };
    let total =
        subtotal + i128::from(sums.shipping_minor) - i128::from(sums.discount_minor) + added;
    let column: i64 = row.get(3).map_err(|error| error.to_string())?;
    if total != i128::from(sums.total_minor) || sums.total_minor != column {
        return Err(format!(
            "it adds up to {total}, its total is {}, the column says {column}",
            sums.total_minor
        ));
    }
    Ok(())
}

/// Numbers are given one after the other in the commit that confirms: each one up to the last is
/// that of an order, or an order is gone.
fn numbers(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    const FIRST: i64 = 1001;
    let mut expected = FIRST;
    let sql = "SELECT id, number FROM main.orders WHERE number IS NOT NULL ORDER BY number";
    book.each(sql, |row| {
        let number: i64 = row.get(1)?;
        if number > expected {
            let gap = format!("the orders with the numbers {expected} to {} are gone", number - 1);
            finding.violated_by("ord", uuid(row, 0)?, gap);
        }
        expected = number + 1;
        Ok(())
    })?;
    book.each("SELECT state FROM main.counter", |row| {
        let state: serde_json::Value =
            serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or("")).unwrap_or_default();
        let last = state["last"].as_i64().unwrap_or_default();
        if last != expected - 1 {
            let what =
                format!("the last number given is {last}, that of an order {}", expected - 1);
            finding.violated("the counter of order numbers", what);
        }
        Ok(())
    })?;
    finding.looked_at((expected - FIRST).unsigned_abs(), "order numbers");
    Ok(())
}

fn read_carts(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    let mut find = book.prepare("SELECT cart FROM seen_order WHERE id = ?")?;
    let mut count = 0;
    book.each("SELECT id, state FROM main.cart", |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let cart: Cart = match serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or("")) {
            Ok(cart) => cart,
            Err(error) => {
                finding.violated_by(
                    "cart",
                    id,
                    format!("its state cannot be read, from character {} on", error.column()),
                );
                return Ok(());
            }
        };
        let Some(ordered) = cart.status.get("ordered") else { return Ok(()) };
        let mut made_by = None;
        if let Some(order) = ordered.as_str().and_then(Id::parse) {
            let mut rows = find.query([order.0.as_bytes()])?;
            if let Some(row) = rows.next()? {
                made_by = Some(uuid(row, 0)?);
            }
        }
        if made_by != Some(id) {
            finding.violated_by(
                "cart",
                id,
                format!("it made {ordered}, which is not an order of it"),
            );
        }
        Ok(())
    })?;
    finding.looked_at(count, "carts");
    let sql = "SELECT cart, 'it made ' || count(*) || ' orders that were not rejected' \
        FROM seen_order WHERE status <> 'rejected' GROUP BY cart HAVING count(*) > 1";
    book.find(finding, "cart", sql)
}

fn read_checkouts(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let mut count = 0;
    let sql = "SELECT c.id, c.status, c.state, o.status, o.total, o.currency, p.placed_at <= :quiet \
        FROM main.checkout c LEFT JOIN seen_order o ON o.id = c.id \
        LEFT JOIN main.orders p ON p.id = c.id";
    book.each(sql, |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let saga: Checkout = match serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or("")) {
            Ok(saga) => saga,
            Err(error) => {
                let what =
                    format!("its checkout cannot be read, from character {} on", error.column());
                report.at(Invariant::I9).violated_by("ord", id, what);
                return Ok(());
            }
        };
        checkout(report, row, id, &saga)
    })?;
    let finding = report.at(Invariant::I9);
    finding.looked_at(count, "checkouts");
    let sql = "SELECT o.id, 'the order has no checkout' FROM seen_order o \
        LEFT JOIN main.checkout c ON c.id = o.id WHERE c.id IS NULL";
    book.find(finding, "ord", sql)
}

fn checkout(report: &mut Report, row: &Row<'_>, id: Uuid, saga: &Checkout) -> Result<(), Error> {
    let status: String = row.get(1)?;
    let Some(order): Option<String> = row.get(3)? else {
        report.at(Invariant::I9).violated_by("ord", id, "a checkout without its order");
        return Ok(());
    };
    let finding = report.at(Invariant::I9);
    let agree = match saga.step() {
        "confirmed" => status == "done" && (order == "confirmed" || order == "cancelled"),
        "rejected" => status == "done" && order == "rejected",
        _ => status == "open" && order == "placed",
    };
    if !agree {
        let what = format!("its checkout is {status} at {:?}, the order {order}", saga.step());
        finding.violated_by("ord", id, what);
    } else if status == "open" && row.get(6)? {
        let what = format!("its checkout has not ended; it is at {:?}", saga.step());
        finding.violated_by("ord", id, what);
    }
    let (total, currency): (i64, String) = (row.get(4)?, row.get(5)?);
    if (saga.amount.amount, &saga.amount.currency) != (total, &currency) {
        let what = format!("its checkout is over {}, the order over {total}", saga.amount.amount);
        report.at(Invariant::I11).violated_by("ord", id, what);
    }
    Ok(())
}
