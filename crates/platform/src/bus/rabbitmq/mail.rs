//! Envelopes as messages of AMQP, and back. The names are those of the `CloudEvents` binding.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};

use crate::bus::cloudevents::{self, CONTENT_TYPE, Malformed, TRACEPARENT};
use crate::event::Envelope;

/// Written to disk.
const PERSISTENT: u8 = 2;
/// Of the message by which a reader finds the end of what it begins with.
const BEGIN: &str = "mercat-begin";

pub(super) fn of_event(event: &Envelope) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, text) in cloudevents::attributes(event) {
        headers.insert(format!("cloudEvents:{name}").into(), long(&text));
    }
    if let Some(traceparent) = &event.traceparent {
        headers.insert(TRACEPARENT.into(), long(traceparent));
    }
    BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(event.id.to_string().into())
        .with_headers(headers)
}

pub(super) fn read(delivery: &Delivery) -> Result<Envelope, Malformed> {
    let attribute = |name: &str| match name {
        TRACEPARENT => header(delivery, TRACEPARENT),
        name => header(delivery, &format!("cloudEvents:{name}")),
    };
    cloudevents::envelope(attribute, &delivery.data)
}

pub(super) fn of_beginning(id: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(BEGIN.into(), long(id));
    BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers)
}

/// Whose beginning ends with this message, if it is one of those.
pub(super) fn beginning(delivery: &Delivery) -> Option<Vec<u8>> {
    header(delivery, BEGIN)
}

/// A message that is no event, as it came, with where it came from and what is wrong with it.
pub(super) fn of_dead_letter(delivery: &Delivery, consumer: &str, reason: &str) -> BasicProperties {
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    let place = format!("{}/{}", delivery.exchange, delivery.routing_key);
    let told = [("mercat-consumer", consumer), ("mercat-reason", reason), ("mercat-place", &place)];
    for (name, text) in told {
        headers.insert(name.into(), long(text));
    }
    delivery.properties.clone().with_delivery_mode(PERSISTENT).with_headers(headers)
}

pub(super) fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn header(delivery: &Delivery, name: &str) -> Option<Vec<u8>> {
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.as_bytes().to_vec()),
        AMQPValue::ShortString(text) => Some(text.as_str().as_bytes().to_vec()),
        AMQPValue::ByteArray(bytes) => Some(bytes.as_slice().to_vec()),
        _ => None,
    }
}
