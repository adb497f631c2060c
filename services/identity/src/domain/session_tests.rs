use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use proptest::prelude::*;

use super::account::Kind;
use super::refresh_token::{RefreshToken, ServerSecret};
use super::session::{Lifetimes, Reason, Rotation, Session};

const LIFETIMES: Lifetimes = Lifetimes {
    idle: Duration::from_hours(24),
    longest: Duration::from_hours(72),
    remember_revoked: Duration::from_hours(1),
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// A session together with every token it ever had.
struct Family {
    server: ServerSecret,
    session: Session,
    tokens: Vec<RefreshToken>,
}

impl Family {
    fn new() -> Self {
        let server = ServerSecret::from_random([1; 32]);
        let first = RefreshToken::first(&server, Uuid::from_u128(1).into(), [2; 32]);
        let account = Uuid::from_u128(3).into();
        let session = Session::open(account, Kind::Customer, first.hash(), &LIFETIMES, at(0));
        Self { server, session, tokens: vec![first] }
    }

    fn present(&mut self, index: usize, now: Timestamp) -> Rotation {
        let token = self.tokens[index].clone();
        let next = token.successor(&self.server);
        let outcome = self.session.rotate(&token.hash(), next.hash(), &LIFETIMES, now);
        if outcome == Rotation::Rotated {
            self.tokens.push(next);
        }
        outcome
    }
}

#[test]
fn a_lost_answer_is_given_again_for_ten_seconds() {
    let mut family = Family::new();
    assert_eq!(family.present(0, at(100)), Rotation::Rotated);
    assert_eq!(family.present(0, at(110)), Rotation::Repeated);
    assert_eq!(family.present(1, at(111)), Rotation::Rotated);
}

#[test]
fn an_old_token_after_ten_seconds_ends_the_family() {
    let mut family = Family::new();
    family.present(0, at(100));
    assert_eq!(family.present(0, at(111)), Rotation::Reused);
    assert_eq!(family.present(1, at(112)), Rotation::Ended);
    assert_eq!(family.session.revoked_at(), Some(at(111)));
}

#[test]
fn a_token_whose_successor_was_used_ends_the_family_at_once() {
    let mut family = Family::new();
    family.present(0, at(100));
    family.present(1, at(101));
    assert_eq!(family.present(0, at(102)), Rotation::Reused);
    assert!(!family.session.is_live(at(102)));
}

#[test]
fn refreshing_prolongs_a_session_up_to_its_longest() {
    let mut family = Family::new();
    let day = 24 * 3600;
    assert_eq!(family.present(0, at(day - 1)), Rotation::Rotated);
    assert_eq!(family.present(1, at(2 * day - 2)), Rotation::Rotated);
    assert_eq!(family.present(2, at(3 * day - 3)), Rotation::Rotated);
    assert_eq!(family.session.ends_at, at(3 * day));
    assert_eq!(family.present(3, at(3 * day)), Rotation::Ended);
}

#[test]
fn a_revoked_session_holds_no_token_and_is_revoked_once() {
    let mut family = Family::new();
    assert!(family.session.revoke(Reason::Logout, &LIFETIMES, at(5)));
    assert!(!family.session.revoke(Reason::Disabled, &LIFETIMES, at(6)));
    assert_eq!(family.session.revoked_at(), Some(at(5)));
    assert!(!family.session.owns(&family.tokens[0].hash()));
    assert_eq!(family.session.ends_at, at(5 + 3600));
}

#[test]
fn a_session_ended_by_a_clock_that_was_set_back_is_remembered_as_long_as_its_tokens_live() {
    let mut family = Family::new();
    assert_eq!(family.present(0, at(7200)), Rotation::Rotated);
    assert!(family.session.revoke(Reason::Logout, &LIFETIMES, at(1)));
    assert_eq!(family.session.revoked_at(), Some(at(7200)));
    assert_eq!(family.session.ends_at, at(7200 + 3600));
}

proptest! {
    /// Whatever is presented whenever: at most one token is current, a repeat never makes a new
    /// one, and a family that ended stays ended.
    #[test]
    fn a_family_never_forks(steps in proptest::collection::vec((0_usize..6, 0_i64..20), 1..40)) {
        let mut family = Family::new();
        let mut now = 0;
        let mut ended = false;
        for (index, later) in steps {
            now += later;
            let index = index.min(family.tokens.len() - 1);
            let newest = index == family.tokens.len() - 1;
            let outcome = family.present(index, at(now));
            if ended {
                prop_assert_eq!(outcome, Rotation::Ended);
            }
            match outcome {
                Rotation::Rotated => prop_assert!(newest),
                Rotation::Repeated => prop_assert_eq!(index, family.tokens.len() - 2),
                Rotation::Reused => {
                    prop_assert!(!newest);
                    ended = true;
                }
                Rotation::Ended => prop_assert!(ended),
            }
            let stored = serde_json::to_string(&family.session).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Session>(&stored).unwrap(), &family.session);
        }
    }
}
