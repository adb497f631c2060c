//! Card numbers do not come in by a file either.

use crate::domain::import::columns::normal;
use crate::domain::import::rows::FileError;
use crate::domain::import::{Group, Layout, RowError};

/// Says what is wrong with a text that may not come in, given the name of its field.
pub type Refuse = fn(&str, &str) -> Option<String>;

/// One of them is enough to know that the rows are broken; a file may hold thousands.
const MAX_ERRORS: usize = 20;

/// Refuses a file whose header holds one: headers become keys of attributes.
pub(super) fn check_header(layout: &Layout, refuse: Refuse) -> Result<(), FileError> {
    let found = layout.names.iter().any(|name| refusal(refuse, "", name).is_some());
    if found {
        return Err(FileError::Header("the name of a column looks like a card number".to_owned()));
    }
    Ok(())
}

/// An error for each cell that looks like a card number or holds a NUL; none repeats the cell.
pub(super) fn errors(group: &Group, layout: &Layout, refuse: Refuse) -> Vec<RowError> {
    let mut errors = Vec::new();
    for record in &group.records {
        if !record.cells().any(is_suspicious) {
            continue;
        }
        for (index, cell) in record.cells().enumerate() {
            let name = layout.name(index);
            if is_suspicious(cell)
                && errors.len() < MAX_ERRORS
                && let Some(message) = refusal(refuse, name.unwrap_or(""), cell)
            {
                errors.push(RowError::new(record.line, name, "", message));
            }
        }
    }
    errors
}

/// Thirteen digits with nothing but blanks and hyphens between them, or a NUL.
fn is_suspicious(cell: &str) -> bool {
    let mut digits = 0;
    for byte in cell.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' => {}
            0 => return true,
            _ => digits = 0,
        }
        if digits >= 13 {
            return true;
        }
    }
    false
}

/// The rule of JSON bodies, under the name that the column would have there: codes of goods, such
/// as barcodes, are long numbers as well.
fn refusal(refuse: Refuse, column: &str, cell: &str) -> Option<String> {
    let field = normal(column).replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    refuse(field.trim_end_matches('_'), cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_asked_about_under_the_name_of_a_field() {
        let tell: Refuse = |field, text| Some(format!("{field}: {text}"));
        let told = refusal(tell, " Price / International (EUR)", "x");
        assert_eq!(told.as_deref(), Some("price___international__eur: x"));
    }

    #[test]
    fn only_what_could_be_a_number_is_looked_at() {
        for cell in ["4111-1111 1111-1", "pay 4111111111111111 now", "a\0"] {
            assert!(is_suspicious(cell), "{cell}");
        }
        for cell in ["", "123456789012", "1234567x890123", "2026-11-22T09"] {
            assert!(!is_suspicious(cell), "{cell}");
        }
    }
}
