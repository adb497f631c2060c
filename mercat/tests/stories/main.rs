//! The stories of `testkit`, in every topology that this binary runs. A new topology is one line.

mod erasing;
mod undoing;

testkit::stamp_stories!(embedded, Topology::Embedded);
testkit::stamp_stories!(loopback, Topology::Loopback);
testkit::stamp_stories!(crashes: embedded_crashes, Topology::Embedded);
testkit::stamp_stories!(crashes: loopback_crashes, Topology::Loopback);
#[cfg(feature = "servers")]
testkit::stamp_stories!(kafka, Topology::Kafka);
#[cfg(feature = "servers")]
testkit::stamp_stories!(crashes: kafka_crashes, Topology::Kafka);
#[cfg(feature = "servers")]
testkit::stamp_stories!(rabbitmq, Topology::RabbitMq);
#[cfg(feature = "servers")]
testkit::stamp_stories!(replicas, Topology::Replicas);
