use std::collections::BTreeSet;
use std::time::Duration;

use kernel::id::Uuid;
use kernel::{Address, Timestamp};
use proptest::prelude::*;

use super::account::{Account, MAX_ADDRESSES, MAX_ANSWERS, MAX_SESSIONS, SavedAnswer, Standing};
use super::{AddressId, Rejection, RoleId, SessionId};

fn now() -> Timestamp {
    Timestamp::from_micros(1_000_000)
}

fn customer() -> Account {
    let email = "ada@example.com".parse().unwrap();
    Account::customer(email, None, None, "$argon2id$".into(), now())
}

fn address(line: &str) -> Address {
    serde_json::from_value(serde_json::json!({
        "name": "Ada Lovelace", "line1": line, "city": "Berlin", "country": "DE"
    }))
    .unwrap()
}

fn adr(n: u128) -> AddressId {
    AddressId::from_uuid(Uuid::from_u128(n))
}

fn ses(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

#[test]
fn the_address_book_has_a_limit() {
    let mut account = customer();
    for n in 0..MAX_ADDRESSES {
        account.add_address(adr(n as u128), address("Street 1")).unwrap();
    }
    assert_eq!(
        account.add_address(adr(99), address("Street 1")),
        Err(Rejection::TooManyAddresses { max: MAX_ADDRESSES })
    );
    account.remove_address(adr(3)).unwrap();
    account.add_address(adr(99), address("Street 2")).unwrap();
}

#[test]
fn a_bad_address_names_its_fields_and_changes_nothing() {
    let mut account = customer();
    let before = account.clone();
    let Err(Rejection::InvalidAddress { fields }) = account.add_address(adr(1), address(" "))
    else {
        panic!("a blank line was accepted");
    };
    assert_eq!(fields[0].field, "address.line1");
    assert_eq!(account, before);
}

#[test]
fn an_unknown_address_is_not_found() {
    let mut account = customer();
    assert_eq!(account.remove_address(adr(1)), Err(Rejection::AddressNotFound));
    assert_eq!(account.replace_address(adr(1), address("x")), Err(Rejection::AddressNotFound));
}

#[test]
fn erasing_leaves_nothing_personal() {
    let mut account = customer();
    account.add_address(adr(1), address("Analytical Road 1")).unwrap();
    account.erase(now()).unwrap();
    let stored = serde_json::to_string(&account).unwrap();
    for personal in ["ada", "Lovelace", "Analytical", "argon2"] {
        assert!(!stored.contains(personal), "{stored}");
    }
    assert_eq!(account.erase(now()), Err(Rejection::NotSignedIn));
    assert_eq!(account.enable(), Err(Rejection::AccountNotFound));
    assert_eq!(account.disable(now()), Err(Rejection::AccountNotFound));
}

#[test]
fn a_disabled_account_keeps_its_profile_and_does_nothing() {
    let mut account = customer();
    account.disable(now()).unwrap();
    assert_eq!(account.change_password("x".into(), now()), Err(Rejection::NotSignedIn));
    assert!(account.profile().is_some());
    assert!(account.effective_roles().is_empty());
    account.enable().unwrap();
    assert!(account.active().is_ok());
}

#[test]
fn customers_have_no_roles() {
    let role = RoleId::from_uuid(Uuid::from_u128(1));
    assert_eq!(customer().assign_roles(BTreeSet::from([role])), Err(Rejection::RolesNeedStaff));
}

#[test]
fn personal_data_is_not_printed() {
    let printed = format!("{:?}", customer());
    assert!(!printed.contains("ada@"), "{printed}");
    assert!(!printed.contains("argon2"), "{printed}");
}

proptest! {
    #[test]
    fn an_account_survives_storage(erased: bool, sessions in 0_u128..5) {
        let mut account = customer();
        for n in 0..sessions {
            account.open_session(ses(n), &BTreeSet::new()).unwrap();
        }
        if erased {
            account.erase(now()).unwrap();
        }
        let stored = serde_json::to_string(&account).unwrap();
        prop_assert_eq!(serde_json::from_str::<Account>(&stored).unwrap(), account);
    }

    #[test]
    fn sessions_never_outgrow_their_limit(steps in proptest::collection::vec((0_u128..200, 0_u128..200), 0..200)) {
        let mut account = customer();
        for (open, ended) in steps {
            let _ = account.open_session(ses(open), &BTreeSet::from([ses(ended)]));
            prop_assert!(account.sessions.len() <= MAX_SESSIONS);
        }
    }
}

fn answer(number: usize, hour: u64) -> SavedAnswer {
    SavedAnswer {
        owner: "customer:1".to_owned(),
        route: "PATCH /v1/me".to_owned(),
        key: number.to_string(),
        fingerprint: String::new(),
        at: now().plus(Duration::from_hours(hour)),
    }
}

#[test]
fn kept_answers_are_remembered_until_they_are_gone_anyway() {
    let mut account = customer();
    for number in 0..MAX_ANSWERS {
        assert_eq!(account.note_answer(answer(number, 0)), None);
    }
    // One too many: the oldest has to go now.
    assert_eq!(account.note_answer(answer(MAX_ANSWERS, 1)), Some(answer(0, 0)));
    assert_eq!(account.answers.len(), MAX_ANSWERS);
    assert_eq!(account.note_answer(answer(7, 24 * 4)), None);
    assert_eq!(account.answers, [answer(MAX_ANSWERS, 1), answer(7, 24 * 4)]);
    assert_eq!(account.erase(now()).unwrap().len(), 2);
    assert!(account.answers.is_empty());
}

#[test]
fn a_one_time_password_ends_and_one_of_ones_own_does_not() {
    let email = "clerk@example.com".parse().unwrap();
    let mut clerk = Account::staff(email, None, "hash".to_owned(), BTreeSet::new(), now());
    let week = Duration::from_hours(24 * 7);
    let ends = now().plus(week);
    assert_eq!(clerk.check_one_time(week, now()), Ok(()));
    assert_eq!(clerk.check_one_time(week, ends), Err(Rejection::OneTimePasswordExpired));
    // A credential of before its time was noted is as old as the account.
    let Standing::Active { profile } = &mut clerk.standing else { panic!("it is active") };
    profile.credential.made_at = None;
    assert_eq!(clerk.check_one_time(week, ends), Err(Rejection::OneTimePasswordExpired));
    clerk.change_password("own".to_owned(), ends).unwrap();
    assert_eq!(clerk.check_one_time(week, ends.plus(week * 9)), Ok(()));
    clerk.reset_password("other".to_owned(), ends).unwrap();
    assert_eq!(clerk.check_one_time(week, ends), Ok(()));
    assert_eq!(customer().reset_password("x".to_owned(), ends), Err(Rejection::NotStaff));
}
