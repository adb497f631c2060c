//! Envelopes as messages of Kafka, and back. The names are those of the `CloudEvents` binding.

use rdkafka::message::{
    BorrowedHeaders, BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders,
};

use crate::bus::cloudevents::{self, CONTENT_TYPE, Malformed, TRACEPARENT};
use crate::event::Envelope;

const CONTENT_TYPE_HEADER: &str = "content-type";

/// A message on its way out.
pub(super) struct Mail {
    pub topic: String,
    /// Kafka chooses when it is none.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub payload: Vec<u8>,
    pub headers: OwnedHeaders,
}

impl Mail {
    /// For one more try.
    pub(super) fn copy(&self) -> Self {
        Self {
            topic: self.topic.clone(),
            partition: self.partition,
            key: self.key.clone(),
            payload: self.payload.clone(),
            headers: self.headers.clone(),
        }
    }
}

pub(super) fn of_event(event: &Envelope, topic: &str, partitions: u32) -> Mail {
    let mut headers = with(OwnedHeaders::new(), CONTENT_TYPE_HEADER, CONTENT_TYPE.as_bytes());
    for (name, text) in cloudevents::attributes(event) {
        headers = with(headers, &format!("ce_{name}"), text.as_bytes());
    }
    if let Some(traceparent) = &event.traceparent {
        headers = with(headers, TRACEPARENT, traceparent.as_bytes());
    }
    Mail {
        topic: topic.to_owned(),
        partition: i32::try_from(event.partition(partitions)).ok(),
        key: Some(event.aggregate_id.to_string().into_bytes()),
        payload: event.data.clone(),
        headers,
    }
}

pub(super) fn read(message: &BorrowedMessage<'_>) -> Result<Envelope, Malformed> {
    let headers = message.headers();
    let find = |wanted: &str| -> Option<Vec<u8>> {
        let found = headers?.iter().find(|header| header.key == wanted)?;
        found.value.map(<[u8]>::to_vec)
    };
    let attribute = |name: &str| match name {
        TRACEPARENT => find(TRACEPARENT),
        name => find(&format!("ce_{name}")),
    };
    cloudevents::envelope(attribute, message.payload().unwrap_or_default())
}

/// A message that is no event, as it came, with where it came from and what is wrong with it.
pub(super) fn of_dead_letter(
    message: &BorrowedMessage<'_>,
    topic: String,
    consumer: &str,
    reason: &str,
) -> Mail {
    let mut headers = message.headers().map_or_else(OwnedHeaders::new, BorrowedHeaders::detach);
    let place = format!("{}/{}/{}", message.topic(), message.partition(), message.offset());
    let told = [("mercat-consumer", consumer), ("mercat-reason", reason), ("mercat-place", &place)];
    for (name, text) in told {
        headers = with(headers, name, text.as_bytes());
    }
    Mail {
        topic,
        partition: None,
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers,
    }
}

fn with(headers: OwnedHeaders, key: &str, value: &[u8]) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}
