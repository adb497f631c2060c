//! Signed notifications as [Standard Webhooks](https://www.standardwebhooks.com) describes them:
//! `webhook-id`, `webhook-timestamp` and `webhook-signature` over `id.timestamp.body`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ports::{Delivery, DeliveryError};

/// How far a notification's time may be from ours, in both directions: a recording of one is
/// worthless afterwards.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Signatures that one notification may carry, while a secret is being changed.
const MAX_SIGNATURES: usize = 8;

/// The shared secret. Never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `whsec_` and 24 to 64 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self::from_bytes(bytes))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    /// A delivery with its three headers.
    pub fn sign(&self, id: &str, at: Timestamp, body: Vec<u8>) -> Delivery {
        let timestamp = at.as_seconds().to_string();
        let signature = self.mac(id, &timestamp, &body).finalize().into_bytes();
        let signature = format!("v1,{}", STANDARD.encode(signature));
        let headers = vec![
            ("webhook-id".to_owned(), id.to_owned()),
            ("webhook-timestamp".to_owned(), timestamp),
            ("webhook-signature".to_owned(), signature),
        ];
        Delivery { headers, body }
    }

    /// The id of a genuine and recent delivery.
    pub fn verify<'a>(
        &self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> Result<&'a str, DeliveryError> {
        let header = |name: &str| {
            delivery.header(name).filter(|value| !value.is_empty() && value.len() <= 1024).ok_or(
                DeliveryError::NotGenuine(
                    "the headers webhook-id, webhook-timestamp and webhook-signature are needed",
                ),
            )
        };
        let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let sent_at: i64 = timestamp
            .parse()
            .map_err(|_| DeliveryError::NotGenuine("webhook-timestamp is not in unix seconds"))?;
        if now.as_seconds().abs_diff(sent_at) > TOLERANCE.as_secs() {
            return Err(DeliveryError::NotGenuine(
                "webhook-timestamp is more than five minutes away from now",
            ));
        }
        let genuine = header("webhook-signature")?
            .split(' ')
            .take(MAX_SIGNATURES)
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            // Compared in constant time.
            .any(|signature| {
                self.mac(id, timestamp, &delivery.body).verify_slice(&signature).is_ok()
            });
        if genuine {
            Ok(id)
        } else {
            Err(DeliveryError::NotGenuine("the signature is not the provider's"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_614_265_330_000_000);

    #[test]
    fn the_published_vector_holds() {
        // From the Standard Webhooks specification and its reference libraries.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#.to_vec();
        let delivery = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, body);
        assert_eq!(
            delivery.header("webhook-signature"),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
        assert_eq!(secret.verify(&delivery, NOW), Ok("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    }

    #[test]
    fn forged_old_and_changed_deliveries_are_refused() {
        let secret = Secret::from_bytes(vec![7; 32]);
        let good = secret.sign("evt_1", NOW, b"{}".to_vec());
        let five_minutes = TOLERANCE + Duration::from_secs(1);
        assert!(secret.verify(&good, NOW.plus(five_minutes)).is_err());
        assert!(secret.verify(&good, NOW.minus(five_minutes)).is_err());
        let mut changed = good.clone();
        changed.body = b"{ }".to_vec();
        assert!(secret.verify(&changed, NOW).is_err());
        assert!(Secret::from_bytes(vec![8; 32]).verify(&good, NOW).is_err());
        for missing in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let mut less = good.clone();
            less.headers.retain(|(name, _)| name != missing);
            assert!(secret.verify(&less, NOW).is_err(), "{missing}");
        }
        for signature in ["", "v1,", "v1,AAAA", "v2,g0hM", "v1"] {
            let mut other = good.clone();
            other.headers[2].1 = signature.to_owned();
            assert!(secret.verify(&other, NOW).is_err(), "{signature}");
        }
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let secret = Secret::from_bytes(vec![7; 32]);
        let mut delivery = secret.sign("evt_1", NOW, b"{}".to_vec());
        delivery.headers[2].1 = format!("v1,AAAA {}", delivery.headers[2].1);
        assert!(secret.verify(&delivery, NOW).is_ok());
    }

    #[test]
    fn secrets_are_long_enough() {
        assert!(Secret::parse("whsec_AAAA").is_none());
        assert!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
    }
}
