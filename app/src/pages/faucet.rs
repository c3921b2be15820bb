//! The faucet, `/app/faucet`, in test mode only: pays any address, mines, moves the clock.

use domain::view::dashboard::{ChainRow, FaucetView, Frame, MempoolRow};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{
    Cell, Figure, HeadCell, HiddenField, RowHead, SelectField, ShortHash, TableFrame, TextField,
    Timestamp,
};

const ACTION: &str = "/app/faucet";

/// Three forms and the state of the simulated chains.
#[component]
pub fn FaucetPage(frame: Frame, view: FaucetView) -> impl IntoView {
    let FaucetView {
        now,
        chains,
        address,
        amount,
        currency,
        result,
    } = view;
    let frame = Frame {
        notice: frame.notice.or(result),
        ..frame
    };
    let codes: Vec<(String, String)> = chains
        .iter()
        .map(|chain| (chain.code.clone(), chain.code.clone()))
        .collect();
    view! {
        <DashboardPage frame=frame title="Faucet" section=Section::Faucet>
            <p class="under-title">"The clock of this instance says " <Timestamp at=now/> "."</p>
            <div class="columns">
                {pay(codes.clone(), address, amount, currency.clone())}
                <div>
                    {mine(codes, currency)}
                    {advance()}
                </div>
            </div>
            {heights(&chains)}
            {mempools(chains)}
        </DashboardPage>
    }
}

fn pay(codes: Vec<(String, String)>, address: String, amount: String, currency: String) -> AnyView {
    view! {
        <section>
            <h2>"Pay an address"</h2>
            <form method="post" action=ACTION novalidate class="card">
                <HiddenField name="action" value="pay"/>
                <TextField name="address" label="Address" value=address mono=true/>
                <TextField name="amount" label="Amount" value=amount inputmode="decimal"/>
                <SelectField name="currency" label="Coin" options=codes selected=currency/>
                <button class="btn">"Pay"</button>
            </form>
        </section>
    }
    .into_any()
}

fn mine(codes: Vec<(String, String)>, currency: String) -> AnyView {
    view! {
        <section>
            <h2>"Mine blocks"</h2>
            <form method="post" action=ACTION novalidate class="card">
                <HiddenField name="action" value="mine"/>
                <SelectField
                    name="currency"
                    id="mine-currency"
                    label="Chain"
                    options=codes
                    selected=currency
                />
                <TextField name="blocks" label="Blocks" value="1" inputmode="numeric"/>
                <button class="btn">"Mine"</button>
            </form>
        </section>
    }
    .into_any()
}

fn advance() -> AnyView {
    view! {
        <section>
            <h2>"Move the clock"</h2>
            <form method="post" action=ACTION novalidate class="card">
                <HiddenField name="action" value="advance"/>
                <TextField
                    name="seconds"
                    label="Seconds forward"
                    value="900"
                    hint="Timers that become due fire before the page comes back."
                    inputmode="numeric"
                />
                <button class="btn">"Move"</button>
            </form>
        </section>
    }
    .into_any()
}

fn heights(chains: &[ChainRow]) -> AnyView {
    let rows = chains
        .iter()
        .map(|chain| {
            let (code, height, waiting) = (chain.code.clone(), chain.height, chain.mempool.len());
            view! {
                <tr role="row">
                    <RowHead label="Chain">{code}</RowHead>
                    <Cell label="Height" numeric=true>{height}</Cell>
                    <Cell label="Unconfirmed" numeric=true>{waiting}</Cell>
                </tr>
            }
        })
        .collect_view();
    let head = view! {
        <HeadCell label="Chain"/>
        <HeadCell label="Height" numeric=true/>
        <HeadCell label="Unconfirmed" numeric=true/>
    }
    .into_any();
    view! {
        <section>
            <h2>"Chains"</h2>
            <TableFrame caption="Simulated chains" caption_hidden=true head=head>{rows}</TableFrame>
        </section>
    }
    .into_any()
}

fn mempools(chains: Vec<ChainRow>) -> Option<AnyView> {
    let rows: Vec<AnyView> = chains
        .into_iter()
        .flat_map(|ChainRow { code, mempool, .. }| {
            mempool
                .into_iter()
                .map(move |transaction| waiting(code.clone(), transaction))
        })
        .collect();
    (!rows.is_empty()).then(|| {
        let head = view! {
            <HeadCell label="Transaction"/>
            <HeadCell label="Chain"/>
            <HeadCell label="Outputs"/>
        }
        .into_any();
        view! {
            <section>
                <h2>"Waiting for a block"</h2>
                <TableFrame caption="Unconfirmed transactions" caption_hidden=true head=head>
                    {rows}
                </TableFrame>
            </section>
        }
        .into_any()
    })
}

fn waiting(code: String, transaction: MempoolRow) -> AnyView {
    let MempoolRow { txid, outputs } = transaction;
    let outputs = outputs
        .into_iter()
        .map(|(address, amount)| {
            view! {
                <span class="output"><ShortHash value=address/> " " <Figure value=amount/></span>
            }
        })
        .collect_view();
    view! {
        <tr role="row">
            <RowHead label="Transaction"><ShortHash value=txid/></RowHead>
            <Cell label="Chain">{code}</Cell>
            <Cell label="Outputs">{outputs}</Cell>
        </tr>
    }
    .into_any()
}
