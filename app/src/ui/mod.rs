//! Pieces every page is made of. All compile for the server and for the browser.

mod address;
mod amount;
mod chart;
mod empty;
mod field;
mod moment;
mod notice;
mod paging;
mod qr;
mod seal;
mod status;
mod table;
mod tally;
mod text_area;

pub use address::{Address, ShortHash};
pub use amount::{Amount, Figure, spoken};
pub use chart::BarChart;
pub use empty::EmptyState;
pub use field::{HiddenField, SelectField, TextField};
pub use moment::{Timestamp, countdown_text, iso, minute_text, moment_text};
pub use notice::{NoticeBanner, has_error};
pub use paging::PageLinks;
pub use qr::Qr;
pub use seal::Seal;
pub use status::{Status, StatusKind};
pub use table::{Cell, HeadCell, RowHead, TableFrame};
pub use tally::{Notches, Tally};
pub use text_area::TextArea;
