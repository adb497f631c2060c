//! Envelopes as `CloudEvents` 1.0 in binary mode: the attributes are headers, the data is the body.
//! Both brokers carry the same attributes and differ in how they spell a header's name.

use std::sync::Arc;

use kernel::id::Uuid;

use crate::event::Envelope;

pub(super) const CONTENT_TYPE: &str = "application/protobuf";
/// The one attribute that has a header of its own name everywhere (W3C Trace Context).
pub(super) const TRACEPARENT: &str = "traceparent";

const SPEC_VERSION: &str = "1.0";
/// No attribute that we write is longer. What is longer is not ours.
const MAX_ATTRIBUTE: usize = 512;

/// Why a message is not an event of ours.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub String);

/// The attributes without `traceparent`, by their names in `CloudEvents`.
pub(super) fn attributes(event: &Envelope) -> Vec<(&'static str, String)> {
    let mut attributes = vec![
        ("specversion", SPEC_VERSION.to_owned()),
        ("id", event.id.to_string()),
        ("type", event.event_type.clone()),
        ("source", event.source.clone()),
        ("time", event.time.to_string()),
        ("subject", event.aggregate_id.to_string()),
        ("aggregatetype", event.aggregate_type.clone()),
        ("aggregateversion", event.aggregate_version.to_string()),
        ("correlation", event.correlation.to_string()),
    ];
    attributes.extend(event.causation.map(|id| ("causation", id.to_string())));
    attributes
}

/// The event that a message holds. `attribute` is asked by the names of [`attributes`], and for
/// [`TRACEPARENT`].
pub(super) fn envelope(
    attribute: impl Fn(&str) -> Option<Vec<u8>>,
    data: &[u8],
) -> Result<Envelope, Malformed> {
    let optional = |name: &str| -> Result<Option<String>, Malformed> {
        let Some(bytes) = attribute(name) else { return Ok(None) };
        if bytes.len() > MAX_ATTRIBUTE {
            let length = bytes.len();
            return Err(Malformed(format!("`{name}` has {length} bytes of {MAX_ATTRIBUTE}")));
        }
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| Malformed(format!("`{name}` is not UTF-8")))
    };
    let required = |name: &str| -> Result<String, Malformed> {
        optional(name)?.ok_or_else(|| Malformed(format!("`{name}` is missing")))
    };
    let version = required("specversion")?;
    if version != SPEC_VERSION {
        return Err(Malformed(format!("`specversion` is {version:?} and not {SPEC_VERSION}")));
    }
    let aggregate_version: u64 = parse("aggregateversion", &required("aggregateversion")?)?;
    if aggregate_version == 0 {
        return Err(Malformed("`aggregateversion` is 0, the first is 1".to_owned()));
    }
    Ok(Envelope {
        id: parse("id", &required("id")?)?,
        event_type: required("type")?,
        source: required("source")?,
        aggregate_type: required("aggregatetype")?,
        aggregate_id: parse("subject", &required("subject")?)?,
        aggregate_version,
        time: parse("time", &required("time")?)?,
        correlation: Arc::from(required("correlation")?),
        causation: optional("causation")?
            .map(|text| parse::<Uuid>("causation", &text))
            .transpose()?,
        traceparent: optional(TRACEPARENT)?,
        data: data.to_vec(),
        passed_over: 0,
    })
}

fn parse<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|_| Malformed(format!("`{name}` cannot be read: {text:?}")))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn headers(event: &Envelope) -> HashMap<String, Vec<u8>> {
        let all = attributes(event).into_iter().map(|(name, text)| (name.to_owned(), text.into()));
        let trace =
            event.traceparent.iter().map(|text| (TRACEPARENT.to_owned(), text.clone().into()));
        all.chain(trace).collect()
    }

    fn read(headers: &HashMap<String, Vec<u8>>, data: &[u8]) -> Result<Envelope, Malformed> {
        envelope(|name| headers.get(name).cloned(), data)
    }

    fn any_envelope() -> impl Strategy<Value = Envelope> {
        let ids = (any::<u128>(), any::<u128>(), proptest::option::of(any::<u128>()));
        let texts = ("[a-z.A-Z0-9]{0,60}", "\\PC{0,40}", proptest::option::of("[0-9a-f-]{55}"));
        let micros = 0..4_000_000_000_000_000_i64;
        let data = proptest::collection::vec(any::<u8>(), 0..200);
        (ids, texts, 1..=u64::MAX, micros, data).prop_map(|(ids, texts, version, micros, data)| {
            Envelope {
                id: Uuid::from_u128(ids.0),
                event_type: texts.0,
                source: "ordering".to_owned(),
                aggregate_type: "order".to_owned(),
                aggregate_id: Uuid::from_u128(ids.1),
                aggregate_version: version,
                time: Timestamp::from_micros(micros),
                correlation: Arc::from(texts.1),
                causation: ids.2.map(Uuid::from_u128),
                traceparent: texts.2,
                data,
                passed_over: 0,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(event in any_envelope()) {
            prop_assert_eq!(read(&headers(&event), &event.data), Ok(event));
        }

        #[test]
        fn a_message_that_lacks_an_attribute_is_malformed(
            event in any_envelope(),
            which in 0..9_usize,
        ) {
            let mut headers = headers(&event);
            let name = attributes(&event)[which].0;
            headers.remove(name);
            let told = read(&headers, &event.data).unwrap_err().to_string();
            prop_assert!(told.contains(name), "{}", told);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = envelope(|_| Some(bytes.clone()), &bytes);
        }
    }
}
