//! Everything that decides what is added to the prices of goods: zones, methods, rates, settings.
//!
//! One aggregate, so that limits and references between its parts hold without exception.

use std::collections::BTreeMap;

use kernel::id::{TypedId, Uuid};
use kernel::{CountryCode, Currency, Locale, LocalizedText, Money};
use serde::{Deserialize, Serialize};

use super::Rounding;
use super::shipping::{ShippingCost, ShippingMethod, ShippingPrice, ShippingZone};
use super::tax::{TaxRate, WHOLE_PPM};
use crate::domain::ids::{ShippingMethodId, ShippingZoneId, TaxRateId};
use crate::domain::refusal::Refusal;

/// A part of the tariff and how often it was changed; that number is its ETag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    pub version: u64,
    pub value: T,
}

/// How prices are meant and rounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricingSettings {
    pub prices_include_tax: bool,
    pub rounding: Rounding,
    /// The class that shipping is taxed by; none: shipping is not taxed.
    pub shipping_tax_class: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    pub settings: PricingSettings,
    pub settings_version: u64,
    pub shipping_zones: BTreeMap<ShippingZoneId, Kept<ShippingZone>>,
    pub shipping_methods: BTreeMap<ShippingMethodId, Kept<ShippingMethod>>,
    pub tax_rates: BTreeMap<TaxRateId, Kept<TaxRate>>,
}

/// A kind of part, and where the tariff keeps it.
pub trait Part: Clone + Send + Sync + 'static {
    type Id: TypedId + Ord;
    const NAME: &'static str;
    const NAMES: &'static str;
    const MAX: usize;
    fn all(tariff: &Tariff) -> &BTreeMap<Self::Id, Kept<Self>>;
    fn all_mut(tariff: &mut Tariff) -> &mut BTreeMap<Self::Id, Kept<Self>>;
    /// Refuses what breaks a rule by itself or with the rest of the tariff.
    fn check(&self, id: Self::Id, tariff: &Tariff) -> Result<(), Refusal>;
    /// Refuses to go while something depends on it.
    fn may_go(_id: Self::Id, _tariff: &Tariff) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Tariff {
    /// The one tariff of a shop.
    pub const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0074_6172_6966);

    /// Adds a part under a fresh id.
    pub fn create<P: Part>(&mut self, id: P::Id, value: P) -> Result<Kept<P>, Refusal> {
        value.check(id, self)?;
        let parts = P::all_mut(self);
        if parts.len() >= P::MAX {
            return Err(Refusal::TooManySettings { what: P::NAMES, max: P::MAX });
        }
        let kept = Kept { version: 1, value };
        parts.insert(id, kept.clone());
        Ok(kept)
    }

    /// Replaces a part, if it is still at `expected`.
    pub fn replace<P: Part>(
        &mut self,
        id: P::Id,
        value: P,
        expected: Option<u64>,
    ) -> Result<Kept<P>, Refusal> {
        let version = self.version_of::<P>(id, expected)? + 1;
        value.check(id, self)?;
        let kept = Kept { version, value };
        P::all_mut(self).insert(id, kept.clone());
        Ok(kept)
    }

    pub fn remove<P: Part>(&mut self, id: P::Id, expected: Option<u64>) -> Result<(), Refusal> {
        self.version_of::<P>(id, expected)?;
        P::may_go(id, self)?;
        P::all_mut(self).remove(&id);
        Ok(())
    }

    pub fn replace_settings(
        &mut self,
        settings: PricingSettings,
        expected: Option<u64>,
    ) -> Result<Kept<PricingSettings>, Refusal> {
        if expected.is_some_and(|expected| expected != self.settings_version) {
            return Err(Refusal::SettingChanged("setting"));
        }
        self.settings_version += 1;
        self.settings = settings.clone();
        Ok(Kept { version: self.settings_version, value: settings })
    }

    fn version_of<P: Part>(&self, id: P::Id, expected: Option<u64>) -> Result<u64, Refusal> {
        let kept = P::all(self).get(&id).ok_or(Refusal::SettingNotFound(P::NAME))?;
        if expected.is_some_and(|expected| expected != kept.version) {
            return Err(Refusal::SettingChanged(P::NAME));
        }
        Ok(kept.version)
    }

    /// The zones that name the country, or else those for everywhere.
    pub fn zones_for(&self, country: CountryCode) -> Vec<ShippingZoneId> {
        let ids = |fits: &dyn Fn(&ShippingZone) -> bool| -> Vec<ShippingZoneId> {
            let zones = self.shipping_zones.iter();
            zones.filter(|(_, kept)| fits(&kept.value)).map(|(id, _)| *id).collect()
        };
        let named = ids(&|zone| zone.countries.contains(&country));
        if named.is_empty() { ids(&|zone| zone.countries.is_empty()) } else { named }
    }

    /// The countries that zones with an active method name; none means: everywhere.
    pub fn countries(&self) -> Option<Vec<CountryCode>> {
        let served = |id: ShippingZoneId| {
            self.shipping_methods.values().any(|kept| kept.value.active && kept.value.zone_id == id)
        };
        let zones: Vec<&ShippingZone> = self
            .shipping_zones
            .iter()
            .filter(|(id, _)| served(**id))
            .map(|(_, kept)| &kept.value)
            .collect();
        if zones.iter().any(|zone| zone.countries.is_empty()) {
            return None;
        }
        let mut countries: Vec<CountryCode> =
            zones.into_iter().flat_map(|zone| zone.countries.iter().copied()).collect();
        countries.sort_unstable();
        countries.dedup();
        Some(countries)
    }
}

impl Part for ShippingZone {
    type Id = ShippingZoneId;
    const NAME: &'static str = "shipping zone";
    const NAMES: &'static str = "shipping zones";
    const MAX: usize = 250;
    fn all(tariff: &Tariff) -> &BTreeMap<Self::Id, Kept<Self>> {
        &tariff.shipping_zones
    }
    fn all_mut(tariff: &mut Tariff) -> &mut BTreeMap<Self::Id, Kept<Self>> {
        &mut tariff.shipping_zones
    }
    fn check(&self, _id: Self::Id, _tariff: &Tariff) -> Result<(), Refusal> {
        Ok(())
    }
    fn may_go(id: Self::Id, tariff: &Tariff) -> Result<(), Refusal> {
        let used = tariff.shipping_methods.values().any(|kept| kept.value.zone_id == id);
        if used {
            Err(Refusal::SettingInUse("the zone has shipping methods: delete them first"))
        } else {
            Ok(())
        }
    }
}

impl Part for ShippingMethod {
    type Id = ShippingMethodId;
    const NAME: &'static str = "shipping method";
    const NAMES: &'static str = "shipping methods";
    const MAX: usize = 500;
    fn all(tariff: &Tariff) -> &BTreeMap<Self::Id, Kept<Self>> {
        &tariff.shipping_methods
    }
    fn all_mut(tariff: &mut Tariff) -> &mut BTreeMap<Self::Id, Kept<Self>> {
        &mut tariff.shipping_methods
    }
    fn check(&self, _id: Self::Id, tariff: &Tariff) -> Result<(), Refusal> {
        if !tariff.shipping_zones.contains_key(&self.zone_id) {
            return Err(Refusal::field("zone_id", "names no shipping zone"));
        }
        for (index, price) in self.prices.iter().enumerate() {
            if self.prices[..index].iter().any(|other| other.currency == price.currency) {
                return Err(Refusal::field(format!("prices[{index}].currency"), "stands twice"));
            }
            if let ShippingCost::ByWeight(steps) = &price.cost {
                let ascending = steps.windows(2).all(|p| p[0].up_to_grams < p[1].up_to_grams);
                if !ascending {
                    return Err(Refusal::field(
                        format!("prices[{index}].by_weight"),
                        "must ascend by up_to_grams",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Part for TaxRate {
    type Id = TaxRateId;
    const NAME: &'static str = "tax rate";
    const NAMES: &'static str = "tax rates";
    const MAX: usize = 2_000;
    fn all(tariff: &Tariff) -> &BTreeMap<Self::Id, Kept<Self>> {
        &tariff.tax_rates
    }
    fn all_mut(tariff: &mut Tariff) -> &mut BTreeMap<Self::Id, Kept<Self>> {
        &mut tariff.tax_rates
    }
    fn check(&self, id: Self::Id, tariff: &Tariff) -> Result<(), Refusal> {
        if self.rate_ppm > WHOLE_PPM {
            return Err(Refusal::field("rate_percent", "is 0 to 100"));
        }
        let twice =
            |(other, kept): (&TaxRateId, &Kept<Self>)| *other != id && kept.value.same_place(self);
        if tariff.tax_rates.iter().any(twice) { Err(Refusal::SameTaxRate) } else { Ok(()) }
    }
}

/// What a shop has before anybody configured it: one zone for the whole world, one standard method
/// with a flat price that is free from some fifty euros on, prices with tax, and no tax rates.
impl Default for Tariff {
    fn default() -> Self {
        let zone_id =
            ShippingZoneId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        let method_id =
            ShippingMethodId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002));
        let zone = ShippingZone { name: "Everywhere".to_owned(), countries: Vec::new() };
        let method = ShippingMethod {
            zone_id,
            name: standard_name(),
            active: true,
            prices: standard_prices(),
        };
        Self {
            settings: PricingSettings {
                prices_include_tax: true,
                rounding: Rounding::HalfUp,
                shipping_tax_class: Some("standard".to_owned()),
            },
            settings_version: 1,
            shipping_zones: BTreeMap::from([(zone_id, Kept { version: 1, value: zone })]),
            shipping_methods: BTreeMap::from([(method_id, Kept { version: 1, value: method })]),
            tax_rates: BTreeMap::new(),
        }
    }
}

fn standard_name() -> LocalizedText {
    let texts = [("en", "Standard"), ("de", "Standardversand"), ("fr", "Standard")];
    let locale = |tag: &str| tag.parse::<Locale>().ok();
    LocalizedText(
        texts.into_iter().filter_map(|(tag, text)| Some((locale(tag)?, text.to_owned()))).collect(),
    )
}

/// Price, and the subtotal from which it is free, in currencies that many shops use.
fn standard_prices() -> Vec<ShippingPrice> {
    const PRICES: [(&str, &str, &str); 12] = [
        ("EUR", "4.90", "50"),
        ("USD", "4.90", "50"),
        ("GBP", "4.90", "50"),
        ("CHF", "5.90", "60"),
        ("SEK", "49", "500"),
        ("NOK", "49", "500"),
        ("DKK", "39", "400"),
        ("PLN", "19.90", "200"),
        ("CZK", "119", "1200"),
        ("CAD", "6.90", "70"),
        ("AUD", "7.90", "80"),
        ("JPY", "800", "8000"),
    ];
    let price = |(code, cost, free): (&str, &str, &str)| {
        let currency: Currency = code.parse().ok()?;
        let minor = |text| Some(Money::parse_decimal(text, currency).ok()?.amount_minor());
        Some(ShippingPrice {
            currency,
            cost: ShippingCost::Flat(minor(cost)?),
            free_above_minor: minor(free),
        })
    };
    PRICES.into_iter().filter_map(price).collect()
}
