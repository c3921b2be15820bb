//! What a seed says happens in this world; see the other world's `commands.rs`.

use super::Step;
use super::desk::Mood;
use crate::commands::fault;
use crate::dice::Dice;

pub const MERCHANTS: usize = 2;
pub const COINS: [&str; 3] = ["BTC", "ETH", "USDT"];

/// Which of the two networks, with its node and its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// Its coins are outputs.
    Outputs,
    /// Its transactions have numbers.
    Accounts,
}

impl Chain {
    pub const BOTH: [Self; 2] = [Self::Outputs, Self::Accounts];
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    Answers,
    /// It is not reached.
    Away,
    /// It takes no transactions.
    Refuses,
    /// It takes them, and nobody hears so.
    LosesAnswers,
}

impl Node {
    pub const BAD: [Self; 3] = [Self::Away, Self::Refuses, Self::LosesAnswers];
}

/// Things are named by number, modulo what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// A withdrawal to an address that nobody else is paid at. Ten-thousandths of a coin, hundredths of a token.
    Withdraw {
        merchant: usize,
        coin: &'static str,
        parts: u32,
    },
    /// To an address of its own; those of accounts are swept.
    Deposit {
        merchant: usize,
        coin: &'static str,
    },
    /// What is due is planned, signed and sent, after so many seconds of the instance's clock.
    Work {
        seconds: i64,
    },
    /// Somebody looks at the chain.
    Follow {
        chain: Chain,
    },
    Mine {
        chain: Chain,
        blocks: u32,
        is_followed: bool,
    },
    /// A block has nothing but this transaction of a payout, which may be one that was replaced.
    MineVersion {
        version: u32,
    },
    /// The last blocks are others; what was in them waits again, or is forgotten.
    Reorg {
        chain: Chain,
        depth: usize,
        keep: bool,
    },
    /// The network forgets what waits.
    Forget {
        chain: Chain,
    },
    /// What transactions have to pay from now on: satoshi for a virtual byte, gwei for gas.
    Fees {
        chain: Chain,
        level: u32,
    },
    /// Somebody asks for a higher fee for what waits.
    Bump {
        chain: Chain,
        which: u32,
    },
    /// A person ends a withdrawal that paid nobody, if that may be.
    CallOff {
        withdrawal: u32,
    },
    /// A person has one sent again, if that may be.
    SendAgain {
        withdrawal: u32,
    },
    /// A person lets the account that pays go on.
    Resume,
    Signer {
        chain: Chain,
        mood: Mood,
    },
    Node {
        chain: Chain,
        node: Node,
    },
}

/// The same seed gives the same steps.
pub fn of_seed(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    (0..steps)
        .map(|_| {
            let command = command(&mut dice);
            let fault = dice.hits(6).then(|| fault(&mut dice));
            Step {
                command,
                fault,
                again: dice.hits(12),
                behind: dice.hits(4),
            }
        })
        .collect()
}

fn command(dice: &mut Dice) -> Command {
    let which = dice.roll(1_000);
    let chain = dice.one_of(&Chain::BOTH);
    let merchant = usize::from(dice.hits(2));
    match dice.roll(52) {
        0..=11 => withdraw(dice, merchant),
        12 | 13 => Command::Deposit {
            merchant,
            coin: dice.one_of(&COINS),
        },
        14..=22 => Command::Work {
            seconds: dice.one_of(&[0, 10, 700, 700, 4_000, 90_000]),
        },
        23 | 24 => Command::Follow { chain },
        25..=30 => Command::Mine {
            chain,
            blocks: dice.roll(4) + 1,
            is_followed: !dice.hits(4),
        },
        31 | 32 => Command::MineVersion { version: which },
        33..=35 => Command::Reorg {
            chain,
            depth: usize::try_from(dice.roll(5)).unwrap() + 1,
            keep: dice.hits(2),
        },
        36 => Command::Forget { chain },
        37 | 38 => Command::Fees {
            chain,
            level: dice.roll(9) + 1,
        },
        39 | 40 => Command::Bump { chain, which },
        41 => Command::CallOff { withdrawal: which },
        42 => Command::SendAgain { withdrawal: which },
        43 => Command::Resume,
        44..=48 => Command::Signer {
            chain,
            mood: if dice.hits(2) {
                Mood::Signs
            } else {
                dice.one_of(&Mood::BAD)
            },
        },
        _ => Command::Node {
            chain,
            node: if dice.hits(2) {
                Node::Answers
            } else {
                dice.one_of(&Node::BAD)
            },
        },
    }
}

fn withdraw(dice: &mut Dice, merchant: usize) -> Command {
    let coin = dice.one_of(&["BTC", "BTC", "ETH", "USDT"]);
    let parts = match coin {
        "BTC" => dice.roll(150) + 10,
        "ETH" => dice.roll(5_000) + 500,
        _ => dice.roll(2_500) + 200,
    };
    Command::Withdraw {
        merchant,
        coin,
        parts,
    }
}
