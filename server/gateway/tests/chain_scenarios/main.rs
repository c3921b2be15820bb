//! What happens on chains, told once and played on each of them: on the simulated one in every run, on
//! those nodes of Bitcoin, Litecoin and Ethereum that `EXCHEQUER_REAL_NODES` names. What counts is what
//! the database says afterwards, and that the books are in order after every step.
//!
//! On a real node all scenarios are played one after the other, in one database: each has addresses
//! of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../evm_node/anvil.rs"]
#[allow(dead_code)]
mod anvil;
mod away;
mod bitcoin_family;
mod charges;
mod deposits;
mod ethereum;
#[path = "../real_nodes/node.rs"]
mod node;
#[path = "../real_nodes/port.rs"]
mod port;
mod pruned;
mod puppet;
#[path = "../real_nodes/purse.rs"]
mod purse;
mod random;
mod reorganisations;
#[path = "../real_nodes/required.rs"]
mod required;
mod second_server;
mod simulated;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod tether;
mod token_contract;
mod tokens;

use sqlx::PgPool;

use self::anvil::Anvil;
use self::bitcoin_family::CorePuppet;
use self::ethereum::EtherPuppet;
use self::node::Kind;
use self::random::{Paid, Walk};
use self::stage::Stage;
use self::tether::TetherPuppet;

/// Some scenarios, one after the other.
macro_rules! play {
    ($stage:ident: $($act:ident::$scenario:ident),+ $(,)?) => {
        $(
            eprintln!("scenario: {}", stringify!($scenario));
            // All of them in one frame are more than the stack of a test.
            Box::pin($act::$scenario(&mut $stage)).await;
            Box::pin($stage.compare_with_a_rescan()).await;
        )+
    };
}

/// Every scenario: a test of its own on the simulated chain, a step of one test on each node.
macro_rules! on_every_chain {
    ($($act:ident::$scenario:ident),+ $(,)?) => {
        mod on_the_simulated_chain {
            $(#[sqlx::test(migrations = "../../migrations")]
            async fn $scenario(pool: sqlx::PgPool) {
                let mut stage = super::Stage::simulated(&pool).await;
                super::$act::$scenario(&mut stage).await;
                stage.compare_with_a_rescan().await;
            })+
        }

        async fn play_all(mut stage: Stage) {
            play!(stage: $($act::$scenario),+);
        }
    };
}

on_every_chain!(
    deposits::a_deposit_is_seen_and_then_final,
    deposits::a_deposit_is_first_seen_in_its_block,
    deposits::an_address_is_paid_again_and_again,
    deposits::two_outputs_of_one_transaction_are_two_deposits,
    deposits::nothing_is_no_deposit,
    deposits::too_little_waits_for_a_person,
    deposits::a_replacement_that_still_pays_us_is_credited_once,
    deposits::a_replacement_that_pays_someone_else_cancels,
    deposits::a_double_spend_in_a_block_cancels,
    deposits::a_child_of_an_unconfirmed_payment_is_a_deposit_like_any_other,
    deposits::a_forgotten_payment_is_cancelled_and_may_come_back,
    reorganisations::a_block_that_moves_a_deposit_changes_nothing,
    reorganisations::a_deposit_leaves_the_chain_and_comes_back,
    reorganisations::a_final_deposit_that_is_lost_is_reversed_and_restored,
    reorganisations::a_double_spend_in_the_new_branch_cancels,
    reorganisations::a_final_deposit_that_is_double_spent_stays_reversed,
    away::a_server_that_was_away_finds_everything,
    away::a_node_that_is_away_changes_nothing,
    away::a_node_that_is_behind_changes_nothing,
    charges::a_charge_is_paid_in_two_parts,
    charges::a_replaced_payment_does_not_pay_a_charge,
);

#[sqlx::test(migrations = "../../migrations")]
async fn on_bitcoin_core(pool: PgPool) {
    if let Some(puppet) = CorePuppet::start(Kind::Bitcoin).await {
        play_all(Stage::with(&pool, puppet).await).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn on_litecoin_core(pool: PgPool) {
    if let Some(puppet) = CorePuppet::start(Kind::Litecoin).await {
        play_all(Stage::with(&pool, puppet).await).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn on_an_evm_node(pool: PgPool) {
    if let Some(anvil) = Anvil::start() {
        play_all(Stage::with(&pool, EtherPuppet::new(anvil).await).await).await;
    }
}

/// Left out are the scenarios about payments that wait: of a token, nobody knows them.
#[sqlx::test(migrations = "../../migrations")]
async fn on_a_token_of_an_evm_node(pool: PgPool) {
    let Some(anvil) = Anvil::start() else { return };
    let mut stage = Stage::with(&pool, TetherPuppet::new(anvil).await).await;
    play!(stage:
        tokens::a_transfer_is_a_deposit_once_it_has_run,
        tokens::a_replaced_transfer_pays_only_whom_it_pays,
        tokens::two_transfers_of_one_transaction_are_told_apart_in_another_block,
        tokens::what_contracts_tell_besides_is_no_deposit,
        deposits::a_deposit_is_first_seen_in_its_block,
        deposits::an_address_is_paid_again_and_again,
        deposits::two_outputs_of_one_transaction_are_two_deposits,
        deposits::nothing_is_no_deposit,
        deposits::too_little_waits_for_a_person,
        reorganisations::a_block_that_moves_a_deposit_changes_nothing,
        reorganisations::a_deposit_leaves_the_chain_and_comes_back,
        reorganisations::a_final_deposit_that_is_lost_is_reversed_and_restored,
        reorganisations::a_double_spend_in_the_new_branch_cancels,
        reorganisations::a_final_deposit_that_is_double_spent_stays_reversed,
        away::a_server_that_was_away_finds_everything,
        charges::a_charge_is_paid_in_two_parts,
    );
}

/// Of the simulated chain, which has every step and refuses none.
const LONG: Walk = Walk {
    paid: Paid::Addresses,
    steps: 60,
    compare_every: 20,
};

/// Of a node: each step takes some tenths of a second.
const SHORT: Walk = Walk {
    steps: 24,
    compare_every: 12,
    ..LONG
};

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_a_rescan_finds_the_same(pool: PgPool) {
    let mut stage = Stage::simulated(&pool).await;
    random::walk(&mut stage, random::seed(), LONG).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_to_charges_a_rescan_finds_the_same(pool: PgPool) {
    let mut stage = Stage::simulated(&pool).await;
    let walk = Walk {
        paid: Paid::Charges,
        ..LONG
    };
    random::walk(&mut stage, random::seed(), walk).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_on_bitcoin_core_a_rescan_finds_the_same(pool: PgPool) {
    if let Some(puppet) = CorePuppet::start(Kind::Bitcoin).await {
        let mut stage = Stage::with(&pool, puppet).await;
        random::walk(&mut stage, random::seed(), SHORT).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_on_litecoin_core_a_rescan_finds_the_same(pool: PgPool) {
    if let Some(puppet) = CorePuppet::start(Kind::Litecoin).await {
        let mut stage = Stage::with(&pool, puppet).await;
        random::walk(&mut stage, random::seed(), SHORT).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_to_ether_a_rescan_finds_the_same(pool: PgPool) {
    if let Some(anvil) = Anvil::start() {
        let mut stage = Stage::with(&pool, EtherPuppet::new(anvil).await).await;
        random::walk(&mut stage, random::seed(), SHORT).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_happens_to_a_token_a_rescan_finds_the_same(pool: PgPool) {
    if let Some(anvil) = Anvil::start() {
        let mut stage = Stage::with(&pool, TetherPuppet::new(anvil).await).await;
        random::walk(&mut stage, random::seed(), SHORT).await;
    }
}

/// A chain that was long before us begins near its tip, and stays there.
#[sqlx::test(migrations = "../../migrations")]
async fn a_chain_begins_ten_blocks_below_the_tip(pool: PgPool) {
    let Some(puppet) = CorePuppet::start(Kind::Litecoin).await else {
        return;
    };
    let stage = Stage::with(&pool, puppet).await;
    let tip = stage.height().await;
    stage.follow().await;
    let birthday: i64 =
        sqlx::query_scalar("SELECT birthday FROM chain_accounts WHERE chain = 'LTC'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(birthday, tip - 10);
    let lowest: i64 =
        sqlx::query_scalar("SELECT min(height) FROM chain_blocks WHERE chain = 'LTC'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(lowest, birthday);
}
