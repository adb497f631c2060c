//! PostgreSQL commits, and nobody hears of it: the wire reads along, and when the reply to a commit
//! comes it closes the connection instead.
//!
//! A reply counts as that of a commit when the server is idle again (`ReadyForQuery` with `I`) after
//! something that may have written: an explicit COMMIT, or statements outside of a transaction. It
//! is then past its commit. The protocol is that of PostgreSQL's documentation, chapter "Frontend/
//! Backend Protocol"; what is encrypted passes unread.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{Filter, Filters, Way};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const WRITING: [&str; 5] = ["insert", "update", "delete", "commit", "merge"];

/// Of all connections of one wire: how many replies are lost, and how many were.
#[derive(Debug, Default)]
pub struct Losses {
    one_in: AtomicU32,
    seen: AtomicU64,
    lost: AtomicU64,
}

impl Losses {
    /// From now on one reply in so many; none with 0.
    pub fn lose_one_in(&self, one_in: u32) {
        self.one_in.store(one_in, Ordering::SeqCst);
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }

    fn loses_this_one(&self) -> bool {
        let one_in = u64::from(self.one_in.load(Ordering::SeqCst));
        if one_in == 0 || !(self.seen.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(one_in) {
            return false;
        }
        self.lost.fetch_add(1, Ordering::SeqCst);
        true
    }
}

/// Filters that share `losses`.
pub fn losing(losses: Arc<Losses>) -> Filters {
    Box::new(move || Box::new(Session { losses: losses.clone(), ..Session::default() }))
}

#[derive(Default)]
struct Session {
    losses: Arc<Losses>,
    questions: Vec<u8>,
    answers: Vec<u8>,
    is_started: bool,
    /// The answer to a wish for encryption is one byte.
    awaits_byte: bool,
    is_encrypted: bool,
    /// Names of prepared statements that may write.
    writers: HashSet<Vec<u8>>,
    /// Whether what was asked since the last Sync may write.
    asks_to_write: bool,
    /// The same for each Sync that is not answered yet.
    cycles: VecDeque<bool>,
    /// Answers of the cycle under way, kept until it is clear whether they are lost.
    held: Vec<u8>,
}

impl Filter for Session {
    fn pass(&mut self, way: Way, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.is_encrypted {
            return Some(bytes.to_vec());
        }
        match way {
            Way::Question => {
                self.questions.extend_from_slice(bytes);
                self.read_questions();
                Some(bytes.to_vec())
            }
            Way::Answer => self.answered(bytes),
        }
    }
}

impl Session {
    fn read_questions(&mut self) {
        let mut at = 0;
        loop {
            let rest = &self.questions[at..];
            if !self.is_started {
                let Some(length) = number(rest, 0).map(|length| length as usize) else { break };
                let Some(code) = number(rest, 4).filter(|_| rest.len() >= length) else { break };
                if code == SSL_REQUEST || code == GSS_REQUEST {
                    self.awaits_byte = true;
                } else {
                    self.is_started = true;
                }
                at += length.max(8);
                continue;
            }
            let Some((kind, body)) = message(rest) else { break };
            let (body, whole) = (body.to_vec(), 5 + body.len());
            self.question(kind, &body);
            at += whole;
        }
        self.questions.drain(..at.min(self.questions.len()));
    }

    fn question(&mut self, kind: u8, body: &[u8]) {
        let mut texts = body.split(|byte| *byte == 0);
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        match kind {
            // Parse: the statement's name, its text.
            b'P' if may_write(second) => drop(self.writers.insert(first.to_vec())),
            b'P' => drop(self.writers.remove(first)),
            // Bind: the portal's name, the statement's.
            b'B' => self.asks_to_write |= self.writers.contains(second),
            b'Q' => {
                self.cycles.push_back(may_write(first));
                self.asks_to_write = false;
            }
            b'S' => {
                self.cycles.push_back(self.asks_to_write);
                self.asks_to_write = false;
            }
            _ => {}
        }
    }

    fn answered(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.answers.extend_from_slice(bytes);
        let mut passed = Vec::new();
        if self.awaits_byte {
            let byte = *self.answers.first()?;
            self.awaits_byte = false;
            self.is_encrypted = byte != b'N';
            passed.push(self.answers.remove(0));
            if self.is_encrypted {
                passed.append(&mut self.answers);
                return Some(passed);
            }
        }
        while let Some((kind, body)) = message(&self.answers) {
            let (whole, is_idle) = (5 + body.len(), body.first() == Some(&b'I'));
            let writes = self.cycles.front().copied().unwrap_or(self.asks_to_write);
            self.held.extend(self.answers.drain(..whole));
            if kind == b'Z' {
                self.cycles.pop_front();
                if writes && is_idle && self.losses.loses_this_one() {
                    return None;
                }
            }
            if kind == b'Z' || !writes {
                passed.append(&mut self.held);
            }
        }
        Some(passed)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The first whole message: what it is, and what is in it.
fn message(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let length = number(bytes, 1)? as usize;
    Some((bytes[0], bytes.get(5..=length)?))
}

fn may_write(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    WRITING.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn started(losses: &Arc<Losses>) -> Box<dyn Filter> {
        let mut session = losing(losses.clone())();
        let wish = [8_u32.to_be_bytes(), SSL_REQUEST.to_be_bytes()].concat();
        session.pass(Way::Question, &wish).unwrap();
        assert_eq!(session.pass(Way::Answer, b"N").unwrap(), b"N");
        let start = [12_u32.to_be_bytes(), 196_608_u32.to_be_bytes(), [0; 4]].concat();
        session.pass(Way::Question, &start).unwrap();
        let ready = [told(b'R', &[0, 0, 0, 0]), told(b'Z', b"I")].concat();
        assert_eq!(session.pass(Way::Answer, &ready), Some(ready));
        session
    }

    fn asks(session: &mut Box<dyn Filter>, sql: &str) {
        let text = [sql.as_bytes(), &[0]].concat();
        session.pass(Way::Question, &told(b'Q', &text)).unwrap();
    }

    #[test]
    fn the_reply_to_a_commit_is_lost_and_no_other() {
        let losses = Arc::new(Losses::default());
        let mut session = started(&losses);
        losses.lose_one_in(1);
        for (sql, tag, state) in [
            ("SELECT 1", "SELECT 1\0", b"I"),
            ("BEGIN", "BEGIN\0", b"T"),
            ("INSERT …", "INSERT 0 1\0", b"T"),
        ] {
            asks(&mut session, sql);
            let reply = [told(b'C', tag.as_bytes()), told(b'Z', state)].concat();
            assert_eq!(session.pass(Way::Answer, &reply), Some(reply), "{sql}");
        }
        asks(&mut session, "COMMIT");
        assert_eq!(session.pass(Way::Answer, &told(b'C', b"COMMIT\0")), Some(Vec::new()));
        assert_eq!(losses.lost(), 0);
        assert_eq!(session.pass(Way::Answer, &told(b'Z', b"I")), None);
        assert_eq!(losses.lost(), 1);
    }

    #[test]
    fn a_prepared_statement_outside_of_a_transaction_is_a_commit_each_time() {
        let losses = Arc::new(Losses::default());
        let mut session = started(&losses);
        losses.lose_one_in(2);
        session.pass(Way::Question, &told(b'P', b"s1\0UPDATE t SET a = 1\0\0\0")).unwrap();
        let mut ends = Vec::new();
        for _ in 0..2 {
            let asked =
                [told(b'B', b"\0s1\0\0\0\0\0\0\0"), told(b'E', b"\0\0\0\0\0"), told(b'S', b"")];
            // Cut where it hurts.
            let asked = asked.concat();
            session.pass(Way::Question, &asked[..7]).unwrap();
            session.pass(Way::Question, &asked[7..]).unwrap();
            let reply = [told(b'2', b""), told(b'C', b"UPDATE 1\0"), told(b'Z', b"I")].concat();
            ends.push(session.pass(Way::Answer, &reply) == Some(reply));
        }
        assert_eq!(ends, [true, false]);
        assert_eq!(losses.lost(), 1);
    }

    #[test]
    fn what_is_encrypted_passes_unread() {
        let losses = Arc::new(Losses::default());
        let mut session = losing(losses.clone())();
        losses.lose_one_in(1);
        let wish = [8_u32.to_be_bytes(), SSL_REQUEST.to_be_bytes()].concat();
        session.pass(Way::Question, &wish).unwrap();
        assert_eq!(session.pass(Way::Answer, b"S").unwrap(), b"S");
        assert_eq!(session.pass(Way::Answer, &told(b'Z', b"I")), Some(told(b'Z', b"I")));
        assert_eq!(losses.lost(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let losses = Arc::new(Losses::default());
        for seed in 0..200_u8 {
            let mut session = losing(losses.clone())();
            let bytes: Vec<u8> = (0..64).map(|at| seed.wrapping_mul(at).rotate_left(3)).collect();
            let _ = session.pass(Way::Question, &bytes);
            let _ = session.pass(Way::Answer, &bytes);
        }
    }
}
