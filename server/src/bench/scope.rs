//! What a run measured, told in its title and to programs.
//!
//! Invariant: nothing is told of a run that it did not do.

use std::time::Duration;

use serde_json::{Value, json};

use super::plan::Plan;

/// What was measured, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Chain(Blocks),
    Seen(Payments),
}

/// What a run about following a chain does in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Blocks for each number of addresses.
    pub(super) blocks: u32,
    /// The two numbers of addresses.
    pub(super) few: u64,
    pub(super) many: u64,
    /// Payments that are waited for, each way of learning of them.
    pub(super) payments: u64,
}

/// What a run about payments of a real node does in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payments {
    /// Payments, each way of learning of them.
    pub(super) payments: u32,
    /// Between two looks at the node where nothing is announced.
    pub(super) look_every: Duration,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    plan: Plan,
    kind: Kind,
}

impl Scope {
    pub(super) fn server(plan: Plan) -> Self {
        Self {
            plan,
            kind: Kind::Server,
        }
    }

    pub(super) fn chain(plan: Plan, blocks: Blocks) -> Self {
        Self {
            plan,
            kind: Kind::Chain(blocks),
        }
    }

    pub(super) fn seen(plan: Plan, payments: Payments) -> Self {
        Self {
            plan,
            kind: Kind::Seen(payments),
        }
    }

    /// One line for people.
    pub(super) fn words(&self) -> String {
        let Plan {
            seconds,
            rounds,
            connections,
            scale,
            rows,
            in_flight,
            accounts,
            tpcb_clients,
        } = self.plan;
        let tpcb = format!("TPC-B at scale {scale} with up to {tpcb_clients} clients");
        match self.kind {
            Kind::Server => format!(
                "{rounds} rounds of {seconds} s, {connections} connections, {in_flight} entries in \
                 flight, {accounts} accounts, {rows} postings loaded, {tpcb}"
            ),
            Kind::Chain(Blocks {
                blocks,
                few,
                many,
                payments,
            }) => format!(
                "{rounds} rounds of {blocks} blocks with {few} and {many} addresses by turns and of \
                 {payments} payments polled and told, chain made up in this process, {tpcb} for \
                 {seconds} s"
            ),
            Kind::Seen(Payments {
                payments,
                look_every,
            }) => format!(
                "{rounds} rounds of {payments} payments polled and {payments} by ZMQ, one after the \
                 other, of a real node on a private network, asked every {} ms, {tpcb} for {seconds} s",
                look_every.as_millis()
            ),
        }
    }

    /// The same for programs, by name.
    pub(super) fn facts(&self) -> Vec<(String, Value)> {
        let plan = self.plan;
        let mut facts = vec![
            ("seconds", json!(plan.seconds)),
            ("rounds", json!(plan.rounds)),
            ("scale", json!(plan.scale)),
            ("tpcb_clients", json!(plan.tpcb_clients)),
        ];
        match self.kind {
            Kind::Server => facts.extend([
                ("connections", json!(plan.connections)),
                ("in_flight", json!(plan.in_flight)),
                ("accounts", json!(plan.accounts)),
                ("loaded", json!(plan.rows)),
            ]),
            Kind::Chain(blocks) => facts.extend([
                ("blocks", json!(blocks.blocks)),
                ("addresses", json!([blocks.few, blocks.many])),
                ("payments", json!(blocks.payments)),
            ]),
            Kind::Seen(seen) => facts.extend([
                ("payments", json!(seen.payments)),
                (
                    "poll_ms",
                    json!(u64::try_from(seen.look_every.as_millis()).ok()),
                ),
            ]),
        }
        let owned = |(name, value): (&str, Value)| (name.to_owned(), value);
        facts.into_iter().map(owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::usual;
    use super::*;

    fn names(scope: &Scope) -> Vec<String> {
        scope.facts().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_chain_loads_no_postings_and_says_none() {
        let scope = Scope::chain(
            usual(),
            Blocks {
                blocks: 150,
                few: 10_000,
                many: 1_000_000,
                payments: 40,
            },
        );
        assert_eq!(
            scope.words(),
            "3 rounds of 150 blocks with 10000 and 1000000 addresses by turns and of 40 payments polled \
             and told, chain made up in this process, TPC-B at scale 10 with up to 64 clients for 5 s"
        );
        for foreign in ["postings", "connections", "in flight", "accounts"] {
            assert!(!scope.words().contains(foreign), "{foreign}");
        }
        let names = names(&scope);
        assert!(!names.contains(&"loaded".to_owned()), "{names:?}");
        assert!(names.contains(&"blocks".to_owned()), "{names:?}");
    }

    #[test]
    fn a_real_node_is_told_with_its_poll_interval() {
        let scope = Scope::seen(
            usual(),
            Payments {
                payments: 40,
                look_every: Duration::from_millis(200),
            },
        );
        let words = scope.words();
        assert!(words.contains("asked every 200 ms"), "{words}");
        assert!(!words.contains("postings"), "{words}");
        let poll = scope
            .facts()
            .into_iter()
            .find(|(name, _)| name == "poll_ms");
        assert_eq!(poll.map(|(_, value)| value), Some(json!(200)));
    }

    #[test]
    fn a_server_tells_everything_of_its_plan() {
        let scope = Scope::server(usual());
        assert_eq!(
            scope.words(),
            "3 rounds of 5 s, 256 connections, 1000 entries in flight, 10000 accounts, 1000000 postings \
             loaded, TPC-B at scale 10 with up to 64 clients"
        );
        assert!(names(&scope).contains(&"loaded".to_owned()));
    }
}
