//! Key-paged lists over declared columns.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

use super::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    /// SQL's rule: a comparison with null holds for no value.
    pub(crate) fn holds(self, left: &Value, right: &Value) -> bool {
        if matches!(left, Value::Null) || matches!(right, Value::Null) {
            return false;
        }
        match self {
            Self::Eq => left == right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }

    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub column: &'static str,
    pub op: Op,
    pub value: Value,
}

/// The place of one element in an ordered list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    #[serde(rename = "v")]
    pub value: Value,
    #[serde(rename = "i")]
    pub id: Uuid,
}

impl Position {
    /// An opaque cursor. It holds no secret and is not signed: whoever forges one gets another
    /// page of what they may see anyway.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub fn decode(cursor: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
    }
}

/// A list query: conditions that must all hold, an order, a place to go on from, a limit.
#[derive(Clone, Debug)]
pub struct Query {
    pub conditions: Vec<Condition>,
    /// Ties are broken by id, in the same direction. `None` orders by id alone.
    pub order: Option<&'static str>,
    pub direction: Direction,
    pub after: Option<Position>,
    pub limit: u32,
}

impl Query {
    pub fn new(limit: u32) -> Self {
        Self {
            conditions: Vec::new(),
            order: None,
            direction: Direction::Ascending,
            after: None,
            limit,
        }
    }

    #[must_use]
    pub fn eq(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Op::Eq, value)
    }
    #[must_use]
    pub fn lt(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Op::Lt, value)
    }
    #[must_use]
    pub fn le(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Op::Le, value)
    }
    #[must_use]
    pub fn gt(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Op::Gt, value)
    }
    #[must_use]
    pub fn ge(self, column: &'static str, value: impl Into<Value>) -> Self {
        self.when(column, Op::Ge, value)
    }

    /// Elements whose column is null come first in an ascending list.
    #[must_use]
    pub fn order(mut self, column: &'static str, direction: Direction) -> Self {
        self.order = Some(column);
        self.direction = direction;
        self
    }

    /// Goes on behind this place; it must come from a list of the same order.
    #[must_use]
    pub fn after(mut self, position: Position) -> Self {
        self.after = Some(position);
        self
    }

    fn when(mut self, column: &'static str, op: Op, value: impl Into<Value>) -> Self {
        self.conditions.push(Condition { column, op, value: value.into() });
        self
    }
}
