//! Quotes for carts.

use contracts::catalog::v1;

use crate::shop::{Shop, on_each};

#[tokio::test]
async fn variants_are_quoted_in_the_order_asked() {
    on_each(async |shop: Shop| {
        let file = "Handle,Title,Title / de,Status,Option1 Name,Option1 Value,Variant SKU,\
Variant Price,Price / USD,Variant Grams,Variant Requires Shipping,Variant Taxable,Image Src\n\
tee,Tee,Hemd,active,Size,S,T-S,10,12,100,true,true,1.jpg\n\
tee,,,,,M,,11,,110,false,false,\n\
hat,Hat,,draft,,,H,5,,1,true,true,\n";
        assert_eq!(shop.import(file).await.errors, []);
        let staff = shop.staff();
        let list = staff.get("/v1/admin/products").await;
        let mut ids = Vec::new();
        for product in list.body["items"].as_array().unwrap() {
            for variant in product["variants"].as_array().unwrap() {
                let id = kernel::id::decode("var", variant["id"].as_str().unwrap()).unwrap();
                ids.push(id.as_bytes().to_vec());
            }
        }
        let quote = async |variant_ids: Vec<Vec<u8>>, currency: &str, locale: &str| {
            let (currency, locale) = (currency.to_owned(), locale.to_owned());
            let request = v1::QuoteVariantsRequest { variant_ids, currency, locale };
            shop.built.api.quote_variants(shop.context(), request).await
        };
        let asked = vec![ids[1].clone(), vec![7; 16], ids[0].clone(), ids[2].clone()];
        let reply = quote(asked, "EUR", "de").await.unwrap();
        assert_eq!(reply.variants.len(), 3);
        let [m, s, hat] = &reply.variants[..] else { panic!("three quotes") };
        assert_eq!(
            (m.price_minor, m.tax_class.as_str(), m.requires_shipping),
            (1100, "none", false)
        );
        assert_eq!((s.sku.as_str(), s.variant_title.as_str()), ("T-S", "S"));
        assert_eq!((s.product_title.as_str(), s.image_url.as_str()), ("Hemd", "1.jpg"));
        assert!(s.purchasable && !hat.purchasable, "drafts are not for sale");
        let reply = quote(ids.clone(), "USD", "").await.unwrap();
        assert_eq!(
            reply.variants.iter().map(|v| v.purchasable).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert!(quote(ids.clone(), "usd", "").await.is_err());
        assert!(quote(vec![vec![1]], "USD", "").await.is_err());
        assert!(quote(vec![vec![1; 16]; 201], "USD", "").await.is_err());
    })
    .await;
}
