//! Money against arithmetic that cannot overflow: what does not fit is an error, never a wrong sum.

use kernel::{Currency, Money};
use proptest::prelude::*;

const LIMIT: i128 = Money::LIMIT as i128;

fn euros(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::EUR)
}

/// Any amount that may be told, the limits more often than chance would.
fn told() -> impl Strategy<Value = i64> {
    prop_oneof![
        -Money::LIMIT..=Money::LIMIT,
        -1_000_i64..=1_000,
        Just(Money::LIMIT),
        Just(-Money::LIMIT),
        Just(0),
    ]
}

/// The amount, or nothing when it is too large.
fn fits(exact: i128) -> Option<i64> {
    i64::try_from(exact).ok().filter(|_| exact.abs() <= LIMIT)
}

proptest! {
    #[test]
    fn sums_are_exact_or_refused(one in any::<i64>(), other in any::<i64>(), factor in any::<i64>()) {
        let amount = |result: Result<Money, _>| result.ok().map(Money::amount_minor);
        let (a, b) = (i128::from(one), i128::from(other));
        prop_assert_eq!(amount(euros(one).checked_add(euros(other))), fits(a + b));
        // In 128 bits the difference and the product of any two amounts fit.
        prop_assert_eq!(amount(euros(one).checked_sub(euros(other))), fits(a - b));
        prop_assert_eq!(amount(euros(one).checked_mul(factor)), fits(a * i128::from(factor)));
    }

    #[test]
    fn what_was_added_can_be_taken_away(one in told(), other in told()) {
        let (one, other) = (euros(one), euros(other));
        prop_assert_eq!(one.checked_add(other).ok(), other.checked_add(one).ok());
        if let Ok(sum) = one.checked_add(other) {
            prop_assert_eq!(sum.checked_sub(other), Ok(one));
        }
    }

    #[test]
    fn parts_add_up_and_none_is_a_whole_unit_off_its_share(
        amount in told(),
        weights in prop::collection::vec(prop_oneof![0..9_u64, any::<u64>()], 1..12),
    ) {
        let parts = euros(amount).split(&weights);
        let sum: i128 = parts.iter().map(|part| i128::from(part.amount_minor())).sum();
        prop_assert_eq!(sum, i128::from(amount));
        let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        for (part, weight) in parts.iter().zip(&weights).filter(|_| total > 0) {
            let share = i128::from(amount) * i128::from(*weight);
            let off = (i128::from(part.amount_minor()) * total - share).abs();
            prop_assert!(off < total, "{} of {amount} for {weight} of {total}", part.amount_minor());
            prop_assert!(*weight > 0 || part.is_zero(), "something for nothing");
        }
    }

    #[test]
    fn equal_weights_make_parts_that_differ_by_one_at_most(amount in told(), count in 1..50_usize) {
        let parts = euros(amount).split(&vec![1; count]);
        let amounts = || parts.iter().map(|part| part.amount_minor());
        prop_assert!(amounts().max().unwrap() - amounts().min().unwrap() <= 1);
    }

    #[test]
    fn an_amount_is_read_as_it_was_written_and_none_beyond_the_limit(amount in any::<i64>()) {
        let text = serde_json::to_string(&euros(amount)).unwrap();
        let read = serde_json::from_str::<Money>(&text);
        prop_assert_eq!(read.ok(), fits(i128::from(amount)).map(euros));
    }

    #[test]
    fn digits_of_any_length_are_an_amount_or_refused(text in "-?[0-9]{0,40}(\\.[0-9]{0,5})?") {
        if let Ok(money) = Money::parse_decimal(&text, Currency::EUR) {
            prop_assert!(i128::from(money.amount_minor()).abs() <= LIMIT);
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), Currency::EUR), Ok(money));
        }
    }
}
