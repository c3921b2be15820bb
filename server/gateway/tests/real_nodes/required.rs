//! Which real nodes a run must have: the one place of the tests that reads `EXCHEQUER_REAL_NODES`.
//!
//! It is a list of programs, `bitcoind,litecoind,anvil,electrum`. A program of the list that is missing is a
//! failure; without the variable, and for a program that is not in the list, tests are left out with
//! a line that says so.

use std::env;

const VARIABLE: &str = "EXCHEQUER_REAL_NODES";

/// A name that is none of these is refused: a slip of the pen would leave tests out.
const PROGRAMS: [&str; 4] = ["bitcoind", "litecoind", "anvil", "electrum"];

/// Whether tests with this program have to run; prints that they are left out when they have not.
pub fn is_required(program: &str) -> bool {
    let list = env::var_os(VARIABLE).unwrap_or_default();
    let is_listed = programs(list.to_str().unwrap()).contains(&program);
    if !is_listed {
        eprintln!("skipped: needs {program}, which {VARIABLE} does not name");
    }
    is_listed
}

/// The programs of a list. Empty places in it mean nothing.
pub fn programs(list: &str) -> Vec<&str> {
    let named: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    for name in &named {
        let is_known = PROGRAMS.contains(name);
        assert!(
            is_known,
            "{VARIABLE} names {name}, which is none of {PROGRAMS:?}"
        );
    }
    named
}
