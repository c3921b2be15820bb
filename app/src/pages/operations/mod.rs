//! Deposits, withdrawals and exchanges: one list and one detail for all three (ux §1.3).

mod detail;
mod list;

use domain::view::operations::OperationList;

pub use detail::OperationPage;
pub use list::OperationsPage;
pub(super) use list::{operation_table, past_exchanges};

use super::frame::Section;

/// What a list is called and where it stands.
fn section(list: OperationList) -> Section {
    match list {
        OperationList::Deposits => Section::Deposits,
        OperationList::Withdrawals => Section::Withdrawals,
        OperationList::Exchanges => Section::Exchange,
    }
}

fn title(list: OperationList) -> &'static str {
    match list {
        OperationList::Deposits => "Deposits",
        OperationList::Withdrawals => "Withdrawals",
        OperationList::Exchanges => "Exchanges",
    }
}

/// The plural within a sentence.
fn noun(list: OperationList) -> &'static str {
    match list {
        OperationList::Deposits => "deposits",
        OperationList::Withdrawals => "withdrawals",
        OperationList::Exchanges => "exchanges",
    }
}
