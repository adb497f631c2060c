//! Passwords made for people who will replace them at once.

use super::password::Password;

/// Thirty-two letters and digits that are not mistaken for each other when read aloud.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// Twenty characters in four groups, a hundred bits of `random`.
pub fn from_random(random: [u8; 20]) -> Password {
    let mut text = String::with_capacity(23);
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        text.push(ALPHABET[usize::from(byte & 31)] as char);
    }
    Password::new(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::password;

    proptest! {
        #[test]
        fn a_made_password_passes_its_own_policy(random: [u8; 20]) {
            prop_assume!(random.iter().any(|b| b & 31 != random[0] & 31));
            let made = from_random(random);
            prop_assert_eq!(made.expose().len(), 23);
            let email = "ada@example.com".parse().unwrap();
            prop_assert!(password::check(&made, &email, "password").is_ok());
        }
    }

    #[test]
    fn every_character_of_the_alphabet_is_different() {
        let mut letters = ALPHABET.to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 32);
    }
}
