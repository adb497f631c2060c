//! `GET /v1/search`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Currency, Money};
use platform::http::{Locales, Params, Problem, ok};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filters::{SortBy, Wanted};
use super::products::page;
use super::views::{CategoryRef, ProductCard, Reader};
use super::{App, position};
use crate::application::SearchPage;
use crate::domain::category::Tree;
use crate::ports::{Facet, Facets};

/// What to look for, among which products, in which order.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchProducts {
    /// Words of titles, SKUs, barcodes, tags, vendors and descriptions. All must be there; their
    /// beginnings are enough (but for single letters), and small typing errors are forgiven. At
    /// most 12 are looked at.
    #[garde(length(chars, min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// The handle of a category: products in it or anywhere below it.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    category: Option<String>,
    /// In any letter case.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    tag: Option<String>,
    /// In any letter case.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    vendor: Option<String>,
    /// The lowest price of the product is at least this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000i64)]
    min_price: Option<i64>,
    /// The lowest price of the product is at most this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000i64)]
    max_price: Option<i64>,
    /// Of the bounds, of sorting by price and of the price facet; the shop's own when absent.
    #[garde(skip)]
    #[param(inline)]
    currency: Option<Currency>,
    /// `true`: only what can be sold now.
    #[garde(skip)]
    available: Option<bool>,
    /// `relevance` when absent.
    #[garde(skip)]
    #[param(inline)]
    sort: Option<SortBy>,
    /// How many: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 2048)))]
    #[param(min_length = 1, max_length = 2048)]
    cursor: Option<String>,
}

/// One page of a search. A search ends after five thousand matches.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SearchView {
    pub items: Vec<ProductCard>,
    /// Hand it back as `cursor` to get the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
    /// What the matches have in common; on the first page only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub facets: Option<FacetsView>,
    /// False when there are more than ten thousand matches: the facets then count the first ones.
    /// On the first page only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub facets_exact: Option<bool>,
}

/// Most frequent first, at most fifty each.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct FacetsView {
    pub vendors: Vec<FacetView>,
    pub tags: Vec<FacetView>,
    /// Products directly in the category.
    pub categories: Vec<CategoryFacetView>,
    /// The lowest and highest price in the currency asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<PriceFacetView>,
}

/// How many matches have this value.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct FacetView {
    pub value: String,
    pub count: u64,
}

/// How many matches are in this category.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryFacetView {
    pub category: CategoryRef,
    pub count: u64,
}

/// From the cheapest to the dearest.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PriceFacetView {
    pub min: Money,
    pub max: Money,
}

/// Published products that hold all words, best match first.
#[utoipa::path(get, path = "/v1/search", tag = "products", operation_id = "search_products",
    params(SearchProducts),
    responses((status = 200, description = "A page of matches.", body = SearchView)),
    extensions(("x-permission" = json!("public"))))]
pub async fn search_products(
    State(app): State<App>,
    Locales(wanted): Locales,
    Params(params): Params<SearchProducts>,
) -> Result<Response, Problem> {
    let catalog = &app.catalog;
    let currency = params.currency.unwrap_or(catalog.settings.currency);
    let filter = Wanted {
        category: params.category.as_deref(),
        tag: params.tag.as_deref(),
        vendor: params.vendor.as_deref(),
        min_price: params.min_price,
        max_price: params.max_price,
        available: params.available,
        currency,
    };
    let after = position(params.cursor.as_deref())?;
    let first = after.is_none();
    let limit = params.limit.unwrap_or(20);
    let sort = params.sort.unwrap_or(SortBy::Relevance).sort(currency);
    let found = match filter.filter(catalog).await? {
        Some(filter) => {
            catalog.search_products(&params.q, &filter, sort, currency, after, limit).await?
        }
        None => SearchPage {
            cards: Vec::new(),
            facets: first.then(|| Facets { exact: true, ..Facets::default() }),
        },
    };
    let reader = Reader { wanted: &wanted, own: &catalog.settings.locale };
    let ids: Vec<_> =
        found.facets.iter().flat_map(|f| &f.categories).map(|facet| facet.value).collect();
    let categories = catalog.categories_of(&ids).await?;
    let items = page(&found.cards, limit, &reader);
    Ok(ok(
        None,
        &SearchView {
            items: items.items,
            next_cursor: items.next_cursor,
            facets_exact: found.facets.as_ref().map(|facets| facets.exact),
            facets: found.facets.map(|f| facets_view(f, currency, &categories, &reader)),
        },
    ))
}

fn facets_view(
    facets: Facets,
    currency: Currency,
    categories: &Tree,
    reader: &Reader<'_>,
) -> FacetsView {
    let view = |facet: Facet<String>| FacetView { value: facet.value, count: facet.count };
    let category = |facet: Facet<crate::domain::CategoryId>| {
        let category = categories.get(facet.value)?;
        let category = CategoryRef::of(facet.value, category, reader);
        Some(CategoryFacetView { category, count: facet.count })
    };
    FacetsView {
        vendors: facets.vendors.into_iter().map(view).collect(),
        tags: facets.tags.into_iter().map(view).collect(),
        categories: facets.categories.into_iter().filter_map(category).collect(),
        price: facets.price.map(|(min, max)| PriceFacetView {
            min: Money::new(min, currency),
            max: Money::new(max, currency),
        }),
    }
}
