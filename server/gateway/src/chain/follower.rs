//! Brings our tables in line with what a chain's node says, one block per unit of work.
//!
//! Invariants: blocks are connected in order and only onto their parent; a block that fails stops
//! the follower and is never skipped; receipts change in the unit of the block that changes them,
//! so a crash leaves the state of some whole block. What a process remembers between two passes
//! saves work and decides nothing that the tables do not decide again after a restart.

mod blocks;
mod mempool;
mod recording;
mod store;

use std::future::Future;
use std::time::{Duration, Instant};

use domain::money::Currency;
use tokio::sync::watch;

use self::mempool::MempoolView;
use super::Chain;
use super::backend::BlockRef;
use super::node::Node;
use crate::charges::receiving;
use crate::ledger::{Book, WORK_OF_A_BLOCK, is_silence, within};
use crate::{Gateway, Result, deposits, withdrawals};

/// How often one call starts again because the chain moved while it was read.
const ROUNDS_MAX: u32 = 8;
/// How long a pass waits for news. The simulated chain has none: its controls start a pass.
const WAIT_MAX: Duration = Duration::from_secs(1);
const WAIT_MAX_OF_NODE: Duration = Duration::from_secs(30);
/// Pauses after failures: doubled from the shortest to the longest.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What one call of [`sync`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Our tip, equal to the node's; `None` when the chain moved too fast to be read as a whole, or
    /// when there is more to read than one pass takes.
    pub tip: Option<BlockRef>,
    pub connected: u32,
    pub disconnected: u32,
}

/// What a process keeps between two passes over one chain.
#[derive(Default)]
pub(super) struct Memory {
    mempool: MempoolView,
    /// No block was connected or disconnected since final receipts were last compared with the chain.
    reconciled: bool,
    /// Passes in a row that ended because the database did not answer in time.
    cuts: u32,
}

impl Memory {
    /// A unit that may only have been too large for its time gets more of it in the next pass, or the
    /// same block would be cut for ever. A database that is away is noticed sooner, and is no reason to
    /// wait longer for a connection that is dead.
    fn note<T>(&mut self, pass: &Result<T>, took: Duration) {
        match pass {
            Ok(_) => self.cuts = 0,
            Err(error) if is_silence(error) && took >= WORK_OF_A_BLOCK => {
                self.cuts = self.cuts.saturating_add(1);
            }
            Err(_) => {}
        }
    }
}

/// Takes over everything the node has to tell about the coin's chain.
///
/// Waits while another task or process does the same; when it returns a tip, whatever the node knew
/// before the call has its effect. May be dropped at any point: the next call goes on from the last
/// whole block.
///
/// # Errors
/// [`Error::Overloaded`](crate::Error::Overloaded) when somebody else followed the chain all the
/// time; what the backend, the ledger or the database refused.
pub async fn sync(gateway: &Gateway, coin: Currency) -> Result<Progress> {
    // Whoever asks for it: others wait behind the chain's lock.
    let gateway = &gateway.of_the_instance();
    let chain = gateway.chains().of(coin)?;
    let mut memory = chain.memory.lock().await;
    let patience = gateway.book().patience();
    let lock = store::lock_chain(gateway.side_pool(), coin, patience).await?;
    let begun = Instant::now();
    let progress = catch_up(gateway, chain, &mut memory).await;
    memory.note(&progress, begun.elapsed());
    within(patience.commit, lock.rollback()).await?;
    match &progress {
        Ok(Progress { tip: Some(tip), .. }) => chain.health.reached_tip(tip, gateway.clock().now()),
        Ok(_) => {}
        Err(error) => chain
            .health
            .failed(error.to_string(), gateway.clock().now()),
    }
    progress
}

/// Follows the chain until `shutdown` becomes true or its sender goes away.
///
/// After a failure it pauses, longer each time, and begins again at the block that failed.
pub async fn run(gateway: Gateway, coin: Currency, mut shutdown: watch::Receiver<bool>) {
    let mut pause = PAUSE_MIN;
    loop {
        if *shutdown.borrow_and_update() {
            return;
        }
        let turn = async {
            match sync_and_wait(&gateway, coin).await {
                Ok(()) => pause = PAUSE_MIN,
                Err(error) => {
                    tracing::error!(
                        chain = %coin.code, %error, pause_seconds = pause.as_secs(),
                        "cannot follow the chain"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        };
        tokio::select! {
            () = turn => {}
            changed = shutdown.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

async fn sync_and_wait(gateway: &Gateway, coin: Currency) -> Result<()> {
    match sync(gateway, coin).await?.tip {
        Some(tip) => {
            let chain = gateway.chains().of(coin)?;
            let max = match chain.node {
                Node::Simulated(_) | Node::Given(_) => WAIT_MAX,
                Node::BitcoinCore(_) => WAIT_MAX_OF_NODE,
                // Its wait sees blocks only; payments in the pool are to be noticed, too.
                Node::Evm(_) => WAIT_MAX * 2,
            };
            let waited = chain.backend.wait(&tip, max).await;
            if let Err(error) = &waited {
                chain
                    .health
                    .failed(error.to_string(), gateway.clock().now());
            }
            waited
        }
        None => Ok(()),
    }
}

/// What our tables say. A connection that has fallen silent must not hold the chain.
async fn looked_up<T>(gateway: &Gateway, looking: impl Future<Output = Result<T>>) -> Result<T> {
    within(gateway.book().patience().find, looking).await
}

async fn catch_up(gateway: &Gateway, chain: &Chain, memory: &mut Memory) -> Result<Progress> {
    let mut progress = Progress::default();
    for _ in 0..ROUNDS_MAX {
        let Some(tip) = blocks::follow(gateway, chain, memory, &mut progress).await? else {
            if progress.connected >= chain.node.blocks_per_pass() {
                break;
            }
            continue;
        };
        let snapshot = chain.backend.mempool().await?;
        // A block found meanwhile took its transactions out of the mempool: they are not lost.
        if chain.backend.tip().await?.hash != tip.hash {
            continue;
        }
        // Until they are compared, a crash or an error must not make us forget to.
        let reconciled = std::mem::take(&mut memory.reconciled);
        let book = gateway.book().for_blocks(memory.cuts);
        let view = &mut memory.mempool;
        let some_are_gone =
            mempool::follow(gateway, &book, chain, view, tip.height, snapshot).await?;
        if !reconciled || some_are_gone {
            reverse_lost(gateway, &book, chain.coin).await?;
        }
        memory.reconciled = true;
        withdrawals::follow(gateway, chain.coin, tip.height).await?;
        progress.tip = Some(tip);
        break;
    }
    Ok(progress)
}

async fn reverse_lost(gateway: &Gateway, book: &Book, coin: Currency) -> Result<()> {
    let owner = gateway.clone();
    book.commit(move |unit| {
        Box::pin(async move {
            receiving::reverse_lost(&owner, unit, coin).await?;
            deposits::reverse_lost(&owner, unit, coin).await
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::Error;

    #[test]
    fn a_pass_that_was_cut_is_remembered_until_one_comes_through() {
        let mut memory = Memory::default();
        let silence = || Error::Database(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
        for cuts in [1, 2, 3] {
            memory.note(&Err::<(), _>(silence()), WORK_OF_A_BLOCK);
            assert_eq!(memory.cuts, cuts);
        }
        // What is refused was not cut, and who cannot even begin has done nothing that could be too much.
        memory.note(&Err::<(), _>(Error::AlreadyBooked), WORK_OF_A_BLOCK);
        memory.note(&Err::<(), _>(silence()), Duration::from_secs(15));
        assert_eq!(memory.cuts, 3);
        memory.note(&Ok(()), Duration::ZERO);
        assert_eq!(memory.cuts, 0);
    }
}
