//! The rows of one product: one for each variant or picture, whichever are more.

use std::collections::HashMap;

use kernel::LocalizedText;

use super::guard;
use super::plan::Plan;
use crate::domain::category::Tree;
use crate::domain::{Media, Product, Status, Variant, VariantId};

/// What inventory has stored of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockLevel {
    pub on_hand: i64,
    pub tracked: bool,
    pub backorder: bool,
}

/// Stock levels by variant.
pub type Levels = HashMap<VariantId, StockLevel>;

/// The rows of `product` under [`Plan::header`]. Variants that `stock` does not know have empty
/// stock cells.
pub fn rows(plan: &Plan, product: &Product, stock: &Levels, categories: &Tree) -> Vec<Vec<String>> {
    let count = product.variants.len().max(product.media.len());
    (0..count)
        .map(|index| {
            let row = Row {
                plan,
                product: (index == 0).then_some(product),
                variant: product.variants.get(index),
                media: product.media.get(index),
                whole: product,
                position: index + 1,
            };
            row.cells(stock, categories)
        })
        .collect()
}

struct Row<'a> {
    plan: &'a Plan,
    /// Only in the first row.
    product: Option<&'a Product>,
    variant: Option<&'a Variant>,
    media: Option<&'a Media>,
    whole: &'a Product,
    position: usize,
}

impl Row<'_> {
    fn cells(&self, stock: &Levels, categories: &Tree) -> Vec<String> {
        let mut out = vec![self.whole.handle.to_string()];
        self.describe(&mut out);
        self.options(&mut out);
        self.offer(&mut out, stock);
        self.picture(&mut out);
        self.tail(&mut out, categories);
        self.translations(&mut out);
        self.attributes(&mut out);
        out
    }

    fn product(&self, text: impl Fn(&Product) -> String) -> String {
        self.product.map(text).unwrap_or_default()
    }

    fn variant(&self, text: impl Fn(&Variant) -> String) -> String {
        self.variant.map(text).unwrap_or_default()
    }

    fn own(&self, text: &LocalizedText) -> String {
        guard(text.0.get(&self.plan.locale).map_or("", String::as_str))
    }

    fn attribute(&self, key: &str) -> String {
        self.variant(|v| guard(v.attributes.get(key).map_or("", String::as_str)))
    }

    fn describe(&self, out: &mut Vec<String>) {
        out.push(self.product(|p| self.own(&p.title)));
        out.push(self.product(|p| self.own(&p.description)));
        out.push(self.product(|p| guard(p.vendor.as_deref().unwrap_or(""))));
        let path = |p: &Product| guard(p.attributes.get("product_category").map_or("", |c| c));
        out.push(self.product(path));
        out.push(self.product(|p| guard(p.product_type.as_deref().unwrap_or(""))));
        out.push(self.product(|p| guard(&p.tags.join(", "))));
        out.push(self.product(|p| p.is_published().to_string()));
    }

    fn options(&self, out: &mut Vec<String>) {
        let plain = self.whole.options.is_empty();
        for number in 0..self.plan.options {
            let name = |p: &Product| match p.options.get(number) {
                Some(option) => guard(&option.name),
                None if plain && number == 0 => "Title".to_owned(),
                None => String::new(),
            };
            let value = |v: &Variant| match v.options.get(number) {
                Some(value) => guard(value),
                None if plain && number == 0 => "Default Title".to_owned(),
                None => String::new(),
            };
            out.push(self.product(name));
            out.push(self.variant(value));
        }
    }

    fn offer(&self, out: &mut Vec<String>, stock: &Levels) {
        out.push(self.variant(|v| guard(v.sku.as_ref().map_or("", |s| s.as_str()))));
        out.push(self.variant(grams));
        let level = self.variant.and_then(|v| stock.get(&v.id));
        out.push(match level {
            Some(level) if level.tracked => {
                let kept = self.attribute("inventory_tracker");
                if kept.is_empty() { "shopify".to_owned() } else { kept }
            }
            _ => String::new(),
        });
        out.push(level.map(|l| l.on_hand.to_string()).unwrap_or_default());
        let policy = level.map(|l| if l.backorder { "continue" } else { "deny" });
        out.push(policy.unwrap_or("").to_owned());
        out.push(self.attribute("fulfillment_service"));
        let price = |v: &Variant| v.price(self.plan.currency).cloned();
        out.push(self.variant(|v| price(v).map_or_else(String::new, |p| p.money().to_decimal())));
        out.push(self.variant(|v| compare_at(price(v).as_ref())));
        out.push(self.variant(|v| v.requires_shipping.to_string()));
        out.push(self.variant(|v| (!v.tax_class.is_none()).to_string()));
        out.push(self.variant(|v| guard(v.barcode.as_deref().unwrap_or(""))));
    }

    fn picture(&self, out: &mut Vec<String>) {
        let media = self.media;
        out.push(media.map(|m| guard(&m.url)).unwrap_or_default());
        out.push(media.map(|_| self.position.to_string()).unwrap_or_default());
        out.push(media.map(|m| self.own(&m.alt)).unwrap_or_default());
    }

    fn tail(&self, out: &mut Vec<String>, categories: &Tree) {
        out.push(self.variant(|v| v.gift_card.to_string()));
        out.push(self.product(|p| self.own(&p.seo.title)));
        out.push(self.product(|p| self.own(&p.seo.description)));
        let urls = |v: &Variant| -> Vec<String> {
            let found = v.media.iter().filter_map(|id| self.whole.media(*id));
            found.map(|m| m.url.clone()).collect()
        };
        out.push(self.variant(|v| guard(urls(v).first().map_or("", String::as_str))));
        out.push(self.variant(|v| v.weight_unit.map_or("", |u| u.code()).to_owned()));
        out.push(self.attribute("tax_code"));
        out.push(self.attribute("cost"));
        out.push(self.product(|p| {
            let word = match p.status {
                Status::Draft => "draft",
                Status::Published => "active",
                Status::Archived => "archived",
            };
            word.to_owned()
        }));
        if self.plan.categories {
            out.push(self.product(|p| guard(&category_paths(p, categories, &self.plan.locale))));
        }
        if self.plan.tax_classes {
            out.push(self.variant(|v| v.tax_class.to_string()));
        }
        if self.plan.variant_images {
            let many =
                |v: &Variant| if v.media.len() > 1 { urls(v).join(" | ") } else { String::new() };
            out.push(self.variant(|v| guard(&many(v))));
        }
    }

    fn translations(&self, out: &mut Vec<String>) {
        for currency in &self.plan.currencies {
            let price = self.variant.and_then(|v| v.price(*currency));
            out.push(price.map(|p| p.money().to_decimal()).unwrap_or_default());
            out.push(compare_at(price));
        }
        for locale in &self.plan.locales {
            let in_locale = |text: &LocalizedText| guard(text.0.get(locale).map_or("", |t| t));
            out.push(self.product(|p| in_locale(&p.title)));
            out.push(self.product(|p| in_locale(&p.description)));
            out.push(self.product(|p| in_locale(&p.seo.title)));
            out.push(self.product(|p| in_locale(&p.seo.description)));
            out.push(self.media.map(|m| in_locale(&m.alt)).unwrap_or_default());
        }
    }

    fn attributes(&self, out: &mut Vec<String>) {
        for key in &self.plan.attributes {
            out.push(self.product(|p| guard(p.attributes.get(key).map_or("", |v| v))));
        }
        for key in &self.plan.variant_attributes {
            out.push(self.attribute(key));
        }
        for key in &self.plan.image_attributes {
            let value = self.media.and_then(|m| m.attributes.get(key));
            out.push(guard(value.map_or("", String::as_str)));
        }
    }
}

/// The weight as the file gave it, as long as it still is the weight.
fn grams(variant: &Variant) -> String {
    let exact = variant.attributes.get("weight.exact").filter(|exact| {
        exact.parse::<f64>().is_ok_and(|e| (e - f64::from(variant.weight_grams)).abs() <= 0.5)
    });
    exact.cloned().unwrap_or_else(|| variant.weight_grams.to_string())
}

fn compare_at(price: Option<&crate::domain::Price>) -> String {
    price
        .and_then(crate::domain::Price::compare_at)
        .map(kernel::Money::to_decimal)
        .unwrap_or_default()
}

fn category_paths(product: &Product, categories: &Tree, locale: &kernel::Locale) -> String {
    let paths = product.categories.iter().map(|id| {
        let titles = categories.path(*id).into_iter().filter_map(|id| categories.get(id));
        titles.map(|c| c.title.choose(&[], locale).to_owned()).collect::<Vec<_>>().join(" > ")
    });
    paths.filter(|path| !path.is_empty()).collect::<Vec<_>>().join(" | ")
}
