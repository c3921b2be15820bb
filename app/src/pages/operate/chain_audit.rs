use domain::view::dashboard::Frame;
use domain::view::reconciliation::{ChainAuditPage as Page, ChainAuditView, Difference};
use leptos::prelude::*;

use super::own_coins::own_coins;
use super::own_out::own_out;
use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Cell, EmptyState, HeadCell, RowHead, TableFrame, Timestamp};

const PATH: &str = "/app/operate/chains";

/// One chain's coins by the books, by the chain tables and by the node, and why they differ.
#[component]
pub fn ChainAuditPage(frame: Frame, view: Page) -> impl IntoView {
    let Page {
        code,
        begun_at,
        checked_at,
        found,
        own_coins: coins,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "txid");
    let wrong_out = blamed(notice.as_ref(), "out-txid");
    let frame = with_notice(frame, notice);
    let own = own_coins(&code, coins, wrong);
    let out = own_out(&code, wrong_out);
    let title = format!("Coins of {code}");
    let action = format!("{PATH}/{code}");
    let running = begun_at.map(|at| {
        view! {
            <p class="banner">
                "Somebody compares since " <Timestamp at=at/> ". Load the page again for the result."
            </p>
        }
    });
    let checked = checked_at
        .map(|at| view! { <p class="under-title">"Compared last at " <Timestamp at=at/> "."</p> });
    let result = match found {
        Some(found) => result(found),
        None => view! {
            <EmptyState text="The books were not compared with this chain yet."/>
        }
        .into_any(),
    };
    view! {
        <DashboardPage frame=frame title=title section=Section::Chains>
            {checked}
            {running}
            {result}
            <form method="post" action=action class="card">
                <p>
                    "Counts the coins three times: in the books, in what was read of the chain, and by \
                     asking the node itself. Changes nothing. A node of a large network needs some \
                     minutes."
                </p>
                <button class="btn">"Compare now"</button>
            </form>
            {own}
            {out}
            <p><a href=PATH>"Back to chains"</a></p>
        </DashboardPage>
    }
}

fn result(found: ChainAuditView) -> AnyView {
    let is_explained = found.is_explained();
    let ChainAuditView {
        chain,
        books,
        tables,
        height,
        node,
        node_height,
        problem,
        differences,
    } = found;
    let verdict = if is_explained {
        view! { <p>"Every difference that was found has a cause."</p> }.into_any()
    } else {
        view! {
            <p class="banner danger">
                "Some coins are accounted for by nobody. Pay nothing out before it is known why."
            </p>
        }
        .into_any()
    };
    let problem = problem.map(|text| {
        view! { <p class="banner danger">"Not compared with the node: " <bdi>{text}</bdi></p> }
    });
    let at = |height: Option<i64>| {
        height.map_or_else(|| "–".to_owned(), |height| format!("block {height}"))
    };
    let node = node.map_or_else(|| "not known".to_owned(), |node| format!("{node} {chain}"));
    let head = view! {
        <HeadCell label="By"/>
        <HeadCell label="Coins" numeric=true/>
        <HeadCell label="At"/>
    }
    .into_any();
    let rows = [
        ("the books", format!("{books} {chain}"), "now".to_owned()),
        ("the chain as read", format!("{tables} {chain}"), at(height)),
        ("the node", node, at(node_height)),
    ]
    .into_iter()
    .map(|(by, coins, at)| {
        view! {
            <tr role="row">
                <RowHead label="By">{by}</RowHead>
                <Cell label="Coins" numeric=true>{coins}</Cell>
                <Cell label="At">{at}</Cell>
            </tr>
        }
    })
    .collect_view();
    let differences = (!differences.is_empty()).then(|| causes(differences, &chain));
    view! {
        {verdict}
        {problem}
        <TableFrame caption="The coins, counted three times" head=head>{rows}</TableFrame>
        {differences}
    }
    .into_any()
}

fn causes(differences: Vec<Difference>, chain: &str) -> AnyView {
    let head = view! {
        <HeadCell label="Cause"/>
        <HeadCell label="Between"/>
        <HeadCell label="Coins" numeric=true/>
        <HeadCell label="Cases" numeric=true/>
        <HeadCell label="First of them"/>
    }
    .into_any();
    let rows = differences
        .into_iter()
        .map(|difference| {
            let examples = difference
                .examples
                .into_iter()
                .map(|text| view! { <span class="output"><bdi>{text}</bdi></span> })
                .collect_view();
            let coins = format!("{} {chain}", difference.amount);
            view! {
                <tr role="row">
                    <RowHead label="Cause">{difference.cause.words()}</RowHead>
                    <Cell label="Between">{difference.between.words()}</Cell>
                    <Cell label="Coins" numeric=true>{coins}</Cell>
                    <Cell label="Cases" numeric=true>{difference.count}</Cell>
                    <Cell label="First of them">{examples}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Why they differ"</h2>
            <TableFrame caption="Differences and their causes" head=head>{rows}</TableFrame>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::reconciliation::{Between, Cause};
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(found: Option<ChainAuditView>) -> String {
        let view = Page {
            code: "BTC".to_owned(),
            begun_at: None,
            checked_at: found.as_ref().map(|_| OffsetDateTime::UNIX_EPOCH),
            found,
            own_coins: Vec::new(),
            notice: None,
        };
        crate::render(move || view! { <ChainAuditPage frame=frame() view=view/> })
    }

    fn found(cause: Cause) -> ChainAuditView {
        ChainAuditView {
            chain: "BTC".to_owned(),
            books: "1.5".to_owned(),
            tables: "2".to_owned(),
            height: Some(7),
            node: Some("2".to_owned()),
            node_height: Some(7),
            problem: None,
            differences: vec![Difference {
                between: Between::TablesAndBooks,
                cause,
                amount: "0.5".to_owned(),
                count: 1,
                examples: vec!["operation:3 in aa:0".to_owned()],
            }],
        }
    }

    #[test]
    fn coins_of_nobody_are_said_first() {
        let html = page(Some(found(Cause::Unknown)));
        assert!(html.contains("accounted for by nobody"), "{html}");
        let fine = page(Some(found(Cause::Unconfirmed)));
        assert!(!fine.contains("accounted for by nobody"), "{fine}");
        assert!(fine.contains("operation:3 in aa:0"), "{fine}");
    }

    #[test]
    fn a_chain_that_was_never_compared_can_be() {
        let html = page(None);
        assert!(html.contains("not compared with this chain yet"), "{html}");
        assert!(
            html.contains("action=\"/app/operate/chains/BTC\""),
            "{html}"
        );
    }
}
