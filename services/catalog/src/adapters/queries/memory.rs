//! The same projections in memory, for simulation and unit tests. Nothing here is fast.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use kernel::{Currency, Handle, Locale};
use platform::store::{Change, MemoryProjection, Position, Store, StoreError, Value};

use super::categories::below_in_memory;
use super::facets::Tally;
use super::lists::{position, row_of};
use super::query::{ALTERNATIVES, FEW, Term, rank, terms};
use super::row::{CATEGORY, Row, TAG, VENDOR, label};
use crate::domain::offer::{Offer, Offered};
use crate::domain::text::{distance, tolerance, words};
use crate::domain::{Availability, Category, CategoryId, Product, ProductId, VariantId};
use crate::ports::{Children, Facets, Filter, Found, Hit, Listing, MAX_MATCHES, Sort};

#[derive(Default)]
struct Tables {
    next_row: i64,
    rows: BTreeMap<i64, (ProductId, Row)>,
    by_product: HashMap<ProductId, i64>,
    offers: HashMap<VariantId, (ProductId, Offer)>,
    variants: HashMap<ProductId, Vec<VariantId>>,
    sold_out: HashSet<VariantId>,
    categories: BTreeMap<CategoryId, Category>,
}

/// Projection and [`Listing`] in one.
pub struct MemoryListing {
    locale: Locale,
    tables: RwLock<Tables>,
}

/// The listing with the store that it looks handles up in.
pub struct MemoryListingOf {
    pub listing: Arc<MemoryListing>,
    pub store: Store,
}

impl MemoryListing {
    pub fn new(locale: Locale) -> Self {
        Self { locale, tables: RwLock::default() }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl MemoryProjection for MemoryListing {
    fn apply(&self, changes: &[Change<'_>]) {
        let mut tables = self.tables.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for change in changes {
            match change.table {
                "product" => {
                    let id = ProductId::from_uuid(change.id);
                    tables.product(id, change.state_of::<Product>(), &self.locale);
                }
                "availability" => {
                    let id = VariantId::from_uuid(change.id);
                    if change.state_of::<Availability>().is_some_and(|a| !a.sellable()) {
                        tables.sold_out.insert(id);
                    } else {
                        tables.sold_out.remove(&id);
                    }
                }
                "category" => {
                    let id = CategoryId::from_uuid(change.id);
                    match change.state_of::<Category>() {
                        Some(state) => {
                            tables.categories.insert(id, state.clone());
                        }
                        None => tables.forget_category(id),
                    }
                }
                _ => {}
            }
        }
    }
}

impl Tables {
    fn product(&mut self, id: ProductId, product: Option<&Product>, locale: &Locale) {
        for variant in self.variants.remove(&id).unwrap_or_default() {
            self.offers.remove(&variant);
        }
        if let Some(product) = product {
            for variant in &product.variants {
                self.offers.insert(variant.id, (id, Offer::of(product, variant)));
            }
            self.variants.insert(id, product.variant_ids());
        }
        match product.filter(|p| p.is_published()) {
            Some(product) => {
                let row = *self.by_product.entry(id).or_insert_with(|| {
                    self.next_row += 1;
                    self.next_row
                });
                self.rows.insert(row, (id, Row::of(product, locale)));
            }
            None => {
                if let Some(row) = self.by_product.remove(&id) {
                    self.rows.remove(&row);
                }
            }
        }
    }

    fn forget_category(&mut self, id: CategoryId) {
        let label = id.uuid().simple().to_string();
        for (_, row) in self.rows.values_mut() {
            row.labels.remove(&(CATEGORY, label.clone()));
        }
        self.categories.remove(&id);
    }

    fn available(&self, product: ProductId) -> bool {
        self.variants.get(&product).into_iter().flatten().any(|v| !self.sold_out.contains(v))
    }

    fn below(&self, category: CategoryId) -> HashSet<String> {
        let under = |id: CategoryId| {
            let mut next = Some(id);
            for _ in 0..=crate::domain::category::MAX_DEPTH {
                match next {
                    Some(id) if id == category => return true,
                    Some(id) => next = self.categories.get(&id).and_then(|c| c.parent),
                    None => return false,
                }
            }
            false
        };
        let below = self.categories.keys().copied().filter(|id| under(*id));
        below.chain([category]).map(|id| id.uuid().simple().to_string()).collect()
    }

    fn passes(&self, filter: &Filter, product: ProductId, row: &Row) -> bool {
        let has = |kind: char, wanted: &dyn Fn(&str) -> bool| {
            row.labels.keys().any(|(k, label)| *k == kind && wanted(label))
        };
        let category = filter.category.is_none_or(|category| {
            let below = self.below(category);
            has(CATEGORY, &|label| below.contains(label))
        });
        category
            && filter.tag.as_ref().is_none_or(|tag| has(TAG, &|own| own == label(tag)))
            && filter.vendor.as_ref().is_none_or(|v| has(VENDOR, &|own| own == label(v)))
            && filter.price.is_none_or(|price| {
                let range = row.prices.get(&price.currency);
                range.is_some_and(|(min, _)| (price.min..=price.max).contains(min))
            })
            && (!filter.available || self.available(product))
    }

    fn key(number: i64, row: &Row, sort: Sort, rank: i64) -> Option<Value> {
        match sort {
            Sort::Newest => Some(Value::Int(number)),
            Sort::Relevance => Some(Value::Int(rank)),
            Sort::Title => Some(Value::Text(row.title_key.clone())),
            Sort::PriceAsc(currency) | Sort::PriceDesc(currency) => {
                row.prices.get(&currency).map(|(min, _)| Value::Int(*min))
            }
        }
    }

    fn page(
        &self,
        mut found: Vec<(Value, i64, ProductId)>,
        sort: Sort,
        after: Option<&Position>,
        limit: u32,
    ) -> Vec<Hit> {
        let compare = |a: (&Value, i64), b: (&Value, i64)| match sort {
            Sort::Newest => b.1.cmp(&a.1),
            Sort::PriceDesc(_) => b.0.cmp(a.0).then(b.1.cmp(&a.1)),
            Sort::Title | Sort::PriceAsc(_) => a.0.cmp(b.0).then(a.1.cmp(&b.1)),
            Sort::Relevance => a.0.cmp(b.0).then(b.1.cmp(&a.1)),
        };
        found.sort_by(|a, b| compare((&a.0, a.1), (&b.0, b.1)));
        if let Some(after) = after {
            let place = (&after.value, row_of(after));
            found.retain(|f| compare((&f.0, f.1), place).is_gt());
        }
        found.truncate(limit as usize);
        let hits = found.into_iter().map(|(key, number, product)| Hit {
            product,
            available: self.available(product),
            position: position(key, number),
        });
        hits.collect()
    }
}

/// Does a product hold every term, or, with `close`, a word that is a typing error away?
fn holds(row: &Row, terms: &[Term], close: bool) -> bool {
    let own: Vec<&str> = words(&row.words.title).chain(words(&row.words.other)).collect();
    terms.iter().all(|term| {
        own.iter().any(|word| {
            term.begins(word) || (close && term.close.iter().any(|other| other == word))
        })
    })
}

#[async_trait]
impl Listing for MemoryListingOf {
    async fn products(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Hit>, StoreError> {
        let sort = if sort == Sort::Relevance { Sort::Newest } else { sort };
        let tables = self.listing.read();
        let found = tables.rows.iter().filter_map(|(number, (product, row))| {
            let passes = tables.passes(filter, *product, row);
            let key = passes.then(|| Tables::key(*number, row, sort, 0)).flatten()?;
            Some((key, *number, *product))
        });
        Ok(tables.page(found.collect(), sort, after.as_ref(), limit))
    }

    async fn search(
        &self,
        query: &str,
        filter: &Filter,
        sort: Sort,
        currency: Currency,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Found, StoreError> {
        let mut terms = terms(query);
        let tables = self.listing.read();
        let mut ranked: Vec<(i64, i64)> = Vec::new();
        for close in [false, true] {
            if terms.is_empty() || (close && (ranked.len() >= FEW || !tables.add_close(&mut terms)))
            {
                break;
            }
            for (number, (product, row)) in &tables.rows {
                let known = ranked.iter().any(|(n, _)| n == number);
                if !known
                    && tables.passes(filter, *product, row)
                    && holds(row, &terms, close)
                    && Tables::key(*number, row, sort, 0).is_some()
                {
                    ranked.push((*number, rank(&row.title_key, &terms, close)));
                }
            }
        }
        let exact = ranked.len() < MAX_MATCHES;
        let facets = after.is_none().then(|| tables.facets(&ranked, currency, exact));
        let found = ranked.into_iter().filter_map(|(number, rank)| {
            let (product, row) = tables.rows.get(&number)?;
            Some((Tables::key(number, row, sort, rank)?, number, *product))
        });
        let hits = tables.page(found.collect(), sort, after.as_ref(), limit);
        Ok(Found { hits, facets })
    }

    async fn categories_below(
        &self,
        parents: Vec<Option<CategoryId>>,
        after: Option<Position>,
        limit: usize,
        most: usize,
    ) -> Result<Vec<Children>, StoreError> {
        let tables = self.listing.read();
        let categories = tables.categories.iter();
        Ok(below_in_memory(categories, &parents, after.as_ref(), limit, most))
    }

    async fn count_categories(&self) -> Result<usize, StoreError> {
        Ok(self.listing.read().categories.len())
    }

    async fn offers(&self, variants: &[VariantId]) -> Result<Vec<Arc<Offered>>, StoreError> {
        let tables = self.listing.read();
        let offers = variants.iter().filter_map(|variant| {
            let (product, offer) = tables.offers.get(variant)?;
            let offer = offer.clone();
            Some(Arc::new(Offered { variant: *variant, product: *product, offer }))
        });
        Ok(offers.collect())
    }

    async fn by_handles(&self, handles: Vec<Handle>) -> Result<Vec<Option<ProductId>>, StoreError> {
        let mut found = Vec::with_capacity(handles.len());
        for handle in &handles {
            found.push(super::product_by_handle(&self.store, handle).await?);
        }
        Ok(found)
    }
}

impl Tables {
    /// Gives each term the closest words of all vocabularies; false when there are none.
    fn add_close(&self, terms: &mut [Term]) -> bool {
        let mut found = false;
        for term in terms {
            let letters: Vec<char> = term.word.chars().collect();
            let max = tolerance(letters.len());
            if max == 0 || letters.len() > 32 || !letters.iter().all(|c| c.is_alphabetic()) {
                continue;
            }
            let vocabulary = self.rows.values().flat_map(|(_, row)| &row.words.vocabulary);
            let close = vocabulary.filter_map(|word| {
                let other: Vec<char> = word.chars().collect();
                distance(&letters, &other, max).filter(|d| *d > 0).map(|errors| (errors, word))
            });
            let close: BTreeSet<(usize, &String)> = close.collect();
            found |= !close.is_empty();
            term.close = close.into_iter().take(ALTERNATIVES).map(|c| c.1.clone()).collect();
        }
        found
    }

    fn facets(&self, ranked: &[(i64, i64)], currency: Currency, exact: bool) -> Facets {
        let mut tally = Tally::default();
        for (number, _) in ranked {
            if let Some((_, row)) = self.rows.get(number) {
                tally.note(&row.labels_text(), row.prices.get(&currency).copied());
            }
        }
        tally.finish(exact, |id| self.categories.contains_key(&id))
    }
}
