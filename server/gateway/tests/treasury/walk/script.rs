//! What a seed says happens.

use crate::random::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody withdraws what the signer lets out.
    Ether,
    Tokens,
    /// Somebody withdraws more than that.
    TooMuch,
    /// To an address of its own, which is swept when it is final.
    Deposit {
        is_token: bool,
    },
    Mine(u32),
    /// Base fee from now on, gwei.
    Base(u64),
    /// The pool is empty.
    Forget,
    /// Less deep than what is settled.
    Undo {
        depth: usize,
        keep: bool,
    },
    /// Deeper than anybody waits for; what was in those blocks comes again, in others.
    UndoSettled {
        depth: usize,
    },
    /// Whether nodes take transactions.
    Deaf(bool),
    /// Whether transfers of tokens fail in their block.
    Fail(bool),
    /// The key of the account that pays is used by somebody else.
    Elsewhere,
    /// An operator lets payments go on.
    Resume,
    /// An operator ends whatever waits for a person, if that may be ended.
    End,
    /// Another process takes over.
    Restart,
    Work,
}

impl Step {
    /// One of each.
    pub const KINDS: [Self; 16] = [
        Self::Ether,
        Self::Tokens,
        Self::TooMuch,
        Self::Deposit { is_token: false },
        Self::Mine(1),
        Self::Base(1),
        Self::Forget,
        Self::Undo {
            depth: 1,
            keep: true,
        },
        Self::UndoSettled { depth: 9 },
        Self::Deaf(true),
        Self::Fail(true),
        Self::Elsewhere,
        Self::Resume,
        Self::End,
        Self::Restart,
        Self::Work,
    ];
}

pub fn of_seed(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice(seed);
    (0..steps).map(|_| drawn(&mut dice)).collect()
}

fn drawn(dice: &mut Dice) -> Step {
    match dice.roll(40) {
        0..=5 => Step::Ether,
        6..=9 => Step::Tokens,
        10..=11 => Step::TooMuch,
        12..=14 => Step::Deposit {
            is_token: dice.roll(2) == 0,
        },
        15..=18 => Step::Mine(1),
        19 => Step::Mine(9),
        20..=21 => Step::Base(dice.roll(30) + 1),
        22 => Step::Forget,
        23..=24 => Step::Undo {
            depth: if dice.roll(2) == 0 { 1 } else { 5 },
            keep: dice.roll(2) == 0,
        },
        25 => Step::UndoSettled {
            depth: if dice.roll(2) == 0 { 9 } else { 14 },
        },
        26..=27 => Step::Deaf(dice.roll(3) == 0),
        28..=29 => Step::Fail(dice.roll(3) == 0),
        30 => Step::Elsewhere,
        31 => Step::Resume,
        32..=33 => Step::End,
        34 => Step::Restart,
        _ => Step::Work,
    }
}
