//! What goes wrong, and how often. Each seed turns on some kinds only (swarm testing: Groce et al.,
//! ISSTA 2012), so that rare combinations meet, and one kind does not hide what another would show.

use crate::chance::Chance;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $least:literal, $most:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How often in 10,000 chances, when it is on.
            const fn bounds(self) -> (u32, u32) {
                match self { $(Self::$name => ($least, $most),)* }
            }
        }
    };
}

faults! {
    /// A node loses everything but its disk.
    Crash = "a node is killed", 500, 6000;
    /// A node does nothing for a while, and then goes on as if nothing had been.
    Pause = "a node is paused", 500, 4000;
    /// A node's wall clock jumps, up to two hours, to either side.
    ClockJump = "a clock jumps", 500, 3000;
    BrokerDown = "the broker is away", 500, 3000;
    /// Acknowledged events come again.
    Rewind = "acknowledged events come again", 500, 5000;
    CommitFails = "a commit fails", 20, 800;
    /// Done, then reported as failed.
    CommitUnknown = "a commit is done and its answer lost", 20, 800;
    Conflict = "a row changed meanwhile", 20, 1000;
    ReadFails = "a read fails", 10, 300;
    SlowDisk = "a disk is slow", 100, 3000;
    PublishFails = "an event is not published", 50, 2000;
    PublishUnknown = "an event is published and its answer lost", 50, 2000;
    Duplicate = "an event is delivered twice", 100, 5000;
    SlowDelivery = "an event is late", 100, 3000;
    /// By the one behind it.
    Overtaken = "an event is overtaken", 50, 3000;
    LostRequest = "a request is lost", 20, 1000;
    LostAnswer = "an answer is lost", 20, 1000;
    Hang = "what is lost is waited for", 1000, 9000;
    SlowNetwork = "a message is slow", 100, 3000;
    ProviderLost = "the provider does not get a request", 50, 3000;
    ProviderUnknown = "the provider acts and does not answer", 50, 3000;
    ProviderSlow = "the provider takes its time", 50, 3000;
    ProviderUndecided = "the provider decides later", 50, 3000;
    ProviderRefusesVoid = "the provider refuses to give back", 20, 1500;
    NotifiesNever = "the provider does not notify", 500, 8000;
    NotifiesOften = "the provider notifies again", 500, 8000;
    Disconnect = "a client goes away", 100, 4000;
    Impatience = "a client sends the same again at once", 100, 4000;
}

const KINDS: usize = Fault::ALL.len();

/// How likely each fault is, and how often it came.
#[derive(Clone, Debug)]
pub struct Weather {
    is_on: bool,
    per_10_000: [u32; KINDS],
    pub struck: [u64; KINDS],
}

impl Weather {
    /// Half of the kinds, each more or less often.
    pub fn drawn(chance: &mut Chance) -> Self {
        let mut weather = Self::fair();
        let kinds_of_ten = chance.between(1, 10);
        for fault in Fault::ALL {
            let (least, most) = fault.bounds();
            let drawn = chance.between(u64::from(least), u64::from(most)) as u32;
            // Rather often little than much.
            let drawn = drawn.min(chance.between(u64::from(least), u64::from(most)) as u32);
            if chance.below(10) < kinds_of_ten {
                weather.per_10_000[*fault as usize] = drawn;
            }
        }
        // Whoever stands still while an event is overtaken takes it for lost, which no broker that
        // keeps the order of a key makes possible.
        if weather.per_10_000[Fault::Pause as usize] > 0 {
            weather.per_10_000[Fault::Overtaken as usize] = 0;
        }
        weather
    }

    /// Nothing goes wrong.
    pub const fn fair() -> Self {
        Self { is_on: false, per_10_000: [0; KINDS], struck: [0; KINDS] }
    }

    pub fn turn(&mut self, is_on: bool) {
        self.is_on = is_on;
    }

    pub fn is_on(&self) -> bool {
        self.is_on
    }

    pub fn strikes(&mut self, fault: Fault, chance: &mut Chance) -> bool {
        let strikes = self.is_on && chance.strikes(self.per_10_000[fault as usize]);
        if strikes {
            self.struck[fault as usize] += 1;
        }
        strikes
    }

    /// In words, for whoever replays.
    pub fn forecast(&self) -> String {
        let likely = Fault::ALL.iter().filter(|fault| self.per_10_000[**fault as usize] > 0);
        let likely = likely.map(|fault| {
            format!("{} ({} in 10,000)", fault.name(), self.per_10_000[*fault as usize])
        });
        likely.collect::<Vec<_>>().join(", ")
    }
}
