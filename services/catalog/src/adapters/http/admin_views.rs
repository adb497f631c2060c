//! What staff see: every language, every attribute, the version.

use std::collections::BTreeMap;

use kernel::{Handle, LocalizedText, Sku, Timestamp};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::PriceView;
use crate::domain::{
    Category, CategoryId, Media, MediaId, Product, ProductId, Status, TaxClass, Variant, VariantId,
    WeightUnit,
};

/// A product with everything in it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AdminProduct {
    pub id: ProductId,
    /// Also the ETag.
    pub version: u64,
    pub handle: Handle,
    pub status: Status,
    pub title: LocalizedText,
    pub description: LocalizedText,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product_type: Option<String>,
    pub tags: Vec<String>,
    pub categories: Vec<CategoryId>,
    /// The names of the options, in order.
    pub options: Vec<String>,
    pub variants: Vec<AdminVariant>,
    pub media: Vec<AdminMedia>,
    pub seo_title: LocalizedText,
    pub seo_description: LocalizedText,
    pub attributes: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub published_at: Option<Timestamp>,
}

/// A variant with everything in it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AdminVariant {
    pub id: VariantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sku: Option<Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub barcode: Option<String>,
    pub options: Vec<String>,
    pub prices: Vec<PriceView>,
    pub weight_grams: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub weight_unit: Option<WeightUnit>,
    pub tax_class: TaxClass,
    pub requires_shipping: bool,
    pub gift_card: bool,
    pub media: Vec<MediaId>,
    pub attributes: BTreeMap<String, String>,
}

/// A picture with its texts.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AdminMedia {
    pub id: MediaId,
    pub url: String,
    pub alt: LocalizedText,
    pub attributes: BTreeMap<String, String>,
}

/// A category with everything in it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AdminCategory {
    pub id: CategoryId,
    /// Also the ETag.
    pub version: u64,
    pub handle: Handle,
    pub title: LocalizedText,
    pub description: LocalizedText,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent: Option<CategoryId>,
    pub position: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl AdminProduct {
    pub fn of(found: &Versioned<Product>) -> Self {
        let product = found.state.clone();
        Self {
            id: ProductId::from_uuid(found.id),
            version: found.version,
            handle: product.handle,
            status: product.status,
            title: product.title,
            description: product.description,
            vendor: product.vendor,
            product_type: product.product_type,
            tags: product.tags,
            categories: product.categories,
            options: product.options.into_iter().map(|option| option.name).collect(),
            variants: product.variants.into_iter().map(AdminVariant::of).collect(),
            media: product.media.into_iter().map(AdminMedia::of).collect(),
            seo_title: product.seo.title,
            seo_description: product.seo.description,
            attributes: product.attributes,
            created_at: product.created_at,
            updated_at: product.updated_at,
            published_at: product.published_at,
        }
    }
}

impl AdminVariant {
    fn of(variant: Variant) -> Self {
        Self {
            id: variant.id,
            prices: variant.prices.iter().map(PriceView::of).collect(),
            sku: variant.sku,
            barcode: variant.barcode,
            options: variant.options,
            weight_grams: variant.weight_grams,
            weight_unit: variant.weight_unit,
            tax_class: variant.tax_class,
            requires_shipping: variant.requires_shipping,
            gift_card: variant.gift_card,
            media: variant.media,
            attributes: variant.attributes,
        }
    }
}

impl AdminMedia {
    fn of(media: Media) -> Self {
        Self { id: media.id, url: media.url, alt: media.alt, attributes: media.attributes }
    }
}

impl AdminCategory {
    pub fn of(found: &Versioned<Category>) -> Self {
        let category = found.state.clone();
        Self {
            id: CategoryId::from_uuid(found.id),
            version: found.version,
            handle: category.handle,
            title: category.title,
            description: category.description,
            parent: category.parent,
            position: category.position,
            created_at: category.created_at,
            updated_at: category.updated_at,
        }
    }
}
