//! What lists are on every engine: their orders, the labels that a filter asks for, places.

use kernel::Currency;
use kernel::id::Uuid;
use platform::store::{Position, Value};

use super::row::{CATEGORY, TAG, VENDOR, label, labels_of};
use crate::domain::CategoryId;
use crate::ports::{Filter, Sort};

/// A label with at most this many products is rare.
pub(super) const RARE: usize = 2_000;

/// The category `$1` and all below it.
pub(super) const SUBTREE: &str = "WITH RECURSIVE tree (id) AS ( \
     SELECT id FROM category_node WHERE id = $1 UNION \
     SELECT node.id FROM category_node node JOIN tree ON node.parent = tree.id) \
     SELECT id FROM tree";

pub(super) const COUNT_CATEGORIES: &str = "SELECT count(*) FROM category_node";

/// A list as SQL: what it is sorted by, from where, in which order.
pub(super) struct Shape {
    pub key: &'static str,
    pub from: &'static str,
    pub order: &'static str,
}

const PRICED: &str = "product_price p JOIN product_listing l ON l.row = p.row";

pub(super) fn shape(sort: Sort) -> Shape {
    let (key, from, order) = match sort {
        Sort::Newest | Sort::Relevance => ("l.row", "product_listing l", "l.row DESC"),
        Sort::Title => ("l.title_key", "product_listing l", "l.title_key, l.row"),
        Sort::PriceAsc(_) => ("p.min_minor", PRICED, "p.min_minor, p.row"),
        Sort::PriceDesc(_) => ("p.min_minor", PRICED, "p.min_minor DESC, p.row DESC"),
    };
    Shape { key, from, order }
}

/// The currency of a list that is sorted by price.
pub(super) fn priced_in(sort: Sort) -> Option<Currency> {
    match sort {
        Sort::PriceAsc(currency) | Sort::PriceDesc(currency) => Some(currency),
        Sort::Newest | Sort::Title | Sort::Relevance => None,
    }
}

/// The labels that a product must have, one of each set; each set sorted.
pub(super) type Sets = Vec<(char, Vec<String>)>;

/// `subtree` are the category of the filter and all below it.
pub(super) fn label_sets(filter: &Filter, subtree: Option<Vec<Uuid>>) -> Sets {
    let mut sets = Sets::new();
    if let Some(ids) = subtree {
        let mut labels: Vec<String> =
            ids.into_iter().map(|id| category_label(CategoryId::from_uuid(id))).collect();
        labels.sort_unstable();
        sets.push((CATEGORY, labels));
    }
    if let Some(tag) = &filter.tag {
        sets.push((TAG, vec![label(tag)]));
    }
    if let Some(vendor) = &filter.vendor {
        sets.push((VENDOR, vec![label(vendor)]));
    }
    sets
}

pub(super) fn category_label(id: CategoryId) -> String {
    id.uuid().simple().to_string()
}

/// Does a row with these labels have one of each set? Asked here and not in SQL: a set may hold
/// thousands of categories, and each would be looked up for each row.
pub(super) fn has_labels(labels: &str, sets: &[(char, Vec<String>)]) -> bool {
    sets.iter().all(|(kind, wanted)| {
        labels_of(labels).any(|(own, name)| {
            own == *kind
                && match wanted.as_slice() {
                    [one] if name.is_ascii() => name.eq_ignore_ascii_case(one),
                    many => many.binary_search(&label(name)).is_ok(),
                }
        })
    })
}

/// A place in a list: the sorted value, and the row in the place of an id.
pub(super) fn position(value: Value, row: i64) -> Position {
    Position { value, id: Uuid::from_u128(row as u128) }
}

/// The row that a place names.
pub(super) fn row_of(position: &Position) -> i64 {
    position.id.as_u128() as i64
}
