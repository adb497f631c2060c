use kernel::Currency;
use kernel::id::Uuid;
use proptest::prelude::*;

use super::shipping::{ShippingCost, ShippingMethod, ShippingPrice, ShippingZone, WeightStep};
use super::tariff::Tariff;
use super::tax::{TaxRate, of_amount};
use super::*;
use crate::domain::ids::{ShippingZoneId, TaxRateId};

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn to(country: &str, region: Option<&str>) -> Destination {
    Destination { country: country.parse().unwrap(), region: region.map(str::to_owned) }
}

fn goods(price_minor: i64, quantity: u32) -> Goods {
    Goods {
        quantity,
        price_minor,
        weight_grams: 400,
        requires_shipping: true,
        tax_class: Some("standard".to_owned()),
    }
}

fn rate(country: &str, region: Option<&str>, class: &str, rate_ppm: u32) -> TaxRate {
    TaxRate {
        name: format!("{country} {rate_ppm}"),
        country: country.parse().unwrap(),
        region: region.map(str::to_owned),
        tax_class: class.to_owned(),
        rate_ppm,
    }
}

fn tariff(include_tax: bool) -> Tariff {
    let mut tariff = Tariff::default();
    tariff.settings.prices_include_tax = include_tax;
    let rates = [
        rate("DE", None, "standard", 190_000),
        rate("DE", None, "reduced", 70_000),
        rate("US", None, "standard", 0),
        rate("US", Some("CA"), "standard", 72_500),
    ];
    for (n, rate) in rates.into_iter().enumerate() {
        tariff.create(TaxRateId::from_uuid(uuid(n as u128)), rate).unwrap();
    }
    tariff
}

fn priced(tariff: &Tariff, goods: &[Goods], destination: Option<Destination>) -> Totals {
    let basket = Basket {
        currency: Currency::EUR,
        goods,
        taxed_in: destination.clone(),
        ships_to: destination,
    };
    total(tariff, &basket, None).unwrap()
}

#[test]
fn included_tax_is_taken_out_of_the_price() {
    let totals = priced(&tariff(true), &[goods(1190, 1)], Some(to("DE", None)));
    assert_eq!((totals.subtotal_minor, totals.shipping_minor), (1190, 490));
    assert_eq!(totals.lines[0].tax_minor, 190);
    // 4.90 contain 0.78 at 19 %.
    assert_eq!(totals.tax_minor, 190 + 78);
    assert_eq!(totals.total_minor, 1190 + 490);
}

#[test]
fn excluded_tax_comes_on_top() {
    let totals = priced(&tariff(false), &[goods(1000, 2)], Some(to("DE", None)));
    assert_eq!(totals.lines[0].tax_minor, 380);
    assert_eq!(totals.tax_minor, 380 + 93);
    assert_eq!(totals.total_minor, 2000 + 490 + 473);
    assert_eq!(totals.taxes.len(), 1);
}

#[test]
fn the_rate_of_the_region_wins_and_case_does_not_matter() {
    let tax = |region| {
        let totals = priced(&tariff(false), &[goods(10_000, 1)], Some(to("US", region)));
        totals.lines[0].rate_ppm
    };
    assert_eq!(tax(Some("ca")), 72_500);
    assert_eq!(tax(Some("NY")), 0);
    assert_eq!(tax(None), 0);
    assert_eq!(priced(&tariff(false), &[goods(100, 1)], None).tax_minor, 0);
}

#[test]
fn half_a_cent_goes_where_the_policy_says() {
    // 0.25 at 10 % are 2.5 cents.
    assert_eq!(of_amount(25, 100_000, false, Rounding::HalfUp), 3);
    assert_eq!(of_amount(25, 100_000, false, Rounding::HalfEven), 2);
    assert_eq!(of_amount(35, 100_000, false, Rounding::HalfEven), 4);
}

#[test]
fn shipping_is_free_from_the_sum_on() {
    let shipping = |price| priced(&tariff(true), &[goods(price, 1)], Some(to("DE", None)));
    assert_eq!(shipping(4999).shipping_minor, 490);
    assert_eq!(shipping(5000).shipping_minor, 0);
    assert!(matches!(shipping(5000).shipping, ShippingChoice::By(_)));
}

#[test]
fn a_zone_that_names_the_country_wins_and_weight_decides_the_price() {
    let mut tariff = tariff(true);
    let zone_id = ShippingZoneId::from_uuid(uuid(50));
    let zone = ShippingZone { name: "Alps".into(), countries: vec!["CH".parse().unwrap()] };
    tariff.create(zone_id, zone).unwrap();
    let steps = vec![
        WeightStep { up_to_grams: 1000, amount_minor: 700 },
        WeightStep { up_to_grams: 2000, amount_minor: 1400 },
    ];
    let method = ShippingMethod {
        zone_id,
        name: kernel::LocalizedText::of("en".parse().unwrap(), "Mule"),
        active: true,
        prices: vec![ShippingPrice {
            currency: Currency::EUR,
            cost: ShippingCost::ByWeight(steps),
            free_above_minor: None,
        }],
    };
    tariff.create(ShippingMethodId::from_uuid(uuid(51)), method).unwrap();
    let cost = |quantity| {
        let totals = priced(&tariff, &[goods(100, quantity)], Some(to("CH", None)));
        (totals.shipping, totals.shipping_minor)
    };
    let mule = ShippingChoice::By(ShippingMethodId::from_uuid(uuid(51)));
    assert_eq!(cost(2), (mule, 700));
    assert_eq!(cost(5), (mule, 1400));
    assert_eq!(cost(6), (ShippingChoice::NothingShips, 0));
    assert_eq!(
        tariff.remove::<ShippingZone>(zone_id, None).unwrap_err(),
        Refusal::SettingInUse("the zone has shipping methods: delete them first")
    );
}

#[test]
fn nothing_is_shipped_without_goods_to_ship_or_address() {
    let download = Goods { requires_shipping: false, ..goods(500, 1) };
    let totals = priced(&tariff(true), &[download], Some(to("DE", None)));
    assert_eq!((totals.shipping, totals.shipping_minor), (ShippingChoice::NotNeeded, 0));
    let totals = priced(&tariff(true), &[goods(500, 1)], None);
    assert_eq!(totals.shipping, ShippingChoice::AddressMissing);
}

#[test]
fn a_chosen_method_that_is_gone_is_not_silently_replaced() {
    let tariff = tariff(true);
    let sold = [goods(500, 1)];
    let basket = Basket {
        currency: Currency::EUR,
        goods: &sold,
        taxed_in: None,
        ships_to: Some(to("DE", None)),
    };
    let gone = ShippingMethodId::from_uuid(uuid(99));
    let totals = total(&tariff, &basket, Some(gone)).unwrap();
    assert_eq!(totals.shipping, ShippingChoice::Unavailable);
    let yen = Basket { currency: "XAF".parse().unwrap(), ..basket };
    assert_eq!(total(&tariff, &yen, None).unwrap().shipping, ShippingChoice::NothingShips);
}

#[test]
fn a_stale_version_and_a_second_rate_for_a_place_are_refused() {
    let mut tariff = tariff(true);
    let id = TaxRateId::from_uuid(uuid(0));
    let same = rate("DE", None, "standard", 1);
    let created = tariff.create(TaxRateId::from_uuid(uuid(77)), same.clone());
    assert_eq!(created.unwrap_err(), Refusal::SameTaxRate);
    assert_eq!(tariff.replace(id, same.clone(), Some(1)).unwrap().version, 2);
    assert_eq!(tariff.replace(id, same, Some(1)).unwrap_err(), Refusal::SettingChanged("tax rate"));
}

fn any_goods() -> impl Strategy<Value = Goods> {
    let class = prop::option::of(prop::sample::select(vec!["standard", "reduced", "odd"]));
    (0..=Money::LIMIT, 1u32..=9_999, 0i64..1_000_000_000_000, any::<bool>(), class).prop_map(
        |(price_minor, quantity, weight_grams, requires_shipping, class)| Goods {
            // Mostly small, so that sums fit; sometimes as large as money gets.
            price_minor: if price_minor % 10 == 0 { price_minor } else { price_minor % 1_000_000 },
            quantity,
            weight_grams,
            requires_shipping,
            tax_class: class.map(str::to_owned),
        },
    )
}

proptest! {
    #[test]
    fn totals_add_up_or_are_refused(
        goods in prop::collection::vec(any_goods(), 0..100),
        include_tax: bool,
        even: bool,
        destination in prop::sample::select(vec![
            None, Some(("DE", None)), Some(("US", Some("CA"))), Some(("FR", None)),
        ]),
    ) {
        let mut tariff = tariff(include_tax);
        tariff.settings.rounding = if even { Rounding::HalfEven } else { Rounding::HalfUp };
        let place = destination.map(|(country, region)| to(country, region));
        let basket = Basket {
            currency: Currency::EUR, goods: &goods, taxed_in: place.clone(), ships_to: place,
        };
        let Ok(totals) = total(&tariff, &basket, None) else {
            let sum: i128 = goods.iter().map(|g| i128::from(g.price_minor) * i128::from(g.quantity)).sum();
            prop_assert!(sum * 2 + 1_000_000 > i128::from(Money::LIMIT), "a small sum was refused");
            return Ok(());
        };
        let lines: i64 = totals.lines.iter().map(|line| line.amount_minor).sum();
        let on_top = if include_tax { 0 } else { totals.tax_minor };
        prop_assert_eq!(totals.subtotal_minor, lines);
        prop_assert_eq!(
            totals.total_minor,
            lines + on_top + totals.shipping_minor - totals.discount_minor
        );
        let by_line: i64 = totals.lines.iter().map(|line| line.tax_minor).sum();
        let by_rate: i64 = totals.taxes.iter().map(|tax| tax.tax_minor).sum();
        prop_assert_eq!(by_rate, totals.tax_minor);
        prop_assert!(by_line <= totals.tax_minor);
        prop_assert!(totals.tax_minor - by_line <= totals.shipping_minor);
        prop_assert!((0..=Money::LIMIT).contains(&totals.total_minor));
    }

    /// Nothing is rounded over several lines, so nothing depends on which comes first.
    #[test]
    fn the_order_of_the_lines_changes_no_sum(
        goods in prop::collection::vec(any_goods(), 1..12),
        turn in 0..12_usize,
        include_tax: bool,
        even: bool,
    ) {
        let mut tariff = tariff(include_tax);
        tariff.settings.rounding = if even { Rounding::HalfEven } else { Rounding::HalfUp };
        let place = Some(to("DE", None));
        let sums = |goods: &[Goods]| {
            let (taxed_in, ships_to) = (place.clone(), place.clone());
            let basket = Basket { currency: Currency::EUR, goods, taxed_in, ships_to };
            total(&tariff, &basket, None).map(|totals| {
                let taxes = totals.taxes.iter().map(|tax| (tax.rate_id, tax.tax_minor));
                let taxes: std::collections::BTreeMap<_, _> = taxes.collect();
                (totals.subtotal_minor, totals.shipping_minor, totals.total_minor, taxes)
            })
        };
        let mut turned = goods.clone();
        turned.rotate_left(turn % goods.len());
        prop_assert_eq!(sums(&goods), sums(&turned));
        // A line more never makes it cheaper, but for shipping that may become free.
        if let (Ok(all), Ok(fewer)) = (sums(&goods), sums(&goods[1..])) {
            prop_assert!(all.0 >= fewer.0);
            let tax_of_shipping = if include_tax { 0 } else { fewer.1 };
            prop_assert!(all.2 - all.1 >= fewer.2 - fewer.1 - tax_of_shipping);
        }
    }

    #[test]
    fn net_and_tax_make_the_gross(amount in 0..=Money::LIMIT, rate in 0u32..=1_000_000, even: bool) {
        let rounding = if even { Rounding::HalfEven } else { Rounding::HalfUp };
        let tax = of_amount(i128::from(amount), rate, true, rounding);
        prop_assert!(tax >= 0 && tax <= i128::from(amount));
        // The tax on the net price is the tax that was in it, give or take the rounding.
        let again = of_amount(i128::from(amount) - tax, rate, false, rounding);
        prop_assert!((again - tax).abs() <= 1);
    }
}
