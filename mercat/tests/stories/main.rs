//! The stories of `testkit`, in every topology that this binary runs. A new topology is one line.

mod erasing;
mod undoing;

testkit::stamp_stories!(embedded, Topology::Embedded);
testkit::stamp_stories!(loopback, Topology::Loopback);
