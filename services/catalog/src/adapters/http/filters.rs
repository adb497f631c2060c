//! Query parameters that lists and search have in common, turned into a filter.

use kernel::Currency;
use kernel::Money;
use platform::http::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::application::{Catalog, Error};
use crate::domain::CategoryId;
use crate::ports::{Filter, PriceRange, Sort};

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// Best match first; in a list without a search the same as `newest`.
    Relevance,
    /// What went on sale last comes first.
    Newest,
    /// By title in the shop's own locale.
    Title,
    /// Cheapest first, by the lowest price; products without a price in the currency are left out.
    PriceAsc,
    PriceDesc,
}

impl SortBy {
    pub fn sort(self, currency: Currency) -> Sort {
        match self {
            Self::Relevance => Sort::Relevance,
            Self::Newest => Sort::Newest,
            Self::Title => Sort::Title,
            Self::PriceAsc => Sort::PriceAsc(currency),
            Self::PriceDesc => Sort::PriceDesc(currency),
        }
    }
}

/// What the parameters say.
pub struct Wanted<'a> {
    pub category: Option<&'a str>,
    pub tag: Option<&'a str>,
    pub vendor: Option<&'a str>,
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub available: Option<bool>,
    pub currency: Currency,
}

impl Wanted<'_> {
    /// `None` when the category does not exist: then nothing is in it.
    pub async fn filter(self, catalog: &Catalog) -> Result<Option<Filter>, Problem> {
        let category = match self.category {
            None => None,
            Some(handle) => match catalog.category_by_handle(handle).await {
                Ok(category) => Some(CategoryId::from_uuid(category.id)),
                Err(Error::NoCategory) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        let bounded = self.min_price.is_some() || self.max_price.is_some();
        let price = bounded.then(|| PriceRange {
            currency: self.currency,
            min: self.min_price.unwrap_or(0),
            max: self.max_price.unwrap_or(Money::LIMIT),
        });
        Ok(Some(Filter {
            category,
            tag: self.tag.map(str::to_owned),
            vendor: self.vendor.map(str::to_owned),
            price,
            available: self.available.unwrap_or(false),
        }))
    }
}
