use domain::view::chains::{ChainRow, ChainsView};
use domain::view::dashboard::{Frame, Paging, StatusPill};
use leptos::prelude::*;

use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Address, Cell, EmptyState, HeadCell, PageLinks, RowHead, Status, TableFrame, Timestamp,
};

/// Every chain: how far it is followed, and what its node says of itself.
#[component]
pub fn ChainsPage(frame: Frame, view: ChainsView) -> impl IntoView {
    let stopped = view.stopped().join(", ");
    let stopped = (!stopped.is_empty()).then(|| {
        view! {
            <p class="banner danger">
                "Nothing is read from " {stopped}
                " right now. Payments are not lost: they are found when the node is back."
            </p>
        }
    });
    let ChainsView { now, rows } = view;
    let list = if rows.is_empty() {
        view! {
            <EmptyState text="No chain is connected. Name a node in EXCHEQUER_CHAIN_BTC, EXCHEQUER_CHAIN_LTC or EXCHEQUER_CHAIN_ETH."/>
        }
        .into_any()
    } else {
        let accounts = rows.clone();
        let paging = Paging {
            previous: None,
            next: None,
            export: String::new(),
        };
        view! {
            {table(rows)}
            <PageLinks of=paging what="chains" export="/app/operate/chains.csv"/>
            {addresses(accounts)}
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Chains" section=Section::Chains>
            <p class="under-title">"As of " <Timestamp at=now/> "."</p>
            {stopped}
            {list}
        </DashboardPage>
    }
}

fn table(rows: Vec<ChainRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Chain"/>
        <HeadCell label="Node"/>
        <HeadCell label="State"/>
        <HeadCell label="Height" numeric=true/>
        <HeadCell label="Node's height" numeric=true/>
        <HeadCell label="Behind" numeric=true/>
        <HeadCell label="Mempool" numeric=true/>
        <HeadCell label="To look at"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Chains and their nodes" head=head>{rows}</TableFrame> }.into_any()
}

fn row(chain: ChainRow) -> AnyView {
    let ChainRow {
        code,
        kind,
        network,
        state,
        height,
        node_height,
        lag,
        since,
        error,
        version,
        peers,
        mempool,
        is_heard,
        warnings,
        first_addresses: _,
    } = chain;
    let number = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let pill = StatusPill {
        word: state.words().to_owned(),
        flags: Vec::new(),
    };
    let since =
        since.map(|at| view! { <span class="output quiet">"since " <Timestamp at=at/></span> });
    let version = version.map(|version| view! { <span class="output"><bdi>{version}</bdi></span> });
    let peers = peers.map(|peers| {
        let what = if peers == 1 {
            "1 peer".to_owned()
        } else {
            format!("{peers} peers")
        };
        view! { <span class="output quiet">{what}</span> }
    });
    let announcements = is_heard.map(|is_heard| {
        let what = if is_heard {
            "announcements are heard"
        } else {
            "announcements are not heard, it is asked instead"
        };
        view! { <span class="output quiet">{what}</span> }
    });
    let mempool = mempool.map_or_else(|| "–".to_owned(), |size| size.to_string());
    let nothing = error.is_none() && warnings.is_empty();
    let to_look_at = error
        .into_iter()
        .chain(warnings)
        .map(|text| view! { <span class="output"><bdi>{text}</bdi></span> })
        .collect_view();
    let href = format!("/app/operate/chains/{code}");
    view! {
        <tr role="row">
            <RowHead label="Chain"><a href=href>{code}</a></RowHead>
            <Cell label="Node">
                <span class="output">{kind} ", " {network}</span>
                {version}
                {peers}
                {announcements}
            </Cell>
            <Cell label="State"><Status of=pill/> {since}</Cell>
            <Cell label="Height" numeric=true>{number(height)}</Cell>
            <Cell label="Node's height" numeric=true>{number(node_height)}</Cell>
            <Cell label="Behind" numeric=true>{number(lag)}</Cell>
            <Cell label="Mempool" numeric=true>{mempool}</Cell>
            <Cell label="To look at">{nothing.then_some("nothing")} {to_look_at}</Cell>
        </tr>
    }
    .into_any()
}

fn addresses(rows: Vec<ChainRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Chain"/>
        <HeadCell label="First addresses"/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|row| {
            let addresses = row
                .first_addresses
                .into_iter()
                .map(|address| view! { <span class="output"><Address value=address/></span> })
                .collect_view();
            view! {
                <tr role="row">
                    <RowHead label="Chain">{row.code}</RowHead>
                    <Cell label="First addresses">{addresses}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2>"Whose addresses these are"</h2>
            <p>
                "The wallet that holds the keys must show the same first addresses. If it does not, \
                 stop: nobody here could spend what is paid to them."
            </p>
            <TableFrame caption="First addresses of each chain's account" head=head>
                {rows}
            </TableFrame>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::chains::ChainState;
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(rows: Vec<ChainRow>) -> String {
        let view = ChainsView {
            now: OffsetDateTime::UNIX_EPOCH,
            rows,
        };
        crate::render(move || view! { <ChainsPage frame=frame() view=view/> })
    }

    fn chain(state: ChainState, error: Option<&str>) -> ChainRow {
        ChainRow {
            code: "BTC".to_owned(),
            kind: "bitcoin-core".to_owned(),
            network: "regtest".to_owned(),
            state,
            height: Some(101),
            node_height: Some(104),
            lag: Some(3),
            since: error.map(|_| OffsetDateTime::UNIX_EPOCH),
            error: error.map(str::to_owned),
            version: Some("30.1.0".to_owned()),
            peers: Some(1),
            mempool: Some(7),
            is_heard: None,
            warnings: Vec::new(),
            first_addresses: vec!["bcrt1qxyz".to_owned()],
        }
    }

    #[test]
    fn a_chain_that_is_not_followed_is_said_first() {
        let html = page(vec![chain(ChainState::Stopped, Some("the node is away"))]);
        assert!(html.contains("Nothing is read from"), "{html}");
        assert!(html.contains("the node is away"), "{html}");
        let fine = page(vec![chain(ChainState::AtTip, None)]);
        assert!(!fine.contains("Nothing is read from"), "{fine}");
        assert!(fine.contains("nothing"), "{fine}");
        assert!(fine.contains("1 peer<"), "{fine}");
    }

    #[test]
    fn whether_announcements_are_heard_is_said_where_they_are_asked_for() {
        let row = chain(ChainState::AtTip, None);
        let told = |is_heard| {
            page(vec![ChainRow {
                is_heard,
                ..row.clone()
            }])
        };
        assert!(!told(None).contains("announcements"));
        assert!(told(Some(true)).contains("announcements are heard"));
        assert!(told(Some(false)).contains("announcements are not heard"));
    }

    #[test]
    fn without_chains_the_page_says_how_to_connect_one() {
        assert!(page(Vec::new()).contains("EXCHEQUER_CHAIN_BTC"));
    }
}
