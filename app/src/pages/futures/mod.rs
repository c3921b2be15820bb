//! Futures: promises to exchange one deposit at a fixed price (ux §1.8). Asked for, looked at, and
//! only then made; never priced again in silence.

mod detail;
mod list;
mod rates;
mod review;
#[cfg(test)]
mod tests;

pub use detail::FuturesDetailPage;
pub use list::FuturesPage;
pub use rates::FuturesRatesPage;
pub use review::FuturesReviewPage;

const PATH: &str = "/app/futures";
const RATES: &str = "/app/futures/rates";
const REVIEW: &str = "/app/futures/review";
const CONFIRM: &str = "/app/futures/confirm";
