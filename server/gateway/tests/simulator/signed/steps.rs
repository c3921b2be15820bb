//! What each command does. Refusals are part of life, and so is what a node does not answer; what went wrong inside
//! is not.

use gateway::Error;
use gateway::addresses::NewAddress;
use gateway::outbox::Outcome;
use gateway::withdrawals::{NewWithdrawal, ReplacedOutcome, send_due};

use super::Step;
use super::script::{Chain, Command};
use super::world::Run;
use crate::faults;
use crate::net::ETHER;
use crate::world::nth;

const BY: &str = "simulator";

/// Passes of one step. What is due is done in fewer.
const PASSES_MAX: u32 = 50;

/// Blocks of outputs that are undone at most: fewer than make a deposit final, and as many as settle a withdrawal.
const OUTPUTS_UNDONE_MAX: usize = 3;

const PAYOUTS: &str = "SELECT id FROM payouts ORDER BY id";
const NUMBERED: &str = "SELECT DISTINCT operation_id FROM treasury_payments
    WHERE operation_id IS NOT NULL ORDER BY operation_id";
const OPEN: &str = "SELECT operation_id FROM withdrawals
    WHERE state NOT IN ('settled', 'void') ORDER BY operation_id";

/// All that was ever signed for payouts that nothing has settled.
const VERSIONS: &str = "SELECT x.raw FROM payout_txs x JOIN payouts p ON p.id = x.payout_id
    WHERE x.raw IS NOT NULL AND p.confirmed_tx_id IS NULL ORDER BY x.id";

impl Run {
    /// Does one step; says what must not happen, if it did.
    pub async fn step(&mut self, number: usize, step: &Step) -> Result<(), String> {
        self.step = number;
        let mut is_rough = !self.nodes_answer();
        faults::end_leases(&self.pool).await;
        self.arm(step.fault).await;
        let first = self.run_where(step).await;
        let has_fired = self.has_fired(step.fault).await;
        self.arm(None).await;
        let second = if step.again {
            faults::end_leases(&self.pool).await;
            self.run_where(step).await
        } else {
            Ok(())
        };
        is_rough |= !self.nodes_answer();
        // What a fault made fail is no finding; one that never came made nothing fail.
        let first = if has_fired { Ok(()) } else { first };
        for outcome in [first, second] {
            match outcome {
                Err(Error::Internal(_)) if is_rough => {}
                Err(error) if faults::is_finding(&error) => return Err(error.to_string()),
                Ok(()) | Err(_) => {}
            }
        }
        // Both processes have the same time.
        for gateway in [&self.world.gateway, &self.other] {
            let refreshed = gateway.clock().refresh(&self.pool).await;
            refreshed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// In the other process, if the step says so.
    async fn run_where(&mut self, step: &Step) -> Result<(), Error> {
        if !step.behind {
            return self.run(step.command).await;
        }
        std::mem::swap(&mut self.world.gateway, &mut self.other);
        let outcome = self.run(step.command).await;
        std::mem::swap(&mut self.world.gateway, &mut self.other);
        outcome
    }

    async fn run(&mut self, command: Command) -> Result<(), Error> {
        match command {
            Command::Withdraw {
                merchant,
                coin,
                parts,
            } => self.withdraw(merchant, coin, parts).await,
            Command::Deposit { merchant, coin } => self.deposit(merchant, coin).await,
            Command::Work { seconds } => self.work(seconds).await,
            Command::Follow { chain } => self.follow(chain).await,
            Command::Mine { .. }
            | Command::MineVersion { .. }
            | Command::Reorg { .. }
            | Command::Forget { .. } => self.change_chain(command).await,
            Command::Fees { chain, level } => {
                self.fees(chain, level);
                Ok(())
            }
            Command::Bump { chain, which } => self.bump(chain, which).await,
            Command::CallOff { withdrawal } => match self.pick(OPEN, withdrawal).await? {
                Some(id) => self.call_off(id).await,
                None => Ok(()),
            },
            Command::SendAgain { withdrawal } => match self.pick(OPEN, withdrawal).await? {
                Some(id) => self.gateway().rebroadcast_withdrawal(id, BY).await,
                None => Ok(()),
            },
            Command::Resume => self.resume().await,
            Command::Signer { chain, mood } => {
                self.signs(chain, mood);
                Ok(())
            }
            Command::Node { chain, node } => {
                self.node(chain, node);
                Ok(())
            }
        }
    }

    /// The one a number names, if there is any.
    async fn pick(&self, question: &'static str, which: u32) -> Result<Option<i64>, Error> {
        let all: Vec<i64> = sqlx::query_scalar(question).fetch_all(&self.pool).await?;
        Ok(nth(&all, which).copied())
    }

    async fn withdraw(&self, merchant: usize, coin: &'static str, parts: u32) -> Result<(), Error> {
        let text = if coin == "USDT" {
            format!("{}.{:02}", parts / 100, parts % 100)
        } else {
            format!("{}.{:04}", parts / 10_000, parts % 10_000)
        };
        let new = NewWithdrawal {
            merchant_id: self.merchants[merchant],
            foreign_id: Some(self.reference()),
            amount: self.world.money(&text, coin),
            convert_to: None,
            address: self.receiver(coin),
            tag: None,
            requested_by: BY.to_owned(),
            requested_user_id: None,
        };
        self.gateway()
            .request_withdrawal_by_reference(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    async fn deposit(&self, merchant: usize, coin: &'static str) -> Result<(), Error> {
        let new = NewAddress {
            merchant_id: self.merchants[merchant],
            coin: self.world.currency(coin),
            convert_to: None,
            foreign_id: self.reference(),
        };
        let answer = self
            .gateway()
            .take_deposit_address(new, None, |view, _| {
                (201, view.address.clone().into_bytes())
            })
            .await?;
        let address = String::from_utf8(answer.body).unwrap();
        match coin {
            "BTC" => {
                self.outputs.fund(&address, 10_000_000);
            }
            "ETH" => self.accounts.pay(&address, 2 * ETHER),
            _ => self.accounts.pay_token(&address, 200_000_000),
        }
        Ok(())
    }

    /// One pass after the other, while anything is due. A lease that a fault left is not waited for.
    async fn work(&self, seconds: i64) -> Result<(), Error> {
        let gateway = self.gateway();
        gateway.clock().advance(&self.pool, seconds).await?;
        for _ in 0..PASSES_MAX {
            if send_due(gateway).await? == Outcome::Idle {
                return Ok(());
            }
        }
        Err(Error::Internal(format!(
            "something is still due after {PASSES_MAX} passes"
        )))
    }

    async fn change_chain(&mut self, command: Command) -> Result<(), Error> {
        match command {
            Command::Mine {
                chain,
                blocks,
                is_followed,
            } => {
                match chain {
                    Chain::Outputs => self.outputs.mine(blocks),
                    Chain::Accounts => {
                        self.accounts.mine(blocks);
                        self.blocks += usize::try_from(blocks).unwrap();
                    }
                }
                if is_followed {
                    self.follow(chain).await?;
                }
                Ok(())
            }
            Command::MineVersion { version } => {
                let signed: Vec<Vec<u8>> =
                    sqlx::query_scalar(VERSIONS).fetch_all(&self.pool).await?;
                let minable: Vec<Vec<u8>> = signed
                    .into_iter()
                    .filter(|raw| self.outputs.is_minable(raw))
                    .collect();
                let Some(raw) = nth(&minable, version) else {
                    return Ok(());
                };
                self.outputs.mine_raw(std::slice::from_ref(raw));
                self.follow(Chain::Outputs).await
            }
            Command::Reorg { chain, depth, keep } => {
                match chain {
                    Chain::Outputs => self.outputs.reorg(depth.min(OUTPUTS_UNDONE_MAX), keep),
                    // Less deep than what is settled: those that are deeper are the treasury's walks.
                    Chain::Accounts => self.accounts.reorg(depth.min(self.blocks), keep),
                }
                self.follow(chain).await
            }
            Command::Forget { chain } => {
                match chain {
                    Chain::Outputs => {
                        if let Some(tx) = self.outputs.mempool_txs().last() {
                            self.outputs.forget(&tx.compute_txid().to_string());
                        }
                    }
                    Chain::Accounts => self.accounts.forget(),
                }
                self.follow(chain).await
            }
            _ => Ok(()),
        }
    }

    async fn bump(&self, chain: Chain, which: u32) -> Result<(), Error> {
        match chain {
            Chain::Outputs => match self.pick(PAYOUTS, which).await? {
                Some(payout) => self.gateway().bump_payout(payout, BY).await,
                None => Ok(()),
            },
            Chain::Accounts => match self.pick(NUMBERED, which).await? {
                Some(id) => self.gateway().bump_treasury_payment(id, BY).await,
                None => Ok(()),
            },
        }
    }

    pub async fn call_off(&self, id: i64) -> Result<(), Error> {
        self.gateway()
            .end_replaced(id, ReplacedOutcome::NotPaid, "looked at the chain", BY)
            .await
    }

    pub async fn resume(&self) -> Result<(), Error> {
        self.gateway()
            .resume_treasury("ETH", "looked at the account", BY)
            .await
    }
}
