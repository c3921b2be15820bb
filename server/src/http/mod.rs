//! What every dialect and page shares at the edge: reading requests strictly, limits, headers.
//!
//! Invariant: nothing here knows a dialect's words. A function says what is wrong; the dialect says
//! it in its own shape.

pub mod client;
pub mod cross_site;
pub mod formats;
pub mod idempotency;
pub mod json;
pub mod listening;
pub mod moment;
pub mod oversize;
pub mod pagination;
pub mod panics;
mod problems;
mod query;
pub mod rate_limit;
pub mod request_id;
pub mod security_headers;

pub use problems::Problems;
pub use query::Query;
