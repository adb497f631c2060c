//! Who asks for something, until when, and in which conversation.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use kernel::Locale;
use kernel::id::Uuid;

use crate::env::Env;

/// Travels with every request, call and event. In another process, and in loopback, it is rebuilt
/// from metadata; nothing of it is trusted from outside.
#[derive(Clone, Debug)]
pub struct Context {
    pub principal: Principal,
    pub deadline: Deadline,
    /// Ties together all that one request caused; shown outside as the request id.
    pub correlation: Arc<str>,
    pub trace: Option<TraceParent>,
    /// The event that caused this, when one did.
    pub causation: Option<Uuid>,
    /// What the reader understands, best first.
    pub locales: Vec<Locale>,
}

impl Context {
    /// For work that no request caused: timers, start-up, command line.
    pub fn background(env: &Env, service: &'static str, timeout: Duration) -> Self {
        Self {
            principal: Principal::Service { name: service.to_owned() },
            deadline: Deadline::after(env, timeout),
            correlation: env.uuid().to_string().into(),
            trace: None,
            causation: None,
            locales: Vec::new(),
        }
    }

    pub fn remaining(&self, env: &Env) -> Duration {
        self.deadline.remaining(env)
    }

    /// The same, to be done within `at_most`, or sooner if the deadline is nearer.
    #[must_use]
    pub fn with_timeout(&self, env: &Env, at_most: Duration) -> Self {
        let mut context = self.clone();
        context.deadline = context.deadline.min(Deadline::after(env, at_most));
        context
    }
}

/// A point in the monotonic time of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Duration);

impl Deadline {
    pub fn after(env: &Env, timeout: Duration) -> Self {
        Self(env.clock.monotonic().saturating_add(timeout))
    }

    /// Zero once it has passed.
    pub fn remaining(self, env: &Env) -> Duration {
        self.0.saturating_sub(env.clock.monotonic())
    }

    pub fn has_passed(self, env: &Env) -> bool {
        self.remaining(env).is_zero()
    }
}

/// Who is asking, as verified by us.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    Anonymous,
    Customer {
        account: Uuid,
        session: Uuid,
    },
    Staff {
        account: Uuid,
        session: Uuid,
        permissions: Arc<[String]>,
    },
    /// A member of staff who signed in with a password made by somebody else: they may replace it,
    /// and nothing else.
    OneTime {
        account: Uuid,
        session: Uuid,
    },
    ApiKey {
        key: Uuid,
        permissions: Arc<[String]>,
    },
    /// Another of our services, or ourselves.
    Service {
        name: String,
    },
}

impl Principal {
    pub fn account(&self) -> Option<Uuid> {
        match self {
            Self::Customer { account, .. }
            | Self::Staff { account, .. }
            | Self::OneTime { account, .. } => Some(*account),
            _ => None,
        }
    }

    /// Staff members and API keys; not who has to replace a one-time password first.
    pub fn is_staff(&self) -> bool {
        matches!(self, Self::Staff { .. } | Self::ApiKey { .. })
    }

    /// True when a granted permission equals `permission`, is `*`, or is `<area>:*` of its area.
    pub fn allows(&self, permission: &str) -> bool {
        let granted = match self {
            Self::Staff { permissions, .. } | Self::ApiKey { permissions, .. } => permissions,
            Self::Service { .. } => return true,
            Self::Anonymous | Self::Customer { .. } | Self::OneTime { .. } => return false,
        };
        granted.iter().any(|grant| covers(grant, permission))
    }

    /// A name for records of what somebody did: `customer:<uuid>`, `api-key:<uuid>`, `anonymous`.
    pub fn owner(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Customer { account, .. } => format!("customer:{account}"),
            Self::Staff { account, .. } | Self::OneTime { account, .. } => {
                format!("staff:{account}")
            }
            Self::ApiKey { key, .. } => format!("api-key:{key}"),
            Self::Service { name } => format!("service:{name}"),
        }
    }
}

/// Does the granted permission include the wanted one?
pub fn covers(granted: &str, wanted: &str) -> bool {
    granted == "*"
        || granted == wanted
        || granted
            .strip_suffix(":*")
            .is_some_and(|area| wanted.split_once(':').is_some_and(|(a, _)| a == area))
}

/// The `traceparent` of W3C Trace Context, version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub trace_id: u128,
    pub span_id: u64,
    pub sampled: bool,
}

impl TraceParent {
    /// The first span of a new trace.
    pub fn root(env: &Env, sampled: bool) -> Self {
        let trace_id = u128::from_be_bytes(env.random()).max(1);
        Self { trace_id, span_id: u64::from_be_bytes(env.random()).max(1), sampled }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(self, env: &Env) -> Self {
        Self { span_id: u64::from_be_bytes(env.random()).max(1), ..self }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// A text is not a `traceparent`; the specification wants it ignored.
#[derive(Debug, PartialEq, Eq)]
pub struct NotATraceParent;

impl FromStr for TraceParent {
    type Err = NotATraceParent;
    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let lower_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(version), Some(trace), Some(span), Some(flags)) = (version, trace, span, flags)
        else {
            return Err(NotATraceParent);
        };
        let shape = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        let more = parts.next().is_some();
        if !shape || version == "ff" || (version == "00" && more) {
            return Err(NotATraceParent);
        }
        if ![version, trace, span, flags].into_iter().all(lower_hex) {
            return Err(NotATraceParent);
        }
        let trace_id = u128::from_str_radix(trace, 16).map_err(|_| NotATraceParent)?;
        let span_id = u64::from_str_radix(span, 16).map_err(|_| NotATraceParent)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NotATraceParent)?;
        if trace_id == 0 || span_id == 0 {
            return Err(NotATraceParent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_cover_by_name_area_or_everything() {
        assert!(covers("orders:refund", "orders:refund"));
        assert!(covers("orders:*", "orders:refund"));
        assert!(covers("*", "orders:refund"));
        assert!(!covers("orders:*", "orders-archive:read"));
        assert!(!covers("orders:read", "orders:refund"));
        assert!(!covers("orders", "orders:refund"));
    }

    #[test]
    fn traceparent_follows_the_recommendation() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceParent>().map(|t| t.to_string()), Ok(text.to_owned()));
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NotATraceParent), "{bad}");
        }
    }
}
