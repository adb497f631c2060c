//! What a file says of one product. `None` means that the file has no such column, so what is
//! stored stays; an empty text means that the file says "nothing", so what is stored goes.

use kernel::{Currency, Handle, Locale, Sku};

use crate::domain::{MediaId, Status, TaxClass, VariantId, WeightUnit};

/// The rows of one product, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Where its first row begins.
    pub line: u64,
    pub handle: Handle,
    /// `None` when these rows only add to a product that rows above began: then nothing here
    /// speaks of the product as a whole.
    pub product: Option<ProductPatch>,
    /// `None` when no row names the options.
    pub options: Option<Vec<String>>,
    pub variants: Vec<VariantPatch>,
    /// In the order of their positions.
    pub media: Vec<MediaPatch>,
}

pub type Texts = Vec<(Locale, String)>;
/// Keys and values; an empty value removes the key.
pub type Pairs = Vec<(String, String)>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductPatch {
    pub status: Option<Status>,
    pub title: Texts,
    pub description: Texts,
    pub seo_title: Texts,
    pub seo_description: Texts,
    pub vendor: Option<String>,
    pub product_type: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Paths of titles from the root; the product is added to them.
    pub categories: Vec<Vec<String>>,
    pub attributes: Pairs,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VariantPatch {
    pub line: u64,
    /// Its id, should it be new.
    pub id: VariantId,
    pub options: Vec<String>,
    /// True when the row holds nothing that only a variant has: it then describes the variant of
    /// a product without options and nothing else.
    pub weak: bool,
    pub sku: Option<Option<Sku>>,
    pub barcode: Option<String>,
    pub prices: Vec<PricePatch>,
    pub weight_grams: Option<u32>,
    pub weight_unit: Option<Option<WeightUnit>>,
    pub taxable: Option<bool>,
    pub tax_class: Option<TaxClass>,
    pub requires_shipping: Option<bool>,
    pub gift_card: Option<bool>,
    /// Addresses of its pictures, the main one first.
    pub media: Option<Vec<String>>,
    pub attributes: Pairs,
    pub stock: Option<StockPatch>,
}

impl VariantPatch {
    pub fn new(line: u64) -> Self {
        Self {
            line,
            id: VariantId::from_uuid(kernel::id::Uuid::nil()),
            options: Vec::new(),
            weak: false,
            sku: None,
            barcode: None,
            prices: Vec::new(),
            weight_grams: None,
            weight_unit: None,
            taxable: None,
            tax_class: None,
            requires_shipping: None,
            gift_card: None,
            media: None,
            attributes: Vec::new(),
            stock: None,
        }
    }

    /// The patch of the price in `currency`, made when it is not there yet.
    pub fn price(&mut self, currency: Currency) -> &mut PricePatch {
        let index = self.prices.iter().position(|p| p.currency == currency).unwrap_or_else(|| {
            self.prices.push(PricePatch { currency, amount_minor: None, compare_at_minor: None });
            self.prices.len() - 1
        });
        &mut self.prices[index]
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PricePatch {
    pub currency: Currency,
    pub amount_minor: Option<Option<i64>>,
    pub compare_at_minor: Option<Option<i64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockPatch {
    pub on_hand: i64,
    /// False: stock is not counted, the variant can always be sold.
    pub tracked: bool,
    pub backorder: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MediaPatch {
    /// Its id, should it be new.
    pub id: MediaId,
    pub url: String,
    pub alt: Texts,
    pub attributes: Pairs,
}

impl MediaPatch {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            id: MediaId::from_uuid(kernel::id::Uuid::nil()),
            url: url.into(),
            alt: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl Incoming {
    /// Gives every variant and picture the id that it gets if it is new.
    pub fn assign_ids(&mut self, mut fresh: impl FnMut() -> kernel::id::Uuid) {
        for variant in &mut self.variants {
            variant.id = VariantId::from_uuid(fresh());
        }
        for media in &mut self.media {
            media.id = MediaId::from_uuid(fresh());
        }
    }

    /// The picture with this address, added at the end when it is not there yet.
    pub fn picture(&mut self, url: &str) -> &mut MediaPatch {
        let index = self.media.iter().position(|m| m.url == url).unwrap_or_else(|| {
            self.media.push(MediaPatch::new(url));
            self.media.len() - 1
        });
        &mut self.media[index]
    }
}
