//! A token as small as can be, and what is on the chain because of it.
//!
//! Nobody has a balance in it: whoever asks for a transfer gets its event. All the same it is a real
//! contract, so what nodes say of its events is what they say of any token's. It stands here as its
//! bytes, because a compiler would be a dependency for sixty instructions.

use gateway::chain::evm::Account;
use serde_json::{Value, json};

use crate::anvil::{ALICE, Anvil};

/// `Transfer(address,address,uint256)`.
const TRANSFER_TOPIC: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `Approval(address,address,uint256)`.
const APPROVAL_TOPIC: &str = "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";

/// `decimals()`.
const DECIMALS: &str = "313ce567";
/// `transfer(address,uint256)`.
pub const TRANSFER: &str = "a9059cbb";
/// `approve(address,uint256)`.
pub const APPROVE: &str = "095ea7b3";
/// Of no standard: the event of a token that is not fungible, whose number is a topic.
pub const TRANSFER_PIECE: &str = "00000721";

/// RETURN 1, as a word: PUSH1 1, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
const ANSWER_TRUE: &str = "600160005260206000f3";

/// The code that makes the contract: it copies what stands behind it, 12 bytes further on, and answers
/// it.
fn creation_code() -> String {
    let code = code();
    let length = code.len() / 2;
    assert!(length < 0x100, "a length of one byte");
    // PUSH1 length, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN.
    format!("60{length:02x}600c60003960{length:02x}6000f3{code}")
}

/// Looks at the first four bytes of a call and jumps to what they ask for.
fn code() -> String {
    let answers = [
        // JUMPDEST, PUSH1 6, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN: as many decimals as USDT has.
        (DECIMALS, "5b600660005260206000f3".to_owned()),
        (TRANSFER, event(TRANSFER_TOPIC)),
        (APPROVE, event(APPROVAL_TOPIC)),
        // JUMPDEST, then for the topics PUSH1 36, CALLDATALOAD: the number; PUSH1 4, CALLDATALOAD: who
        // gets it; CALLER; PUSH32 topic. PUSH1 0, PUSH1 0, LOG4: no data.
        (
            TRANSFER_PIECE,
            format!("5b602435600435337f{TRANSFER_TOPIC}60006000a4{ANSWER_TRUE}"),
        ),
    ];
    // PUSH1 0, CALLDATALOAD, PUSH1 224, SHR: the selector.
    let mut code = String::from("60003560e01c");
    // The dispatch: 6 bytes above, 10 for each answer, 5 for everything else.
    let mut place = 6 + 10 * answers.len() + 5;
    for (selector, answer) in &answers {
        // DUP1, PUSH4 selector, EQ, PUSH1 place, JUMPI.
        code += &format!("8063{selector}1460{place:02x}57");
        place += answer.len() / 2;
    }
    // PUSH1 0, PUSH1 0, REVERT.
    code += "60006000fd";
    for (_, answer) in answers {
        code += &answer;
    }
    code
}

/// An event with two accounts as topics and an amount as data.
fn event(topic: &str) -> String {
    // JUMPDEST. PUSH1 36, CALLDATALOAD, PUSH1 0, MSTORE: the amount, into memory. PUSH1 4, CALLDATALOAD:
    // the other account. CALLER. PUSH32 topic. PUSH1 32, PUSH1 0, LOG3.
    format!("5b602435600052600435337f{topic}60206000a3{ANSWER_TRUE}")
}

/// Puts the contract on the chain, in a block of its own.
pub async fn deploy(anvil: &Anvil) -> Account {
    let data = format!("0x{}", creation_code());
    let txid = anvil.send(json!({ "from": ALICE, "data": data })).await;
    anvil.mine().await;
    let receipt = anvil.receipt(&txid).await;
    assert_eq!(receipt["status"], "0x1");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

/// A call with an account and an amount.
pub fn call(contract: Account, selector: &str, account: &str, raw: u128) -> Value {
    let digits = account.strip_prefix("0x").unwrap().to_ascii_lowercase();
    json!({
        "to": contract.to_string(),
        "data": format!("0x{selector}{digits:0>64}{raw:064x}"),
    })
}

/// Code that runs once, while it is put on the chain, and makes one transfer to each account.
pub fn transfers(contract: Account, accounts: &[&str], raw: u128) -> Value {
    let mut code = String::from("0x");
    for account in accounts {
        let data = call(contract, TRANSFER, account, raw)["data"].clone();
        let data = data.as_str().unwrap().trim_start_matches("0x");
        let data = format!("{data:0<192}");
        for (place, part) in ["00", "20", "40"].iter().zip([0, 64, 128]) {
            // PUSH32 part, PUSH1 place, MSTORE.
            code += &format!("7f{}60{place}52", &data[part..part + 64]);
        }
        // No answer, 68 bytes from 0, no ether; PUSH20 contract, GAS, CALL, POP.
        code += &format!("6000600060446000600073{}5af150", hex::encode(contract.0));
    }
    // STOP: nothing stays there.
    code += "00";
    json!({ "data": code })
}
