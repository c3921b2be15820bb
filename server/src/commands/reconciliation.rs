//! What a comparison of books, chains and nodes says on the command line.

use domain::view::reconciliation::{ChainAuditView, Difference};
use serde_json::{Value, json};

/// 0: everything was compared and explained; 1: something is not explained; 2: some node was not
/// compared.
pub(super) fn exit_code(found: &[ChainAuditView]) -> u8 {
    if !found.iter().all(ChainAuditView::is_explained) {
        1
    } else if !found.iter().all(ChainAuditView::is_complete) {
        2
    } else {
        0
    }
}

pub(super) fn json(found: &[ChainAuditView]) -> Value {
    let chains: Vec<Value> = found
        .iter()
        .map(|chain| {
            let differences: Vec<Value> = chain
                .differences
                .iter()
                .map(|difference| {
                    json!({
                        "between": difference.between,
                        "cause": difference.cause.word(),
                        "explained": difference.cause.is_explained(),
                        "amount": difference.amount,
                        "count": difference.count,
                        "examples": difference.examples,
                    })
                })
                .collect();
            json!({
                "chain": chain.chain,
                "explained": chain.is_explained(),
                "compared": chain.is_complete(),
                "books": chain.books,
                "tables": chain.tables,
                "height": chain.height,
                "node": chain.node,
                "node_height": chain.node_height,
                "problem": chain.problem,
                "differences": differences,
            })
        })
        .collect();
    json!({
        "explained": found.iter().all(ChainAuditView::is_explained),
        "compared": found.iter().all(ChainAuditView::is_complete),
        "chains": chains,
    })
}

pub(super) fn text(found: &[ChainAuditView]) -> String {
    let mut lines = vec![match exit_code(found) {
        0 => "The books, the chains and their nodes agree, or it is known why not.".to_owned(),
        1 => "NOT EXPLAINED: some coins are accounted for by nobody.".to_owned(),
        _ => "Some nodes could not be compared.".to_owned(),
    }];
    for chain in found {
        let code = &chain.chain;
        let node = match (&chain.node, chain.node_height) {
            (Some(node), Some(height)) => format!("{node} by the node at {height}"),
            _ => "not known by the node".to_owned(),
        };
        lines.push(format!(
            "{code}: {} in the books, {} on the chain, {node}",
            chain.books, chain.tables
        ));
        if let Some(problem) = &chain.problem {
            lines.push(format!("  not compared: {problem}"));
        }
        for difference in &chain.differences {
            lines.extend(said(difference));
        }
    }
    lines.join("\n")
}

fn said(difference: &Difference) -> Vec<String> {
    let Difference {
        between,
        cause,
        amount,
        count,
        examples,
    } = difference;
    let mark = if cause.is_explained() { "ok  " } else { "FAIL" };
    let mut lines = vec![format!(
        "  {mark}  {}: {amount}, {} ({count})",
        between.words(),
        cause.words()
    )];
    lines.extend(
        examples
            .iter()
            .map(|example| format!("          {example}")),
    );
    lines
}

#[cfg(test)]
mod tests {
    use domain::view::reconciliation::{Between, Cause};

    use super::*;

    fn chain(cause: Option<Cause>, problem: Option<&str>) -> ChainAuditView {
        ChainAuditView {
            chain: "BTC".to_owned(),
            books: "1.5".to_owned(),
            tables: "2".to_owned(),
            height: Some(7),
            node: problem.is_none().then(|| "2".to_owned()),
            node_height: problem.is_none().then_some(7),
            problem: problem.map(str::to_owned),
            differences: cause
                .into_iter()
                .map(|cause| Difference {
                    between: Between::TablesAndBooks,
                    cause,
                    amount: "0.5".to_owned(),
                    count: 1,
                    examples: vec!["operation:3 in aa:0".to_owned()],
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_not_explained_goes_before_what_is_not_known() {
        assert_eq!(exit_code(&[]), 0);
        assert_eq!(exit_code(&[chain(Some(Cause::Unconfirmed), None)]), 0);
        let away = chain(None, Some("the node is away"));
        assert_eq!(exit_code(std::slice::from_ref(&away)), 2);
        assert_eq!(exit_code(&[away, chain(Some(Cause::Unknown), None)]), 1);
    }

    #[test]
    fn each_difference_is_told_with_its_cause() {
        let told = text(&[chain(Some(Cause::Unconfirmed), None)]);
        assert!(
            told.contains("BTC: 1.5 in the books, 2 on the chain, 2 by the node at 7"),
            "{told}"
        );
        assert!(
            told.contains("ok    chain less books: 0.5, waits for confirmations (1)"),
            "{told}"
        );
        assert!(told.contains("operation:3 in aa:0"), "{told}");
        let told = text(&[chain(Some(Cause::Unknown), Some("the node is away"))]);
        assert!(told.starts_with("NOT EXPLAINED"), "{told}");
        assert!(
            told.contains("FAIL") && told.contains("the node is away"),
            "{told}"
        );
    }

    #[test]
    fn programs_read_the_same() {
        let told = json(&[chain(Some(Cause::ForeignSpend), None)]);
        assert_eq!(told["explained"], true);
        assert_eq!(told["compared"], true);
        let difference = &told["chains"][0]["differences"][0];
        assert_eq!(difference["between"], "tables_and_books");
        assert_eq!(difference["cause"], "foreign_spend");
        assert_eq!(difference["amount"], "0.5");
    }
}
