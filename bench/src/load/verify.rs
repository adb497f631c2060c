//! Reads back what a load bought, as staff see it, and compares: every order is there as its buyer
//! was told, numbers have no gap and no twin, and what left the shelves is what was ordered.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Deserialize;

use super::buyer::Tally;
use super::shelf::{self, STOCK};
use crate::staff::Admin;
use crate::{Outcome, clock};

/// What follows an order follows within a moment; this is a very long one.
const SETTLE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);

/// What was found.
#[derive(Debug, Default)]
pub struct Audit {
    pub orders: u64,
    pub units_ordered: i64,
    pub units_gone: i64,
    /// From the end of the load until no stock was reserved any more.
    pub settled_after: Duration,
    pub failures: Vec<String>,
}

#[derive(Default)]
struct Orders {
    /// Total by id.
    confirmed: HashMap<String, (u64, i64)>,
    others: u64,
    units: i64,
}

pub async fn audit(admin: &mut Admin, tally: &Tally) -> Outcome<Audit> {
    let began = clock::now();
    let mut audit = Audit::default();
    loop {
        let levels = shelf::levels(admin).await?;
        let reserved: i64 = levels.iter().map(|level| level.reserved).sum();
        audit.units_gone = levels.iter().map(|level| i64::from(STOCK) - level.on_hand).sum();
        audit.settled_after = began.elapsed();
        if reserved == 0 {
            break;
        }
        if audit.settled_after > SETTLE {
            audit.failures.push(format!("{reserved} units are still reserved after {SETTLE:?}"));
            break;
        }
        clock::sleep(POLL).await;
    }
    let orders = read_orders(admin).await?;
    audit.orders = orders.confirmed.len() as u64;
    audit.units_ordered = orders.units;
    compare(&orders, tally, &mut audit);
    Ok(audit)
}

fn compare(orders: &Orders, tally: &Tally, audit: &mut Audit) {
    let mut wrong = |text: String| audit.failures.push(text);
    let numbers: HashSet<u64> = orders.confirmed.values().map(|(number, _)| *number).collect();
    let (first, last) = (numbers.iter().min().copied(), numbers.iter().max().copied());
    let span = first.zip(last).map_or(0, |(first, last)| last - first + 1);
    let count = orders.confirmed.len() as u64;
    if numbers.len() as u64 != count || span != count {
        let unique = numbers.len();
        wrong(format!("{count} orders have {unique} numbers, from {first:?} to {last:?}"));
    }
    let missing = tally.bought.iter().filter(|bought| {
        orders.confirmed.get(&bought.id) != Some(&(bought.number, bought.total_minor))
    });
    let missing = missing.count();
    if missing > 0 {
        wrong(format!("{missing} orders are not there as their buyers were told"));
    }
    let told = tally.bought.len() as u64;
    if !(told..=told + tally.unknown).contains(&count) {
        let unknown = tally.unknown;
        wrong(format!("{count} orders exist, {told} were told and {unknown} are unknown"));
    }
    if orders.others > tally.unknown {
        wrong(format!("{} orders are not confirmed", orders.others));
    }
    if audit.units_gone != audit.units_ordered {
        let (gone, ordered) = (audit.units_gone, audit.units_ordered);
        audit.failures.push(format!("{gone} units left the shelves, {ordered} were ordered"));
    }
}

async fn read_orders(admin: &mut Admin) -> Outcome<Orders> {
    #[derive(Deserialize)]
    struct Row<'a> {
        id: &'a str,
        number: Option<u64>,
        status: &'a str,
        lines: Vec<Line>,
        totals: Totals,
    }
    #[derive(Deserialize)]
    struct Line {
        quantity: i64,
    }
    #[derive(Deserialize)]
    struct Totals {
        total: Amount,
    }
    #[derive(Deserialize)]
    struct Amount {
        amount: i64,
    }
    let mut orders = Orders::default();
    let mut next = Some(String::new());
    while let Some(cursor) = next {
        let path = shelf::paged("/v1/admin/orders", &cursor);
        let reply = admin.ask("GET", &path, "", 200).await?;
        let page = shelf::page::<Row<'_>>(&reply)?;
        for row in page.items {
            if row.status != "confirmed" {
                orders.others += 1;
                continue;
            }
            orders.units += row.lines.iter().map(|line| line.quantity).sum::<i64>();
            let told = (row.number.unwrap_or(0), row.totals.total.amount);
            orders.confirmed.insert(row.id.to_owned(), told);
        }
        next = page.next_cursor.map(str::to_owned);
    }
    Ok(orders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::buyer::Bought;

    fn world(numbers: &[u64]) -> (Orders, Tally) {
        let mut tally = Tally::default();
        let mut orders = Orders { units: 5, ..Orders::default() };
        for (index, number) in numbers.iter().enumerate() {
            let id = format!("ord_{index}");
            orders.confirmed.insert(id.clone(), (*number, 100));
            tally.bought.push(Bought { id, number: *number, total_minor: 100 });
        }
        (orders, tally)
    }

    fn failures(orders: &Orders, tally: &Tally, gone: i64) -> usize {
        let units_ordered = orders.units;
        let mut audit = Audit { units_gone: gone, units_ordered, ..Audit::default() };
        compare(orders, tally, &mut audit);
        audit.failures.len()
    }

    #[test]
    fn a_clean_world_has_no_failures() {
        let (orders, tally) = world(&[2, 1, 3]);
        assert_eq!(failures(&orders, &tally, 5), 0);
    }

    #[test]
    fn a_gap_a_twin_a_lost_order_and_lost_stock_are_found() {
        for numbers in [[1, 2, 4], [1, 2, 2]] {
            let (orders, tally) = world(&numbers);
            assert_eq!(failures(&orders, &tally, 5), 1, "{numbers:?}");
        }
        let (orders, tally) = world(&[1, 2, 3]);
        assert_eq!(failures(&orders, &tally, 6), 1);
        let (mut orders, tally) = world(&[1, 2, 3]);
        orders.confirmed.remove("ord_2");
        assert_eq!(failures(&orders, &tally, 5), 2);
        let (mut orders, tally) = world(&[1, 2, 3]);
        orders.confirmed.insert("ord_0".to_owned(), (1, 99));
        assert_eq!(failures(&orders, &tally, 5), 1);
    }

    #[test]
    fn an_order_whose_answer_was_lost_may_exist() {
        let (mut orders, mut tally) = world(&[1, 2, 3]);
        orders.confirmed.insert("ord_3".to_owned(), (4, 1));
        assert_eq!(failures(&orders, &tally, 5), 1);
        tally.unknown = 1;
        assert_eq!(failures(&orders, &tally, 5), 0);
    }
}
