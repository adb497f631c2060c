//! How a consumer begins that is new: with the log, up to a message of its own.

use std::sync::atomic::Ordering;

use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::BasicQosOptions;
use lapin::types::FieldTable;

use super::live::{From, Live};
use super::mail::{self, long};
use super::outlet;
use crate::bus::broker::BrokerError;

/// How many events of the log are with a process at once.
const LOG_PREFETCH: u16 = 256;
/// A consumer that is new reads the log.
pub(super) struct Beginning {
    pub channel: Channel,
    /// Stands in the log's last message that it needs.
    pub mark: String,
    /// That message came.
    pub read: bool,
    /// Events of the log that are not done.
    pub open: usize,
}

impl Live<'_> {
    /// Has the consumer done what was published before its queues were made?
    pub(super) async fn began(&self) -> Result<bool, BrokerError> {
        let name = self.link().config.began(self.session.consumer, self.session.source);
        Ok(self.look_at(&name).await?.message_count() > 0)
    }

    pub(super) async fn begin(&mut self) -> Result<(), BrokerError> {
        let log = self.link().config.log(self.session.source);
        let channel = self.connection.create_channel().await;
        let channel = channel.map_err(|error| self.lost(&error))?;
        let qos = channel.basic_qos(LOG_PREFETCH, BasicQosOptions::default()).await;
        qos.map_err(|error| self.lost(&error))?;
        let mark = self.link().env.uuid().to_string();
        let properties = mail::of_beginning(&mark);
        outlet::send(self.link(), &self.writing, "", &log, &[], properties).await?;
        let mut settings = FieldTable::default();
        settings.insert("x-stream-offset".into(), long("first"));
        self.read(&channel, &log, From::Log, settings).await?;
        self.beginning = Some(Beginning { channel, mark, read: false, open: 0 });
        Ok(())
    }

    /// Is it a mark, and not an event? Behind our own the queues go on.
    pub(super) async fn ends_beginning(
        &mut self,
        delivery: &Delivery,
    ) -> Result<bool, BrokerError> {
        let Some(mark) = mail::beginning(delivery) else { return Ok(false) };
        self.acknowledge_by(&delivery.acker).await?;
        let ours = match &mut self.beginning {
            Some(beginning) if beginning.mark.as_bytes() == mark => {
                beginning.read = true;
                self.session.shared.is_new.store(false, Ordering::Relaxed);
                true
            }
            _ => false,
        };
        if ours {
            self.read_queues().await?;
            self.end_beginning().await?;
        }
        Ok(true)
    }

    /// When all of the log is done, it is never read again.
    pub(super) async fn end_beginning(&mut self) -> Result<(), BrokerError> {
        if !self.beginning.as_ref().is_some_and(|beginning| beginning.read && beginning.open == 0) {
            return Ok(());
        }
        let Some(beginning) = self.beginning.take() else { return Ok(()) };
        let name = self.link().config.began(self.session.consumer, self.session.source);
        let properties = mail::of_beginning(&beginning.mark);
        outlet::send(self.link(), &self.writing, "", &name, &[], properties).await?;
        let closed = beginning.channel.close(200, "the log is read".into()).await;
        closed.map_err(|error| self.lost(&error))?;
        self.be_counted().await
    }
}
