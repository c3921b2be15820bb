use domain::view::dashboard::Frame;
use domain::view::treasury::{
    TREASURY_KINDS, TREASURY_STATES, TreasuryAccountRow, TreasuryFilter, TreasuryRow, TreasuryView,
    TreasuryWaiting,
};
use leptos::prelude::*;

use super::choices;
use super::progress::{to_do, withdrawal_href};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Address, Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, SelectField, ShortHash,
    Status, TableFrame, Timestamp,
};

pub(super) const PATH: &str = "/app/operate/treasury";

/// The accounts that pay, what waits for a number, and every payment, the newest first.
#[component]
pub fn TreasuryPage(frame: Frame, view: TreasuryView) -> impl IntoView {
    let TreasuryView {
        filter,
        chains,
        accounts,
        waiting,
        rows,
        paging,
        never_used,
    } = view;
    let list = if never_used {
        view! {
            <EmptyState text="Nothing was paid with a number yet. Withdrawals and sweeps of EVM chains with a node stand here."/>
        }
        .into_any()
    } else if rows.is_empty() {
        view! {
            {filters(filter, chains)}
            <EmptyState text="No payments match.">
                <a class="btn-2" href=PATH>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {filters(filter, chains)}
            {table(rows)}
            <PageLinks of=paging what="payments" export="/app/operate/treasury.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="EVM payments" section=Section::Treasury>
            <p class="under-title">
                "Transactions of the account that pays and of swept deposits, each with a number. What gas costs is ours."
            </p>
            {accounts_table(accounts)}
            {waiting_table(waiting)}
            <section>
                <h2>"Payments"</h2>
                {list}
            </section>
        </DashboardPage>
    }
}

fn filters(filter: TreasuryFilter, chains: Vec<String>) -> AnyView {
    let states = choices::words("Any status", &TREASURY_STATES);
    let kinds = choices::words("Any kind", &TREASURY_KINDS);
    let chains = choices::codes("Any coin", chains);
    view! {
        <search>
            <form method="get" action=PATH novalidate class="filters">
                <SelectField name="state" label="Status" options=states selected=filter.state/>
                <SelectField name="chain" label="Coin" options=chains selected=filter.chain/>
                <SelectField name="kind" label="Kind" options=kinds selected=filter.kind/>
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}

fn accounts_table(accounts: Vec<TreasuryAccountRow>) -> AnyView {
    let content = if accounts.is_empty() {
        view! { <EmptyState text="No coin is paid from an account: that needs the node of an EVM chain."/> }
            .into_any()
    } else {
        let head = view! {
            <HeadCell label="Address"/>
            <HeadCell label="Chain"/>
            <HeadCell label="Used for"/>
            <HeadCell label="Next number" numeric=true/>
            <HeadCell label="Balances" numeric=true/>
            <HeadCell label="State"/>
        }
        .into_any();
        let rows = accounts.into_iter().map(account_row).collect_view();
        view! {
            <TableFrame caption="Accounts with numbers" caption_hidden=true head=head>{rows}</TableFrame>
        }
        .into_any()
    };
    view! {
        <section>
            <h2>"Accounts"</h2>
            {content}
        </section>
    }
    .into_any()
}

fn account_row(account: TreasuryAccountRow) -> AnyView {
    let next = account
        .next_nonce
        .map_or_else(|| "never paid".to_owned(), |next| next.to_string());
    let used_for = if account.pays {
        "Withdrawals"
    } else {
        "A deposit"
    };
    let balances = if account.balances.is_empty() {
        view! { <span class="quiet">"not known now"</span> }.into_any()
    } else {
        account
            .balances
            .into_iter()
            .map(|balance| view! { <span class="output"><Amount of=balance/></span> })
            .collect_view()
            .into_any()
    };
    let state = match account.paused {
        Some(why) => {
            let href = format!("{PATH}/accounts/{}", account.address);
            let label = format!("Go on with payments from {}", account.address);
            view! {
                <p><strong>"Paused: "</strong> <bdi>{why}</bdi></p>
                <p class="actions"><a class="btn-2" href=href aria-label=label>"Go on"</a></p>
            }
            .into_any()
        }
        None => view! { "pays" }.into_any(),
    };
    view! {
        <tr role="row">
            <RowHead label="Address"><Address value=account.address/></RowHead>
            <Cell label="Chain"><span class="whole">{account.chain_id}</span></Cell>
            <Cell label="Used for"><span class="whole">{used_for}</span></Cell>
            <Cell label="Next number" numeric=true>{next}</Cell>
            <Cell label="Balances" numeric=true>{balances}</Cell>
            <Cell label="State">{state}</Cell>
        </tr>
    }
    .into_any()
}

fn waiting_table(waiting: Vec<TreasuryWaiting>) -> Option<AnyView> {
    if waiting.is_empty() {
        return None;
    }
    let head = view! {
        <HeadCell label="Withdrawal"/>
        <HeadCell label="Merchant"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Why"/>
    }
    .into_any();
    let rows = waiting
        .into_iter()
        .map(|item| {
            let href = withdrawal_href(item.operation_id, item.merchant_id);
            let why = item.why.unwrap_or_else(|| "its turn comes".to_owned());
            view! {
                <tr role="row">
                    <RowHead label="Withdrawal">
                        <a class="id" href=href>{item.operation_id}</a>
                    </RowHead>
                    <Cell label="Merchant"><bdi>{item.merchant}</bdi></Cell>
                    <Cell label="Amount" numeric=true><Amount of=item.amount/></Cell>
                    <Cell label="Why"><bdi>{why}</bdi></Cell>
                </tr>
            }
        })
        .collect_view();
    Some(
        view! {
            <section>
                <h2>"Waiting for a number"</h2>
                <TableFrame caption="Withdrawals that have no number yet" caption_hidden=true head=head>
                    {rows}
                </TableFrame>
            </section>
        }
        .into_any(),
    )
}

/// Six columns, so that a screen of 1280 pixels shows them all: what belongs together stands in two lines.
fn table(rows: Vec<TreasuryRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Payment"/>
        <HeadCell label="Kind"/>
        <HeadCell label="Status"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="To"/>
        <HeadCell label="To do"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Payments, the newest first" head=head>{rows}</TableFrame> }
        .into_any()
}

fn row(payment: TreasuryRow) -> AnyView {
    let href = format!("{PATH}/{}", payment.id);
    let to_do = to_do(href.clone(), payment.waits_for_signature, payment.problem);
    let withdrawal = payment.withdrawal.map(|(operation, merchant)| {
        view! { " " <a class="id" href=withdrawal_href(operation, merchant)>{operation}</a> }
    });
    let gas = if payment.is_fee_final {
        "gas "
    } else {
        "gas at most "
    };
    // One child each: in a card of a narrow screen the two lines stay together.
    view! {
        <tr role="row">
            <RowHead label="Payment">
                <span>
                    <a class="id" href=href>{payment.id}</a>
                    <span class="output quiet"><Timestamp at=payment.created/></span>
                </span>
            </RowHead>
            <Cell label="Kind">
                <span>
                    <span class="whole">{payment.kind}</span>
                    {withdrawal}
                    <span class="output quiet whole">"number " {payment.nonce}</span>
                </span>
            </Cell>
            <Cell label="Status"><Status of=payment.state/></Cell>
            <Cell label="Amount" numeric=true>
                <span>
                    <Amount of=payment.amount/>
                    <span class="output quiet whole">{gas} <Amount of=payment.fee/></span>
                </span>
            </Cell>
            <Cell label="To"><ShortHash value=payment.to/></Cell>
            <Cell label="To do">{to_do}</Cell>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::AmountText;
    use domain::view::dashboard::{Paging, StatusPill};
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn amount(amount: &str, code: &str) -> AmountText {
        AmountText {
            amount: amount.to_owned(),
            code: code.to_owned(),
        }
    }

    fn view(rows: Vec<TreasuryRow>, never_used: bool) -> TreasuryView {
        TreasuryView {
            filter: TreasuryFilter::default(),
            chains: vec!["ETH".to_owned(), "USDT".to_owned()],
            accounts: vec![TreasuryAccountRow {
                address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
                chain_id: 1,
                pays: true,
                next_nonce: Some(7),
                paused: Some("number 6 was used for something else".to_owned()),
                balances: vec![amount("1.5", "ETH")],
            }],
            waiting: vec![TreasuryWaiting {
                operation_id: 17,
                merchant_id: 1_000,
                merchant: "<b>Café</b>".to_owned(),
                amount: amount("25", "USDT"),
                why: Some("waiting for funds".to_owned()),
            }],
            rows,
            paging: Paging {
                previous: None,
                next: Some("?before=3".to_owned()),
                export: "?kind=gas".to_owned(),
            },
            never_used,
        }
    }

    fn payment() -> TreasuryRow {
        TreasuryRow {
            id: 4,
            created: OffsetDateTime::UNIX_EPOCH,
            kind: "Withdrawal".to_owned(),
            state: StatusPill {
                word: "unsigned".to_owned(),
                flags: Vec::new(),
            },
            amount: amount("25", "USDT"),
            from: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
            to: "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".to_owned(),
            nonce: 6,
            withdrawal: Some((18, 1_000)),
            fee: amount("0.0001", "ETH"),
            is_fee_final: false,
            txid: None,
            waits_for_signature: true,
            problem: None,
        }
    }

    fn html(view: TreasuryView) -> String {
        crate::render(move || view! { <TreasuryPage frame=frame() view=view/> })
    }

    #[test]
    fn what_waits_says_why_and_a_paused_account_can_go_on() {
        let html = html(view(vec![payment()], false));
        assert!(html.contains("waiting for funds"), "{html}");
        assert!(!html.contains("<b>Café"), "{html}");
        let resume = "/app/operate/treasury/accounts/0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
        assert!(html.contains(resume), "{html}");
        assert!(html.contains("/app/withdrawals/18?merchant=1000"), "{html}");
        assert!(html.contains("at most"), "{html}");
        assert!(
            html.contains("/app/operate/treasury.csv?kind=gas"),
            "{html}"
        );
        assert!(html.contains("Sign it"), "{html}");
    }

    #[test]
    fn what_belongs_together_shares_a_column() {
        let page = html(view(vec![payment()], false));
        let list = page.rsplit("Payments, the newest first").next();
        let list = list.unwrap_or_default();
        assert_eq!(list.matches("role=\"columnheader\"").count(), 6, "{list}");
        assert!(list.contains("gas at most "), "{list}");
        let paid = TreasuryRow {
            is_fee_final: true,
            ..payment()
        };
        let page = html(view(vec![paid], false));
        assert!(!page.contains("gas at most "), "{page}");
    }

    #[test]
    fn empty_lists_say_so() {
        let unused = html(view(Vec::new(), true));
        assert!(
            unused.contains("Nothing was paid with a number yet"),
            "{unused}"
        );
        let unmatched = html(view(Vec::new(), false));
        assert!(unmatched.contains("Clear filters"), "{unmatched}");
    }
}
