//! How the processes of a consumer share its queues.
//!
//! The server gives a queue to whoever has waited longest for it, which is the process that came
//! first, for all of them. So a process that sees others come stands in line again for most.

use lapin::options::BasicCancelOptions;
use lapin::types::FieldTable;

use super::live::{From, Live};
use crate::bus::broker::BrokerError;

impl Live<'_> {
    pub(super) async fn be_counted(&mut self) -> Result<(), BrokerError> {
        let name = self.link().config.members(self.session.consumer, self.session.source);
        self.members = self.look_at(&name).await?.consumer_count() + 1;
        let channel = self.reading.clone();
        self.read(&channel, &name, From::Presence, FieldTable::default()).await
    }

    /// When more processes are there than before, this one stands in line again for all queues but
    /// its share, whichever those are.
    pub(super) async fn share(&mut self) -> Result<(), BrokerError> {
        if self.beginning.is_some() {
            return Ok(());
        }
        let name = self.link().config.members(self.session.consumer, self.session.source);
        let members = self.look_at(&name).await?.consumer_count();
        let before = std::mem::replace(&mut self.members, members);
        if members <= before {
            return Ok(());
        }
        tracing::info!(consumer = self.session.consumer, members, "partitions are shared anew");
        let partitions = self.link().config.partitions;
        let mut all: Vec<u32> = (0..partitions).collect();
        all.sort_by_cached_key(|_| u64::from_le_bytes(self.link().env.random()));
        for partition in all.split_off(partitions.div_ceil(members) as usize) {
            self.stand_in_line_again(partition).await?;
        }
        Ok(())
    }

    async fn stand_in_line_again(&mut self, partition: u32) -> Result<(), BrokerError> {
        if let Some(tag) = self.tags.remove(&partition) {
            let options = BasicCancelOptions::default();
            let cancelled = self.reading.basic_cancel(tag.into(), options).await;
            cancelled.map_err(|error| self.lost(&error))?;
        }
        self.read_queue(partition).await
    }
}
