//! What only the operator does, and the record of it.

pub(crate) mod audit_log;
