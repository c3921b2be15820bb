//! Electrum, a wallet that others wrote, as a witness: the modules of Debian's package, offline.
#![allow(dead_code, reason = "not every suite asks all of it")]

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::required::is_required;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/electrum/witness.py");
/// Its modules are those of the system's own Python, whichever comes first in `PATH`.
const PYTHON: &str = "/usr/bin/python3";

#[derive(Debug, Deserialize)]
pub struct Answers {
    /// Of each key, those for payers and those for change.
    pub addresses: Vec<[Vec<String>; 2]>,
    /// Of a wallet that was restored from each key: as many as it shows by itself.
    pub wallets: Vec<[Vec<String>; 2]>,
    pub links: Vec<Option<Link>>,
    pub sign: Option<Signed>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Link {
    pub address: Option<String>,
    /// Satoshi.
    pub amount: Option<u64>,
    pub label: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Signed {
    pub is_complete: bool,
    /// In base64.
    pub psbt: String,
    /// In hexadecimal.
    pub raw: Option<String>,
}

/// Asks Electrum; `None` when it is not required. The questions are described in the script.
pub fn ask(questions: &Value) -> Option<Answers> {
    if !is_required("electrum") {
        return None;
    }
    let python = env::var_os("EXCHEQUER_ELECTRUM_PYTHON").unwrap_or_else(|| PYTHON.into());
    let mut process = Command::new(&python)
        .arg(SCRIPT)
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    // Closed at once, or the script would wait for more.
    process
        .stdin
        .take()
        .unwrap()
        .write_all(questions.to_string().as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{python:?} has no Electrum, or Electrum does not do what it is asked: run './x nodes'"
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
