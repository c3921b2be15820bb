//! Strict JSON bodies.
//!
//! Invariant: a number keeps its exact text, so no amount ever passes through a float; a document
//! that two readers could read differently (a member given twice) is refused whole.

mod body;
mod fields;
mod kept;
mod parser;

use std::borrow::Borrow;
use std::collections::BTreeMap;

pub use body::{BODY_BYTES_MAX, BodyError, Received, read, receive, receive_bytes};
pub use fields::Fields;
pub use parser::{DEPTH_MAX, Malformed, parse};

/// A JSON value that loses nothing of what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    /// The token as written, e.g. `149.98`.
    Number(String),
    String(Text),
    Array(Vec<Value>),
    Object(Object),
}

/// A JSON string. Usually UTF-8; an unpaired surrogate escape, which is no character, is kept in
/// three bytes that no UTF-8 text contains, so that the field holding it can be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Vec<u8>);

impl Text {
    /// `None` when the string holds an unpaired surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// The members of a JSON object, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(BTreeMap<Text, Value>);

impl Object {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name.as_bytes())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
