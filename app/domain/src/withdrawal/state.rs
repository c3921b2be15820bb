use thiserror::Error;

/// Where a withdrawal is. Money is held in every state but the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithdrawalState {
    /// Above the merchant's limit: a person decides.
    Pending,
    /// To be sent.
    Queued,
    /// Its transaction is signed and stored; the network may know it or not.
    Built,
    /// The network has accepted it.
    Broadcast,
    /// In the chain, deep enough; the held money has left.
    Settled,
    /// Called off; the held money is free again.
    Void,
}

/// What happens to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithdrawalEvent {
    Approved,
    Declined,
    /// A person ends one of which nothing was signed, or nothing signed can be mined any more.
    CalledOff,
    /// The signed bytes are stored.
    Built,
    /// The network accepted them.
    Accepted,
    /// Deep enough in the chain.
    Confirmed,
    /// The receiver is one of ours: no chain is needed.
    PaidInternally,
    /// Another transaction took the coins, and a person found that it paid the same.
    ReplacedAndPaid,
    /// Another transaction took the coins, and a person found that the receiver has nothing.
    ReplacedUnpaid,
}

/// The withdrawal cannot do this now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a {} withdrawal cannot do this", .0.word())]
pub struct WithdrawalError(pub WithdrawalState);

impl WithdrawalState {
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Queued,
        Self::Built,
        Self::Broadcast,
        Self::Settled,
        Self::Void,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Built => "built",
            Self::Broadcast => "broadcast",
            Self::Settled => "settled",
            Self::Void => "void",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Once bytes that pay are stored, calling off could pay twice: only what was never built is
    /// declined.
    pub fn apply(self, event: WithdrawalEvent) -> Result<Self, WithdrawalError> {
        use WithdrawalEvent as Event;
        match (self, event) {
            (Self::Pending, Event::Approved) => Ok(Self::Queued),
            (Self::Pending, Event::Declined) | (Self::Queued, Event::CalledOff) => Ok(Self::Void),
            (Self::Queued, Event::Built) => Ok(Self::Built),
            (Self::Queued, Event::PaidInternally) => Ok(Self::Settled),
            (Self::Built | Self::Broadcast, Event::Accepted) => Ok(Self::Broadcast),
            // A block may hold it before we hear that the network took it.
            (Self::Built | Self::Broadcast, Event::Confirmed | Event::ReplacedAndPaid) => {
                Ok(Self::Settled)
            }
            (Self::Built | Self::Broadcast, Event::ReplacedUnpaid) => Ok(Self::Void),
            (
                Self::Pending
                | Self::Queued
                | Self::Built
                | Self::Broadcast
                | Self::Settled
                | Self::Void,
                _,
            ) => Err(WithdrawalError(self)),
        }
    }

    /// Money is held.
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Queued | Self::Built | Self::Broadcast => true,
            Self::Settled | Self::Void => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use WithdrawalEvent::{
        Accepted, Approved, Built as Make, CalledOff, Confirmed, Declined, PaidInternally,
        ReplacedAndPaid, ReplacedUnpaid,
    };
    use WithdrawalState::{Broadcast, Built, Pending, Queued, Settled, Void};

    use super::*;

    const EVENTS: [WithdrawalEvent; 9] = [
        Approved,
        Declined,
        CalledOff,
        Make,
        Accepted,
        Confirmed,
        PaidInternally,
        ReplacedAndPaid,
        ReplacedUnpaid,
    ];

    /// Every move there is; all others are refused.
    const MOVES: [(WithdrawalState, WithdrawalEvent, WithdrawalState); 13] = [
        (Pending, Approved, Queued),
        (Pending, Declined, Void),
        (Queued, CalledOff, Void),
        (Queued, Make, Built),
        (Queued, PaidInternally, Settled),
        (Built, Accepted, Broadcast),
        (Built, Confirmed, Settled),
        (Broadcast, Accepted, Broadcast),
        (Broadcast, Confirmed, Settled),
        (Built, ReplacedAndPaid, Settled),
        (Built, ReplacedUnpaid, Void),
        (Broadcast, ReplacedAndPaid, Settled),
        (Broadcast, ReplacedUnpaid, Void),
    ];

    #[test]
    fn only_these_moves_exist() {
        for state in WithdrawalState::ALL {
            for event in EVENTS {
                let expected = MOVES
                    .iter()
                    .find(|(from, what, _)| (*from, *what) == (state, event))
                    .map(|(_, _, to)| *to)
                    .ok_or(WithdrawalError(state));
                assert_eq!(state.apply(event), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn what_has_bytes_that_pay_is_never_called_off() {
        for state in [Built, Broadcast, Settled] {
            assert!(state.apply(Declined).is_err());
            assert!(state.apply(CalledOff).is_err());
        }
    }

    #[test]
    fn an_ended_withdrawal_holds_nothing_and_stays_ended() {
        for state in [Settled, Void] {
            assert!(!state.is_open());
            assert!(EVENTS.into_iter().all(|event| state.apply(event).is_err()));
        }
    }

    #[test]
    fn words_are_read_back() {
        for state in WithdrawalState::ALL {
            assert_eq!(WithdrawalState::from_word(state.word()), Some(state));
        }
    }
}
