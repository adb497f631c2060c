//! Goods that do not exist: a product file in Shopify's newer format, the same in every run.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::rng::Rng;

const ADJECTIVES: &[&str] = &[
    "Amber", "Quiet", "Northern", "Folded", "Salted", "Copper", "Woven", "Evening", "Harbour",
    "Painted", "Slow", "Bright", "Mossy", "Winter", "Gentle", "Striped", "Hollow", "Velvet",
    "Rustic", "Coastal", "Meadow", "Granite", "Silver", "Smoked",
];
const NOUNS: &[&str] = &[
    "Kettle", "Jacket", "Lantern", "Notebook", "Blanket", "Teapot", "Backpack", "Scarf", "Lamp",
    "Chair", "Bowl", "Sweater", "Raincoat", "Vase", "Cushion", "Boots", "Mug", "Towel", "Basket",
    "Clock", "Gloves", "Apron", "Candle", "Tray", "Stool", "Satchel", "Tent", "Carafe",
];
const COLOURS: &[&str] = &["Kelp", "Rust", "Slate", "Ochre", "Plum", "Ivory", "Navy", "Moss"];
const SIZES: &[&str] = &["XS", "S", "M", "L", "XL"];
const VENDORS: &[&str] = &[
    "Odderby Mill",
    "Fenn & Daughters",
    "Halden Works",
    "Lark and Loom",
    "Stonebridge Supply",
    "Tarn Outfitters",
    "Wrenfield",
    "Ashgrove Studio",
    "Pellow Brothers",
    "Isle Pottery",
];
const CATEGORIES: &[&str] = &[
    "Home & Garden > Kitchen & Dining",
    "Home & Garden > Lighting",
    "Home & Garden > Linens",
    "Apparel & Accessories > Clothing",
    "Apparel & Accessories > Shoes",
    "Sporting Goods > Camping",
    "Office Supplies > Paper",
    "Furniture > Chairs",
];
const TAGS: &[&str] = &[
    "gift idea",
    "bestseller",
    "new",
    "handmade",
    "organic",
    "waterproof",
    "outdoor",
    "recycled",
    "summer",
    "winter",
    "limited",
    "classic",
    "wool",
    "ceramic",
    "linen",
];
const SENTENCES: &[&str] = &[
    "Made in small batches by people who use it themselves.",
    "It takes years of daily use, and looks better after them.",
    "The surface is treated with plant oils, so it may darken a little with time.",
    "Wash it by hand, let it dry in the shade, and it keeps its shape.",
    "Packed without plastic, in a box that makes a good second home for letters.",
    "Two people test every piece before it leaves the workshop.",
    "Light enough for a long walk, sturdy enough for a wet one.",
    "Spare parts are sold for at least ten years.",
    "Its maker says \"nobody has broken one yet\", and we believe her.",
    "Sizes run true; between two, take the larger one.",
];
const HEADER: &str = "Title,URL handle,Description,Vendor,Product category,Type,Tags,\
    Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option2 name,\
    Option2 value,Option3 name,Option3 value,Price,Compare-at price,Cost per item,Charge tax,\
    Inventory tracker,Inventory quantity,Continue selling when out of stock,\
    Weight value (grams),Weight unit for display,Requires shipping,Fulfillment service,\
    Product image URL,Image position,Image alt text,Variant image URL,Gift card,SEO title,\
    SEO description,Material (product.metafields.custom.material)";
const MAX_VARIANTS: u32 = 20;

/// A product, as far as somebody asks for it again.
#[derive(Clone, Debug)]
pub struct Product {
    pub handle: String,
    pub title: String,
    pub variants: Vec<Variant>,
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub sku: String,
    pub price_minor: i64,
    colour: &'static str,
    size: &'static str,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub products: u64,
    pub variants: u64,
    pub bytes: u64,
}

/// The products of a shop with so many variants, in the order of the file.
pub fn products(variants: u32) -> impl Iterator<Item = Product> {
    let mut left = variants;
    (0_u64..).map_while(move |index| {
        let product = (left > 0).then(|| product(index, left))?;
        left -= product.variants.len() as u32;
        Some(product)
    })
}

fn product(index: u64, at_most: u32) -> Product {
    let mut rng = Rng::new(index);
    let count = (1 + rng.below(MAX_VARIANTS)).min(at_most);
    let title = format!("{} {} {}", rng.pick(ADJECTIVES), rng.pick(ADJECTIVES), rng.pick(NOUNS));
    let handle = format!("{}-{index}", title.to_lowercase().replace(' ', "-"));
    let base = 500 + i64::from(rng.below(195)) * 100 - 1;
    let sizes = (1 + rng.below(SIZES.len() as u32)).max(count.div_ceil(COLOURS.len() as u32));
    let variant = |number: u32| Variant {
        sku: format!("B{index:06}-{number:02}"),
        price_minor: base + i64::from(number % sizes) * 50,
        colour: COLOURS[(number / sizes) as usize % COLOURS.len()],
        size: SIZES[(number % sizes) as usize],
    };
    Product { variants: (0..count).map(variant).collect(), handle, title }
}

/// Writes the file of [`products`]; each variant has `stock` units.
pub fn write_csv(mut out: impl Write, variants: u32, stock: u32) -> io::Result<Written> {
    let mut written = Written::default();
    let mut rows = format!("{HEADER}\n");
    for (index, product) in products(variants).enumerate() {
        let mut rng = Rng::new(!(index as u64));
        for (number, variant) in product.variants.iter().enumerate() {
            let (first, others) = if number == 0 {
                first_row(&product, &mut rng)
            } else {
                (format!(",{},,,,,,,", product.handle), ",,,".to_owned())
            };
            row(&mut rows, &product, variant, number, stock, &first, &others);
        }
        written.products += 1;
        written.variants += product.variants.len() as u64;
        if rows.len() > 64 * 1024 {
            written.bytes += rows.len() as u64;
            out.write_all(rows.as_bytes())?;
            rows.clear();
        }
    }
    written.bytes += rows.len() as u64;
    out.write_all(rows.as_bytes())?;
    out.flush()?;
    Ok(written)
}

/// The cells that only the first row of a product fills: before the variant's, and after.
fn first_row(product: &Product, rng: &mut Rng) -> (String, String) {
    let mut description = String::from("<p>");
    for _ in 0..2 + rng.below(4) {
        description.push_str(&rng.pick(SENTENCES).replace('"', "\"\""));
        description.push(' ');
    }
    description.push_str("</p>");
    let tags: Vec<&str> = (0..=rng.below(4)).map(|_| *rng.pick(TAGS)).collect();
    let kind = product.title.rsplit(' ').next().unwrap_or_default();
    let title = &product.title;
    let before = format!(
        "{title},{},\"{description}\",{},{},{kind},\"{}\",TRUE,Active",
        product.handle,
        rng.pick(VENDORS),
        rng.pick(CATEGORIES),
        tags.join(", "),
    );
    (before, format!("{title} | Benchmark,\"{title}, sent within two days.\",Mixed"))
}

fn row(
    rows: &mut String,
    product: &Product,
    variant: &Variant,
    number: usize,
    stock: u32,
    before: &str,
    after: &str,
) {
    let options = if product.variants.len() == 1 {
        "Title,Default Title,,,,".to_owned()
    } else if number == 0 {
        format!("Colour,{},Size,{},,", variant.colour, variant.size)
    } else {
        format!(",{},,{},,", variant.colour, variant.size)
    };
    let (sku, handle) = (&variant.sku, &product.handle);
    let (whole, cents) = (variant.price_minor / 100, variant.price_minor % 100);
    let image = format!("https://media.example.com/{handle}-{number}.jpg");
    let grams = 100 + variant.price_minor % 900;
    let position = number + 1;
    let after = if number == 0 { format!("FALSE,{after}") } else { after.to_owned() };
    let _ = writeln!(
        rows,
        "{before},{sku},,{options},{whole}.{cents:02},,,TRUE,shopify,{stock},DENY,{grams},g,TRUE,\
         manual,{image},{position},{} in {},{image},{after}",
        product.title, variant.colour,
    );
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_file_has_the_variants_asked_for_and_is_the_same_every_time() {
        for variants in [1, 7, 1_000] {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let written = write_csv(&mut one, variants, 5).unwrap();
            write_csv(&mut other, variants, 5).unwrap();
            assert_eq!(one, other);
            assert_eq!(written.variants, u64::from(variants));
            assert_eq!(written.bytes, one.len() as u64);
            assert_eq!(one.split(|b| *b == b'\n').count() as u64, written.variants + 2);
        }
    }

    #[test]
    fn skus_handles_and_combinations_of_options_are_unique() {
        let (mut skus, mut handles) = (HashSet::new(), HashSet::new());
        for product in products(5_000) {
            assert!((1..=20).contains(&product.variants.len()));
            assert!(handles.insert(product.handle.clone()), "{product:?}");
            let mut pairs = HashSet::new();
            for variant in &product.variants {
                assert!(variant.price_minor > 0);
                assert!(skus.insert(variant.sku.clone()), "{product:?}");
                assert!(pairs.insert((variant.colour, variant.size)), "{product:?}");
            }
        }
        assert_eq!(skus.len(), 5_000);
    }

    #[test]
    fn each_row_has_a_cell_for_each_header() {
        let mut bytes = Vec::new();
        write_csv(&mut bytes, 300, 5).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let cells = |line: &str| {
            let mut quoted = false;
            let commas = line.chars().filter(|c| {
                quoted ^= *c == '"';
                *c == ',' && !quoted
            });
            commas.count() + 1
        };
        for line in text.lines() {
            assert_eq!(cells(line), cells(HEADER), "{line}");
        }
    }
}
