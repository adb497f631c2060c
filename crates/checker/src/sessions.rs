//! Identity's database: a session that can still be used belongs to an account that may, and that
//! knows of it, for what an account does not know of it cannot end.

use std::time::Duration;

use kernel::Timestamp;

use crate::Error;
use crate::journal::Use;
use crate::report::{Finding, Invariant, Report};
use crate::shape::{Account, Id, Session};
use crate::snapshot::{Snapshot, uuid};

/// A revoked session is refused everywhere from then on.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

pub fn check(book: &Snapshot, uses: &[Use], report: &mut Report) -> Result<(), Error> {
    let finding = report.at(Invariant::I14);
    let mut count = 0;
    let sql = "SELECT s.id, s.revoked_at, s.state, a.state, s.ends_at > :now \
        FROM identity.session s LEFT JOIN identity.account a ON a.id = s.account_id";
    book.each(sql, |row| {
        count += 1;
        let id = uuid(row, 0)?;
        let session: Session = match serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or("")) {
            Ok(session) => session,
            Err(error) => {
                finding.violated_by(
                    "ses",
                    id,
                    format!("its state cannot be read, from character {} on", error.column()),
                );
                return Ok(());
            }
        };
        let revoked_at: Option<i64> = row.get(1)?;
        let is_revoked = session.life == "revoked";
        if is_revoked != revoked_at.is_some() || session.at.map(Timestamp::as_micros) != revoked_at
        {
            let what = "whether it is revoked is not what the other services are told";
            finding.violated_by("ses", id, what);
            return Ok(());
        }
        if is_revoked || !row.get::<_, bool>(4)? {
            return Ok(());
        }
        let account = row.get_ref(3)?.as_str().ok();
        let account = account.and_then(|text| serde_json::from_str::<Account>(text).ok());
        let why = match account {
            None => "it is alive, but its account is not there",
            Some(account) if account.standing != "active" => "it is alive, but its account is not",
            Some(account) if !account.sessions.iter().any(|known| known.0 == id) => {
                "it is alive, but its account does not know of it and cannot end it"
            }
            Some(_) => return Ok(()),
        };
        finding.violated_by("ses", id, why);
        Ok(())
    })?;
    finding.looked_at(count, "sessions");
    if uses.is_empty() {
        let why = "requests with a revoked session: only a client's journal knows the answers";
        finding.not_checked(why);
        return Ok(());
    }
    finding.looked_at(uses.len() as u64, "requests of sessions");
    refused_when_over(book, uses, finding)
}

/// A session that is forgotten ended long ago, and is not held against the shop.
fn refused_when_over(book: &Snapshot, uses: &[Use], finding: &mut Finding) -> Result<(), Error> {
    let mut find = book.prepare("SELECT revoked_at FROM identity.session WHERE id = ?")?;
    for request in uses.iter().filter(|request| request.was_served) {
        let Some(id) = Id::parse(&request.session) else {
            finding.violated(&request.session, "a client used it, and it is no session");
            continue;
        };
        let mut rows = find.query([id.0.as_bytes()])?;
        let revoked_at: Option<i64> = match rows.next()? {
            Some(row) => row.get(0)?,
            None => None,
        };
        let Some(revoked_at) = revoked_at.map(Timestamp::from_micros) else { continue };
        if request.at > revoked_at.plus(REVOKED_WITHIN) {
            let what =
                format!("it was revoked at {revoked_at}, and still served at {}", request.at);
            finding.violated(&request.session, what);
        }
    }
    Ok(())
}
