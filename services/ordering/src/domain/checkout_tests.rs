//! The saga against a model of the world: every step fails, every reply comes twice and late, a
//! driver crashes anywhere, two drivers run at once; and each time the slate is clean at the end.

use std::time::Duration;

use kernel::id::Uuid;
use kernel::{Currency, Money, Timestamp};
use proptest::prelude::*;

use super::checkout::{
    Checkout, Command, RejectReason, Rejection, Reply, Shortage, Step, Turn, step, undo,
};
use super::ids::{CartId, PaymentId, VariantId};
use super::payment::PaymentToken;

const START: Timestamp = Timestamp::from_micros(1_000_000_000);

fn payment() -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(7))
}

fn saga() -> Checkout {
    Checkout {
        cart_id: CartId::from_uuid(Uuid::nil()),
        amount: Money::new(1999, Currency::EUR),
        payment_token: Some(PaymentToken::parse("tok").unwrap()),
        request: None,
        joined: Vec::new(),
        step: Step::Reserve,
        attempt: 0,
        turn: 0,
        reserve_by: START.plus(Duration::from_secs(30)),
        reserved_until: START.plus(Duration::from_mins(15)),
        margin: Duration::from_mins(5),
        deadline_at: START.plus(Duration::from_secs(30)),
    }
}

/// What the participants and the store of ordering hold. Each participant keeps its promise:
/// idempotent by order, and what was undone cannot be done again.
#[derive(Clone, Debug)]
struct World {
    now: Timestamp,
    /// As committed.
    stored: Checkout,
    reserved: bool,
    released: bool,
    authorized: bool,
    voided: bool,
    charges: u32,
    in_stock: bool,
    declines: bool,
    /// What ended the order.
    end: Option<Result<(), RejectReason>>,
    ends: u32,
}

impl World {
    fn new() -> Self {
        Self {
            now: START,
            stored: saga(),
            reserved: false,
            released: false,
            authorized: false,
            voided: false,
            charges: 0,
            in_stock: true,
            declines: false,
            end: None,
            ends: 0,
        }
    }

    /// Does what the command asks; `None` when another driver has overtaken this one.
    fn carry_out(&mut self, command: &Command) -> Option<Reply> {
        Some(match command {
            Command::Reserve { .. } if self.released => Reply::AlreadyReleased,
            Command::Reserve { .. } if !self.in_stock => Reply::OutOfStock(vec![Shortage {
                variant_id: VariantId::from_uuid(Uuid::nil()),
                requested: 2,
                available: 1,
            }]),
            Command::Reserve { .. } => {
                self.reserved = true;
                Reply::Reserved
            }
            Command::Authorize { .. } if self.voided => Reply::AlreadyVoided,
            Command::Authorize { .. } if self.declines => Reply::Declined("card_declined".into()),
            Command::Authorize { .. } => {
                assert!(self.reserved, "money before goods");
                self.charges += u32::from(!self.authorized);
                self.authorized = true;
                Reply::Authorized(payment())
            }
            Command::Void { .. } => {
                (self.authorized, self.voided) = (false, true);
                Reply::Done
            }
            Command::Release => {
                (self.reserved, self.released) = (false, true);
                Reply::Done
            }
            Command::Confirm { .. } => return self.confirm(),
            Command::Unwind { rejection } => {
                if !self.stored.is_forward() {
                    return None;
                }
                self.stored.step = undo(rejection.clone());
                Reply::Done
            }
            Command::Reject { rejection } => {
                match self.stored.step {
                    Step::Rejected => return Some(Reply::Done),
                    Step::Confirmed => return None,
                    _ => {}
                }
                let _requests = self.stored.end(Step::Rejected);
                self.end = Some(Err(rejection.reason));
                self.ends += 1;
                Reply::Done
            }
        })
    }

    fn confirm(&mut self) -> Option<Reply> {
        if self.stored.step == Step::Confirmed {
            return Some(Reply::Done);
        }
        if !self.stored.is_forward() {
            return None;
        }
        if self.stored.has_lapsed(self.now) {
            return Some(Reply::TooLate);
        }
        self.stored.end(Step::Confirmed);
        self.end = Some(Ok(()));
        self.ends += 1;
        Some(Reply::Done)
    }

    /// Goods and money are where the order's end says; nothing was charged twice.
    fn assert_clean(&self) {
        assert_eq!(self.ends, 1, "an order ends once: {self:?}");
        assert!(self.charges <= 1, "charged twice: {self:?}");
        match self.end.unwrap() {
            Ok(()) => assert!(self.reserved && self.authorized, "sold without: {self:?}"),
            Err(_) => assert!(!self.reserved && !self.authorized, "kept something: {self:?}"),
        }
    }
}

/// What happens to one command on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It never arrives.
    Lost,
    /// It is done, but the answer is lost.
    DoneThenLost,
    /// The provider does not know yet.
    Unknown,
    /// The driver dies before it is sent, and another begins from what is stored.
    CrashBefore,
    /// The driver dies after it was done.
    CrashAfter,
    /// It takes so long that the reservation lapses.
    Late,
    None,
}

/// Drives to the end under faults (one for each command, then none); answers the commands in order.
fn drive(world: &mut World, faults: &[Fault]) -> Vec<Command> {
    let mut faults = faults.iter().copied();
    let mut sent = Vec::new();
    'driver: for _ in 0..200 {
        let (mut saga, mut turn) = world.stored.clone().begin(world.now);
        while let Some(Turn { turn: number, after, command }) = turn {
            assert!(sent.len() < 2000, "it does not end: {saga:?}");
            world.now = world.now.plus(after);
            sent.push(command.clone());
            let mut reply = None;
            match faults.next().unwrap_or(Fault::None) {
                Fault::Lost => reply = Some(Reply::NoAnswer),
                Fault::DoneThenLost => {
                    world.carry_out(&command);
                    reply = Some(Reply::NoAnswer);
                }
                Fault::Unknown => reply = Some(Reply::PaymentUnknown),
                Fault::CrashBefore => continue 'driver,
                Fault::CrashAfter => {
                    world.carry_out(&command);
                    continue 'driver;
                }
                Fault::Late => world.now = world.now.plus(Duration::from_mins(10)),
                Fault::None => {}
            }
            let Some(reply) = reply.or_else(|| world.carry_out(&command)) else {
                continue 'driver;
            };
            (saga, turn) = twice(saga, number, reply, world.now);
        }
        return sent;
    }
    panic!("no driver came to an end");
}

/// Delivers the reply, then again, and one of an earlier turn: only the first may do anything.
fn twice(saga: Checkout, turn: u32, reply: Reply, now: Timestamp) -> (Checkout, Option<Turn>) {
    let (next, command) = step(saga, turn, reply.clone(), now);
    for late in [turn, turn.wrapping_sub(1), turn.wrapping_add(7)] {
        let (same, nothing) = step(next.clone(), late, reply.clone(), now);
        assert_eq!((same, nothing), (next.clone(), None), "a reply that is not awaited");
    }
    (next, command)
}

fn names(commands: &[Command]) -> Vec<&'static str> {
    let name = |command: &Command| match command {
        Command::Reserve { .. } => "reserve",
        Command::Authorize { .. } => "authorize",
        Command::Confirm { .. } => "confirm",
        Command::Unwind { .. } => "unwind",
        Command::Void { .. } => "void",
        Command::Release => "release",
        Command::Reject { .. } => "reject",
    };
    commands.iter().map(name).collect()
}

#[test]
fn a_good_checkout_takes_three_commands() {
    let mut world = World::new();
    assert_eq!(names(&drive(&mut world, &[])), ["reserve", "authorize", "confirm"]);
    assert_eq!(world.end, Some(Ok(())));
    world.assert_clean();
}

#[test]
fn what_costs_nothing_is_confirmed_without_money() {
    let free = Checkout { payment_token: None, ..saga() };
    let (saga, turn) = free.begin(START);
    let (_, turn) = step(saga, turn.unwrap().turn, Reply::Reserved, START);
    assert_eq!(turn.unwrap().command, Command::Confirm { payment: None });
}

#[test]
fn an_order_that_got_nothing_is_rejected_without_undoing() {
    let mut world = World { in_stock: false, ..World::new() };
    let sent = drive(&mut world, &[]);
    assert_eq!(names(&sent), ["reserve", "reject"]);
    let Command::Reject { rejection } = &sent[1] else { panic!("{sent:?}") };
    assert_eq!(rejection.shortages.len(), 1);
    assert_eq!(world.end, Some(Err(RejectReason::OutOfStock)));
    world.assert_clean();
}

#[test]
fn a_declined_card_gives_the_goods_back_before_the_buyer_hears_of_it() {
    let mut world = World { declines: true, ..World::new() };
    let sent = drive(&mut world, &[]);
    assert_eq!(names(&sent), ["reserve", "authorize", "unwind", "release", "reject"]);
    let Some(Command::Reject { rejection }) = sent.last() else { panic!("{sent:?}") };
    assert_eq!(rejection.decline_code.as_deref(), Some("card_declined"));
    assert_eq!(world.end, Some(Err(RejectReason::PaymentDeclined)));
    world.assert_clean();
}

#[test]
fn a_reservation_that_never_answers_is_given_up_and_released() {
    let mut world = World::new();
    let sent = drive(&mut world, &[Fault::DoneThenLost; 14]);
    assert_eq!(world.end, Some(Err(RejectReason::TimedOut)));
    assert!(names(&sent).ends_with(&["unwind", "void", "release", "reject"]), "{sent:?}");
    assert!(!names(&sent).contains(&"authorize"));
    world.assert_clean();
}

#[test]
fn money_that_nobody_knows_of_is_asked_for_until_the_goods_would_lapse_then_voided() {
    let mut world = World::new();
    let mut faults = vec![Fault::None];
    faults.extend([Fault::Unknown; 400]);
    let sent = drive(&mut world, &faults[..130]);
    assert_eq!(world.end, Some(Err(RejectReason::PaymentUnresolved)));
    assert!(names(&sent).contains(&"void"));
    assert!(world.now < world.stored.reserved_until);
    world.assert_clean();

    // Known in time: confirmed, and charged once.
    let mut world = World::new();
    let faults = [Fault::None, Fault::DoneThenLost, Fault::Unknown, Fault::Unknown];
    let sent = drive(&mut world, &faults);
    assert_eq!(names(&sent)[1..5], ["authorize"; 4]);
    assert_eq!(world.end, Some(Ok(())));
    world.assert_clean();
}

#[test]
fn each_step_that_comes_too_late_is_unwound() {
    for (late, reason) in
        [(0, RejectReason::TimedOut), (1, RejectReason::TimedOut), (2, RejectReason::TimedOut)]
    {
        let mut faults = vec![Fault::None; late];
        faults.push(Fault::Late);
        let mut world = World::new();
        let sent = drive(&mut world, &faults);
        assert_eq!(names(&sent)[late], ["reserve", "authorize", "confirm"][late]);
        assert_eq!(world.end, Some(Err(reason)), "late at {late}");
        world.assert_clean();
    }
}

#[test]
fn each_step_of_the_way_forward_and_back_survives_every_fault() {
    let all = [Fault::Lost, Fault::DoneThenLost, Fault::CrashBefore, Fault::CrashAfter];
    for declines in [false, true] {
        for in_stock in [false, true] {
            for fault in all {
                for at in 0..6 {
                    let mut world = World { in_stock, declines, ..World::new() };
                    let mut faults = vec![Fault::None; at];
                    faults.push(fault);
                    let sent = drive(&mut world, &faults);
                    let expected = match (in_stock, declines) {
                        (false, _) => Err(RejectReason::OutOfStock),
                        (true, true) => Err(RejectReason::PaymentDeclined),
                        (true, false) => Ok(()),
                    };
                    assert_eq!(world.end, Some(expected), "{fault:?} at {at}: {sent:?}");
                    world.assert_clean();
                }
            }
        }
    }
}

#[test]
fn a_driver_that_was_overtaken_cannot_confirm_what_is_being_undone() {
    let mut world = World::new();
    let (slow, turn) = world.stored.clone().begin(world.now);
    let (slow, turn) = reply(&mut world, slow, turn);
    let (slow, turn) = reply(&mut world, slow, turn);
    assert!(matches!(slow.step, Step::Confirm { .. }));
    // Meanwhile another driver finds the reservation lapsed.
    let before = world.now;
    world.now = world.now.plus(Duration::from_secs(700));
    drive(&mut world, &[]);
    assert_eq!(world.end, Some(Err(RejectReason::TimedOut)));
    // The slow one comes back, with a clock that was set back.
    world.now = before;
    assert_eq!(world.carry_out(&turn.unwrap().command), None);
    world.assert_clean();
}

fn reply(world: &mut World, saga: Checkout, turn: Option<Turn>) -> (Checkout, Option<Turn>) {
    let turn = turn.unwrap();
    let reply = world.carry_out(&turn.command).unwrap();
    step(saga, turn.turn, reply, world.now)
}

#[test]
fn money_that_the_provider_refuses_to_give_back_does_not_keep_the_order_open() {
    let rejection = Rejection::of(RejectReason::TimedOut);
    let (saga, turn) =
        Checkout { step: Step::Void { rejection: rejection.clone() }, ..saga() }.begin(START);
    let (saga, turn) = step(saga, turn.unwrap().turn, Reply::VoidRefused, START);
    assert_eq!(turn.as_ref().unwrap().command, Command::Release);
    let (_, turn) = step(saga, turn.unwrap().turn, Reply::Done, START);
    assert_eq!(turn.unwrap().command, Command::Reject { rejection });
}

#[test]
fn a_clock_that_was_set_back_does_not_make_a_checkout_wait_longer() {
    let hours = Duration::from_hours(2);
    let (half_a_minute, quarter) = (Duration::from_secs(30), Duration::from_mins(15));
    assert_eq!(
        saga().within(START, half_a_minute, quarter),
        saga(),
        "an honest clock changes nothing"
    );
    let late = Checkout {
        reserve_by: saga().reserve_by.plus(hours),
        reserved_until: saga().reserved_until.plus(hours),
        ..saga()
    };
    let late = late.within(START, half_a_minute, quarter);
    assert_eq!((late.reserve_by, late.reserved_until), (saga().reserve_by, saga().reserved_until));
}

#[test]
fn every_request_that_waits_is_answered_at_the_end_and_they_are_not_without_number() {
    let request = |n: usize| super::checkout::RequestKey {
        owner: "anonymous".into(),
        route: "POST /v1/carts/{id}/complete".into(),
        key: n.to_string(),
        fingerprint: String::new(),
    };
    let mut saga = Checkout { request: Some(request(0)), ..saga() };
    let joined = (1..100).filter(|n| saga.join(request(*n))).count();
    assert_eq!(joined, 32);
    let text = serde_json::to_string(&saga).unwrap();
    assert_eq!(serde_json::from_str::<Checkout>(&text).unwrap(), saga);
    assert_eq!(saga.end(Step::Confirmed), (0..=32).map(request).collect::<Vec<_>>());
    assert!(saga.end(Step::Confirmed).is_empty());
}

#[test]
fn an_ended_saga_forgets_what_it_was_to_pay_with() {
    let mut saga = saga();
    saga.end(Step::Rejected);
    assert!(saga.payment_token.is_none() && saga.request.is_none());
    let (saga, turn) = saga.begin(START);
    assert_eq!(turn, None);
    let (_, turn) = step(saga, 0, Reply::Reserved, START);
    assert_eq!(turn, None);
}

#[test]
fn a_saga_survives_its_storage() {
    let rejection = Rejection::of(RejectReason::TimedOut);
    for step in [Step::Reserve, Step::Void { rejection }, Step::Confirmed] {
        let saga = Checkout { step, ..saga() };
        let text = serde_json::to_string(&saga).unwrap();
        assert_eq!(serde_json::from_str::<Checkout>(&text).unwrap(), saga);
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Lost),
        Just(Fault::DoneThenLost),
        Just(Fault::Unknown),
        Just(Fault::CrashBefore),
        Just(Fault::CrashAfter),
        Just(Fault::Late),
        Just(Fault::None),
    ]
}

proptest! {
    #[test]
    fn whatever_fails_the_slate_is_clean_at_the_end(
        faults in prop::collection::vec(fault(), 0..40),
        declines: bool,
        in_stock: bool,
    ) {
        let mut world = World { in_stock, declines, ..World::new() };
        drive(&mut world, &faults);
        world.assert_clean();
    }

    /// Two drivers take turns in any order, as two processes would after a false alarm.
    #[test]
    fn two_drivers_come_to_one_end(order in prop::collection::vec((any::<bool>(), 0u64..400), 0..60)) {
        let mut world = World::new();
        let begin = |world: &World| world.stored.clone().begin(world.now);
        let mut drivers = [begin(&world), begin(&world)];
        for (which, seconds) in order {
            world.now = world.now.plus(Duration::from_secs(seconds));
            let driver = &mut drivers[usize::from(which)];
            *driver = match driver.1.take() {
                None => continue,
                Some(turn) => match world.carry_out(&turn.command) {
                    Some(reply) => step(driver.0.clone(), turn.turn, reply, world.now),
                    None => begin(&world),
                },
            };
        }
        if world.end.is_none() {
            drive(&mut world, &[]);
        }
        world.assert_clean();
    }
}
