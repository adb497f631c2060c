//! What an import tells afterwards, and while it runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing wrong with one row of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowError {
    /// The physical line of the file where the row begins; the header is line 1. 0 when no single
    /// row is meant.
    pub line: u64,
    /// The header of the column, as the file writes it.
    #[schema(required)]
    pub column: Option<String>,
    /// The beginning of what stands there.
    pub value: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl RowError {
    const VALUE_CHARS: usize = 80;

    pub fn new(line: u64, column: Option<&str>, value: &str, message: impl Into<String>) -> Self {
        let mut excerpt: String = value.chars().take(Self::VALUE_CHARS).collect();
        if excerpt.len() < value.len() {
            excerpt.push('…');
        }
        Self { line, column: column.map(str::to_owned), value: excerpt, message: message.into() }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes: u64,
    pub rows: u64,
    /// Products that are through, the failed ones included.
    pub products: u64,
    pub variants: u64,
}

/// What became of the products of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductCounts {
    pub created: u64,
    pub updated: u64,
    /// The file says what the shop already knows: nothing was written.
    pub unchanged: u64,
    /// Not imported; the errors say why.
    pub failed: u64,
}

/// What became of the stock figures of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockCounts {
    /// Figures in the file, for products that were imported.
    pub told: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Figures that inventory did not take.
    pub failed: u64,
}

/// The report of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// `shopify` or `vendure`.
    pub format: String,
    pub dry_run: bool,
    /// Rows below the header.
    pub rows: u64,
    pub products: ProductCounts,
    /// Variants of the products that were imported.
    pub variants: u64,
    pub categories_created: u64,
    pub stock: StockCounts,
    /// Columns with no meaning here; their cells are kept as attributes.
    pub unknown_columns: Vec<String>,
    /// The first thousand errors, in the order of the file.
    pub errors: Vec<RowError>,
    pub errors_total: u64,
    /// What was imported, but may not be what was meant; the first thousand.
    pub warnings: Vec<RowError>,
    pub warnings_total: u64,
}

impl Report {
    /// More errors or warnings than this are only counted.
    pub const MAX_LISTED: usize = 1_000;

    pub fn new(format: &str, dry_run: bool, unknown_columns: Vec<String>) -> Self {
        Self {
            format: format.to_owned(),
            dry_run,
            rows: 0,
            products: ProductCounts::default(),
            variants: 0,
            categories_created: 0,
            stock: StockCounts::default(),
            unknown_columns,
            errors: Vec::new(),
            errors_total: 0,
            warnings: Vec::new(),
            warnings_total: 0,
        }
    }

    pub fn add_errors(&mut self, errors: impl IntoIterator<Item = RowError>) {
        for error in errors {
            self.errors_total += 1;
            if self.errors.len() < Self::MAX_LISTED {
                self.errors.push(error);
            }
        }
    }

    pub fn add_warnings(&mut self, warnings: impl IntoIterator<Item = RowError>) {
        for warning in warnings {
            self.warnings_total += 1;
            if self.warnings.len() < Self::MAX_LISTED {
                self.warnings.push(warning);
            }
        }
    }
}
