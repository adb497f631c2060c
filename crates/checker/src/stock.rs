//! Inventory's database: stock, what orders hold of it, and the movements that made it.

use kernel::Timestamp;

use crate::report::{Finding, Invariant, Report};
use crate::shape::{Id, Movement, Reservation};
use crate::snapshot::{Snapshot, uuid};
use crate::{Error, goods};

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    read_reservations(book, report.at(Invariant::I2))?;
    read_sales(book, report.at(Invariant::I7))?;
    let moved = "INSERT OR IGNORE INTO touched \
        SELECT variant_id FROM inventory.movement WHERE at > ?";
    book.prepare(moved)?.execute([book.quiet().as_micros()])?;
    no_oversell(book, report.at(Invariant::I1))?;
    nothing_leaks(book, report.at(Invariant::I2))?;
    sold_once(book, report.at(Invariant::I7))
}

fn read_reservations(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    let mut insert = book.prepare("INSERT INTO seen_reservation VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut hold = book.prepare("INSERT INTO held VALUES (?, ?, ?)")?;
    let mut touch = book.prepare("INSERT OR IGNORE INTO touched VALUES (?)")?;
    let mut count = 0;
    book.each("SELECT id, state FROM inventory.reservation", |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let text = row.get_ref(1)?.as_str().unwrap_or("");
        let reservation: Reservation = match serde_json::from_str(text) {
            Ok(reservation) => reservation,
            Err(error) => {
                finding.violated_by(
                    "ord",
                    id,
                    format!("its reservation cannot be read, from character {} on", error.column()),
                );
                return Ok(());
            }
        };
        let (lines, stage) = (&reservation.lines, &reservation.stage);
        let is_active = stage.status == "active";
        let mut taken = 0;
        for line in lines {
            for split in &line.splits {
                taken += split.units;
                if is_active {
                    let (variant, location) = (line.variant.0, split.location.0);
                    hold.execute((variant.as_bytes(), location.as_bytes(), split.units))?;
                }
            }
        }
        let last_at = stage.at.unwrap_or(reservation.created_at).max(reservation.created_at);
        if last_at > book.quiet() {
            for line in lines {
                touch.execute([line.variant.0.as_bytes()])?;
            }
        }
        insert.execute((
            id.as_bytes(),
            &stage.status,
            goods::hash(lines.iter().map(|line| (line.variant.0, line.units))),
            taken,
            stage.expires_at.map(Timestamp::as_micros),
            last_at.as_micros(),
        ))?;
        Ok(())
    })?;
    finding.looked_at(count, "reservations");
    Ok(())
}

/// What left the shelves for an order, and came back.
fn read_sales(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    let mut insert = book.prepare(
        "INSERT INTO moved VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE \
         SET units = units + excluded.units, last_at = max(last_at, excluded.last_at)",
    )?;
    let mut count = 0;
    let sql = "SELECT id, delta, at, state FROM inventory.movement \
               WHERE kind IN ('sale', 'oversold', 'return')";
    book.each(sql, |row| {
        count += 1;
        let movement = serde_json::from_str::<Movement>(row.get_ref(3)?.as_str().unwrap_or(""));
        let reference = movement.ok().and_then(|movement| movement.reference);
        let Some(order) = reference.as_deref().and_then(Id::parse) else {
            finding.violated_by("mov", uuid(row, 0)?, "units were sold to no order");
            return Ok(());
        };
        let (delta, at): (i64, i64) = (row.get(1)?, row.get(2)?);
        insert.execute((order.0.as_bytes(), -delta, at))?;
        Ok(())
    })?;
    finding.looked_at(count, "movements of orders");
    Ok(())
}

fn no_oversell(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    finding.looked_at(book.count("SELECT count(*) FROM inventory.stock")?, "stock rows");
    finding.looked_at(book.count("SELECT count(*) FROM inventory.movement")?, "movements");
    book.find(
        finding,
        "var",
        "SELECT variant_id, printf('%d on hand, %d reserved, %d sold that were not there', \
            on_hand, reserved, oversold) FROM inventory.stock \
         WHERE reserved < 0 OR oversold <> 0 \
            OR (tracked = 1 AND backorder = 0 AND reserved > on_hand)",
    )?;
    book.find(
        finding,
        "var",
        "SELECT variant_id, printf('%d on hand, but its movements add up to %d', \
            -sum(counted), sum(delta)) \
         FROM (SELECT variant_id, location_id, delta, 0 AS counted FROM inventory.movement \
            UNION ALL SELECT variant_id, location_id, 0, -on_hand FROM inventory.stock) \
         GROUP BY variant_id, location_id HAVING sum(delta) + sum(counted) <> 0",
    )
}

fn nothing_leaks(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    book.find(
        finding,
        "var",
        "SELECT variant, printf('%d reserved, but orders hold %d', -sum(reserved), sum(units)) \
         FROM (SELECT variant, location, units, 0 AS reserved FROM held \
            UNION ALL SELECT variant_id, location_id, 0, -reserved FROM inventory.stock) \
         GROUP BY variant, location HAVING sum(units) + sum(reserved) <> 0",
    )?;
    // An order that is being decided keeps its units for as long as that takes, and a confirmed one
    // until its event comes: that it takes too long is the matter of others.
    book.find(
        finding,
        "ord",
        "SELECT r.id, 'its reservation is past its time' \
         FROM seen_reservation r LEFT JOIN seen_order o ON o.id = r.id \
         WHERE r.status = 'active' AND r.expires_at < :expired \
            AND coalesce(o.status, 'missing') NOT IN ('placed', 'confirmed')",
    )
}

/// The commit of a reservation and its movements are one transaction.
fn sold_once(book: &Snapshot, finding: &mut Finding) -> Result<(), Error> {
    book.find(
        finding,
        "ord",
        "SELECT id, printf('%d units are sold to it, %d left the shelves', sum(sold), sum(moved)) \
         FROM (SELECT id, taken AS sold, 0 AS moved FROM seen_reservation \
                WHERE status = 'committed' \
            UNION ALL SELECT id, 0, units FROM moved) \
         GROUP BY id HAVING sum(sold) <> sum(moved)",
    )
}
