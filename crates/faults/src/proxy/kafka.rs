//! Kafka tells its clients where its brokers are, and they go there: past a wire. So the wire's
//! address is put into each answer instead of the broker's.

use std::net::SocketAddr;

use super::{Filter, Filters, Way};

/// Larger answers are not what we ask for.
const LARGEST: usize = 64 << 20;

struct Readdress {
    from: Vec<u8>,
    to: Vec<u8>,
    /// Of an answer that is not whole yet.
    pending: Vec<u8>,
}

/// For a wire to a broker that calls itself `broker`, by IPv4 address and port.
pub fn readdressed(broker: SocketAddr, wire: SocketAddr) -> Filters {
    let (from, to) = (written(broker), written(wire));
    assert_eq!(from.len(), to.len(), "an answer must not change its length");
    Box::new(move || {
        Box::new(Readdress { from: from.clone(), to: to.clone(), pending: Vec::new() })
    })
}

/// Host and port follow each other in every answer that names a broker; the port has 32 bits.
fn written(address: SocketAddr) -> Vec<u8> {
    let mut bytes = address.ip().to_string().into_bytes();
    bytes.extend(u32::from(address.port()).to_be_bytes());
    bytes
}

impl Filter for Readdress {
    fn pass(&mut self, way: Way, bytes: &[u8]) -> Option<Vec<u8>> {
        if way == Way::Question {
            return Some(bytes.to_vec());
        }
        self.pending.extend_from_slice(bytes);
        let mut whole = 0;
        while let Some(header) = self.pending.get(whole..whole + 4) {
            let length = u32::from_be_bytes(header.try_into().ok()?) as usize;
            if length > LARGEST {
                return None;
            }
            let Some(frame) = self.pending.get_mut(whole + 4..whole + 4 + length) else { break };
            replace(frame, &self.from, &self.to);
            whole += 4 + length;
        }
        Some(self.pending.drain(..whole).collect())
    }
}

fn replace(frame: &mut [u8], from: &[u8], to: &[u8]) {
    let mut at = 0;
    while let Some(found) = frame[at..].windows(from.len()).position(|bytes| bytes == from) {
        at += found;
        frame[at..at + to.len()].copy_from_slice(to);
        at += to.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes()[..], body].concat()
    }

    #[test]
    fn a_broker_is_found_at_the_wire_however_the_answer_is_cut() {
        let (broker, wire) =
            ("127.0.0.1:9092".parse().unwrap(), "127.0.0.1:40001".parse().unwrap());
        let answers = [frame(b"nothing"), frame(&[b"xx", &written(broker)[..], b"yy"].concat())];
        let expected = [frame(b"nothing"), frame(&[b"xx", &written(wire)[..], b"yy"].concat())];
        let whole = answers.concat();
        for cut in 0..whole.len() {
            let mut filter = readdressed(broker, wire)();
            let mut told = filter.pass(Way::Answer, &whole[..cut]).unwrap();
            told.extend(filter.pass(Way::Answer, &whole[cut..]).unwrap());
            assert_eq!(told, expected.concat(), "cut at {cut}");
        }
    }

    #[test]
    fn questions_pass_as_they_are() {
        let broker: SocketAddr = "127.0.0.1:9092".parse().unwrap();
        let mut filter = readdressed(broker, "127.0.0.1:40001".parse().unwrap())();
        let question = frame(&written(broker));
        assert_eq!(filter.pass(Way::Question, &question), Some(question));
    }
}
