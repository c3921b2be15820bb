//! Rules that are broken on purpose, to show that the simulator notices.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A paid charge whose payment a reorganisation moved is credited again.
    CreditedTwice,
    /// A declined withdrawal keeps its hold.
    HoldForgotten,
    /// Events are written after the commit, so a crash between the two loses them.
    EventsAfterCommit,
    /// Entries are booked before the rows are stored, so a crash between the two splits them.
    BooksBeforeRows,
    /// The answer to a key is not kept, so asking again does it again.
    KeyNotKept,
    /// A final payment that left the chain is not booked back.
    LossNotSeen,
    /// A withdrawal that is in the chain is settled each time somebody looks.
    SettledAgain,
    /// Accounts have no floor.
    NoFloors,
    /// A promise is kept whenever its deposit comes.
    PromiseWithoutEnd,
    /// A receiver that hangs counts as one that has the event.
    HangCountsAsDelivered,
    /// A withdrawal the network did not answer about is built anew.
    BuiltAgain,
    /// What was declined goes on to be sent.
    DeclineIgnored,
    /// A payment in the chain is not written down when the charge is over.
    LateMoneyIgnored,
}

impl Bug {
    pub const ALL: [Self; 13] = [
        Self::CreditedTwice,
        Self::HoldForgotten,
        Self::EventsAfterCommit,
        Self::BooksBeforeRows,
        Self::KeyNotKept,
        Self::LossNotSeen,
        Self::SettledAgain,
        Self::NoFloors,
        Self::PromiseWithoutEnd,
        Self::HangCountsAsDelivered,
        Self::BuiltAgain,
        Self::DeclineIgnored,
        Self::LateMoneyIgnored,
    ];
}
