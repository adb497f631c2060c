//! Marks at rare paths: a simulation counts them, and fails when one was never reached, for a test
//! that never goes where it hurts proves little. Names are sentences, each at one place.
//!
//! Only a build with the feature `marks` holds anything of it.

/// This path was taken.
#[cfg(not(feature = "marks"))]
#[inline]
pub fn reached(_name: &'static str) {}

#[cfg(feature = "marks")]
pub use counted::{reached, take};

#[cfg(feature = "marks")]
mod counted {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    thread_local! {
        static REACHED: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// This path was taken, on this thread.
    pub fn reached(name: &'static str) {
        REACHED.with_borrow_mut(|reached| *reached.entry(name).or_default() += 1);
    }

    /// How often each mark was reached on this thread since the last call.
    pub fn take() -> BTreeMap<&'static str, u64> {
        REACHED.take()
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn marks_are_counted_and_given_out_once() {
            super::reached("a test ran");
            super::reached("a test ran");
            assert_eq!(super::take().get("a test ran"), Some(&2));
            assert!(super::take().is_empty());
        }
    }
}
