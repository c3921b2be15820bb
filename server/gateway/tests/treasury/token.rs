//! A token of six decimals with balances, as small as can be: `transfer` fails without the balance, and while its
//! owner has stopped it, as that of USDT does.
//!
//! It stands here as its bytes, because a compiler would be a dependency for a hundred instructions. Storage: the
//! balance of an account under the account's own number; under the largest number, whether it is stopped.

use gateway::chain::evm::Account;
use serde_json::{Value, json};

use crate::anvil::{ALICE, Anvil};

/// What the one who deploys it has: 1 000 million tokens.
const SUPPLY: &str = "038d7ea4c68000";
/// `Transfer(address,address,uint256)`.
const TOPIC: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

const DECIMALS: &str = "313ce567";
const BALANCE_OF: &str = "70a08231";
const TRANSFER: &str = "a9059cbb";
/// Of no standard: stops (1) or lets go on (0).
const STOP: &str = "0000fa11";

/// JUMPDEST, PUSH1 0, PUSH1 0, REVERT.
const FAIL: &str = "5b60006000fd";

/// Bytes of some code.
fn length(code: &str) -> usize {
    code.len() / 2
}

fn code() -> String {
    // JUMPDEST, PUSH1 6, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
    let decimals = "5b600660005260206000f3";
    // JUMPDEST, PUSH1 4, CALLDATALOAD, SLOAD, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
    let balance_of = "5b6004355460005260206000f3";
    // JUMPDEST, PUSH1 4, CALLDATALOAD, PUSH1 0, NOT, SSTORE, STOP.
    let stop = "5b6004356000195500";
    // The selector, 10 bytes for each answer, and 5 for everything else.
    let at_decimals = 6 + 10 * 4 + 5;
    let at_balance_of = at_decimals + length(decimals);
    let at_stop = at_balance_of + length(balance_of);
    let at_fail = at_stop + length(stop);
    let at_transfer = at_fail + length(FAIL);
    let transfer = [
        // JUMPDEST. PUSH1 0, NOT, SLOAD, PUSH1 fail, JUMPI: it is stopped.
        format!("5b6000195460{at_fail:02x}57").as_str(),
        // CALLER, SLOAD, PUSH1 36, CALLDATALOAD: what there is, and what is to go.
        "3354602435",
        // DUP2, DUP2, GT, PUSH1 fail, JUMPI: it is too little.
        format!("81811160{at_fail:02x}57").as_str(),
        // DUP1, SWAP2, SUB, CALLER, SSTORE.
        "8091033355",
        // PUSH1 4, CALLDATALOAD, DUP1, SLOAD, DUP3, ADD, DUP2, SSTORE.
        "600435805482018155",
        // DUP2, PUSH1 0, MSTORE. CALLER, PUSH32 topic, PUSH1 32, PUSH1 0, LOG3.
        format!("81600052337f{TOPIC}60206000a3").as_str(),
        // PUSH1 1, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
        "600160005260206000f3",
    ]
    .concat();
    // PUSH1 0, CALLDATALOAD, PUSH1 224, SHR: the selector.
    let mut code = String::from("60003560e01c");
    for (selector, place) in [
        (DECIMALS, at_decimals),
        (BALANCE_OF, at_balance_of),
        (STOP, at_stop),
        (TRANSFER, at_transfer),
    ] {
        // DUP1, PUSH4 selector, EQ, PUSH1 place, JUMPI.
        code += &format!("8063{selector}1460{place:02x}57");
    }
    // PUSH1 0, PUSH1 0, REVERT.
    code += "60006000fd";
    [code.as_str(), decimals, balance_of, stop, FAIL, &transfer].concat()
}

/// PUSH7 supply, CALLER, SSTORE; then PUSH1 length, PUSH1 22, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN.
fn creation_code() -> String {
    let code = code();
    let length = length(&code);
    assert!(length < 0x100, "a length of one byte");
    format!("66{SUPPLY}335560{length:02x}601660003960{length:02x}6000f3{code}")
}

/// Puts the contract on the chain, in a block of its own; all tokens are Alice's.
pub async fn deploy(anvil: &Anvil) -> Account {
    let data = format!("0x{}", creation_code());
    let txid = anvil.send(json!({ "from": ALICE, "data": data })).await;
    anvil.mine().await;
    let receipt = anvil.receipt(&txid).await;
    assert_eq!(receipt["status"], "0x1");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

/// Tokens of Alice for an account, in the next block.
pub async fn give(anvil: &Anvil, contract: Account, to: &str, units: u128) {
    let to = to.trim_start_matches("0x").to_ascii_lowercase();
    let data = format!("0x{TRANSFER}{to:0>64}{units:064x}");
    let tx = json!({ "from": ALICE, "to": contract.to_string(), "data": data });
    anvil.send(tx).await;
}

/// In the next block, in front of everything else there: nobody pays as much.
pub async fn stop(anvil: &Anvil, contract: Account, is_stopped: bool) {
    let data = format!("0x{STOP}{:064x}", u8::from(is_stopped));
    let tx = json!({
        "from": ALICE, "to": contract.to_string(), "data": data,
        "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0xba43b7400",
    });
    anvil.send(tx).await;
}

pub async fn balance(anvil: &Anvil, contract: Account, of: &str) -> u128 {
    let of = of.trim_start_matches("0x").to_ascii_lowercase();
    let call = json!({ "to": contract.to_string(), "data": format!("0x{BALANCE_OF}{of:0>64}") });
    let word: Value = anvil.call("eth_call", json!([call, "latest"])).await;
    let digits = word.as_str().unwrap().trim_start_matches("0x").to_owned();
    u128::from_str_radix(&digits, 16).unwrap()
}

#[test]
fn the_code_is_what_was_run_by_hand() {
    assert_eq!(length(&code()), 176);
    assert!(creation_code().starts_with("66038d7ea4c68000335560b0601660003960b06000f3600035"));
}
