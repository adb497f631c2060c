//! What both brokers ask of a shop's prefix and of its number of partitions.

use super::broker::BrokerError;

/// Each partition costs a queue or a log file and its threads of control on the server.
const MAX_PARTITIONS: u32 = 256;
const MAX_PREFIX: usize = 60;

/// Refuses what would make names that a broker refuses, or that read as another shop's.
pub(super) fn check(broker: &str, prefix: &str, partitions: u32) -> Result<(), BrokerError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.chars().all(plain) {
        return Err(BrokerError(format!(
            "{broker}: broker.prefix is {prefix:?}; give 1 to {MAX_PREFIX} of a-z, 0-9, - and _"
        )));
    }
    if partitions == 0 || partitions > MAX_PARTITIONS {
        return Err(BrokerError(format!(
            "{broker}: broker.partitions is {partitions}; give 1 to {MAX_PARTITIONS}"
        )));
    }
    Ok(())
}
