//! Products as rows of Shopify's format, such that importing them again changes nothing.
//!
//! What Shopify has no column for goes into columns that our importer knows: `Price / EUR`,
//! `Title / de`, `Attribute / …`, `Variant Attribute / …`, `Categories`, `Variant Tax Class`.

mod plan;
mod rows;

pub use plan::Plan;
pub use rows::{StockLevel, rows};

/// Text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV
/// injection). Text that already looks guarded gets another one, so that [`unguard`] gives back
/// what was there.
pub fn guard(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// Takes back what [`guard`] did, and what other shops' exports do alike.
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_disarmed() {
        assert_eq!(guard("=1+1"), "'=1+1");
        assert_eq!(guard("'=1"), "''=1");
        assert_eq!(guard("it's"), "it's");
        assert_eq!(unguard("'@x"), "@x");
        assert_eq!(unguard("'tis"), "'tis");
    }

    proptest! {
        #[test]
        fn guarding_loses_nothing(text in "['=+@a\t\r-]{0,6}") {
            let guarded = guard(&text);
            prop_assert_eq!(unguard(&guarded), text.as_str());
            prop_assert!(!is_formula(&guarded));
        }
    }
}
