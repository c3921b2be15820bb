//! Contracts the tests put on the chain.

use gateway::chain::evm::{Account, Asset};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

use crate::anvil::{ALICE, Anvil, modules};

/// Decimals of the token of OpenZeppelin's preset.
pub const DIGITS: u32 = 18;
const SUPPLY: u64 = 1_000_000_000_000;

pub fn word(number: u64) -> String {
    format!("{number:064x}")
}

fn account_word(account: Account) -> String {
    format!("{:0>64}", hex::encode(account.0))
}

/// The token, its whole supply Alice's.
pub async fn deploy_token(anvil: &Anvil) -> Account {
    let file =
        modules().join("@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json");
    let artifact: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let code = artifact["bytecode"].as_str().unwrap();
    let owner = account_word(ALICE.parse().unwrap());
    let letter = format!("{}{:0<64}", word(1), "54");
    // Name and symbol stand behind the four words, one letter each.
    let arguments = [
        word(0x80),
        word(0xc0),
        word(SUPPLY),
        owner,
        letter.clone(),
        letter,
    ];
    let txid = anvil
        .send(json!({ "from": ALICE, "data": format!("{code}{}", arguments.concat()) }))
        .await;
    anvil.mine().await;
    let receipt = anvil.receipt(&txid).await;
    assert_eq!(receipt["status"], "0x1");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

pub fn asset(contract: Account) -> Asset {
    Asset::Token {
        contract,
        digits: DIGITS,
    }
}

fn transfer_call(to: Account, units: u64) -> String {
    format!("a9059cbb{}{}", account_word(to), word(units))
}

/// A transaction that asks the contract to move tokens of `from`.
pub fn transfer(from: &str, contract: Account, to: Account, units: u64) -> Value {
    json!({
        "from": from, "to": contract.to_string(),
        "data": format!("0x{}", transfer_call(to, units)),
    })
}

/// Code that runs once, while it is put on the chain, and moves tokens of its own account.
pub fn moving_code(moves: &[(Account, Account, u64)]) -> String {
    let mut code = String::from("0x");
    for (contract, to, units) in moves {
        let call = format!("{:0<192}", transfer_call(*to, *units));
        for (place, part) in ["00", "20", "40"].iter().zip([0, 64, 128]) {
            // PUSH32 part, PUSH1 place, MSTORE.
            code += &format!("7f{}60{place}52", &call[part..part + 64]);
        }
        // No answer, 68 bytes from 0, no ether; PUSH20 contract, GAS, CALL, POP.
        code += &format!("6000600060446000600073{}5af150", hex::encode(contract.0));
    }
    // STOP: the contract itself has no code.
    code + "00"
}

/// The account a contract gets that Alice puts on the chain with this nonce: the end of the hash of
/// the list of sender and nonce.
pub fn contract_account(nonce: u8) -> Account {
    // A smaller or larger one is encoded in another way.
    assert!((1..0x80).contains(&nonce));
    let sender: Account = ALICE.parse().unwrap();
    let list = [&[0xd6, 0x94][..], &sender.0, &[nonce]].concat();
    Account(Keccak256::digest(list)[12..].try_into().unwrap())
}
