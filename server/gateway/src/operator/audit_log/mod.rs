//! Who did what to what, written in the transaction of the deed and never changed.

mod store;

pub(crate) use store::{record, record_numbered};
