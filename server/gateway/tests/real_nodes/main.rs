//! The chain backend against real nodes on private networks, and against servers that are none.
//!
//! `./x nodes` installs the nodes; `required` says with which of them tests have to run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod announced;
mod derived;
#[path = "../electrum/mod.rs"]
mod electrum;
mod garbage;
mod identity;
mod node;
mod peg_out;
mod port;
mod purse;
mod required;
mod scenarios;
mod witnessed;

use self::node::{Kind, Node};

/// The same scenarios, once per kind of node.
macro_rules! on_each_node {
    ($($scenario:ident),+ $(,)?) => {
        mod bitcoin {
            $(#[tokio::test]
            async fn $scenario() {
                if let Some(node) = super::Node::start(super::Kind::Bitcoin).await {
                    super::scenarios::$scenario(node).await;
                }
            })+
        }

        mod litecoin {
            $(#[tokio::test]
            async fn $scenario() {
                if let Some(node) = super::Node::start(super::Kind::Litecoin).await {
                    super::scenarios::$scenario(node).await;
                }
            })+
        }
    };
}

on_each_node!(
    blocks_are_those_of_the_node,
    rewards_are_reported_when_they_can_be_spent,
    a_payment_is_seen_waiting_and_then_in_its_block,
    a_replacement_spends_the_same_and_pays_someone_else,
    a_payment_that_signals_nothing_may_be_replaced_all_the_same,
    a_reorganisation_and_the_way_back,
    a_mined_double_spend_spends_the_same,
    broadcasts_and_their_refusals,
    waiting_ends_with_a_block_and_with_a_payment,
    a_node_that_starts_again_has_a_new_cookie,
    the_status_is_that_of_the_node,
);

#[test]
fn required_nodes_are_a_list() {
    assert!(required::programs("").is_empty());
    assert_eq!(
        required::programs("anvil, bitcoind,"),
        ["anvil", "bitcoind"]
    );
}

#[test]
#[should_panic(expected = "names litecoin,")]
fn a_required_node_that_nobody_knows_is_refused() {
    required::programs("litecoin");
}
