use domain::view::dashboard::Frame;
use domain::view::payouts::{PayoutRider, PayoutRow, PayoutTxRow, PayoutView, PayoutsView};
use leptos::prelude::*;

use super::progress::{history, problem, raise_fee, to_do, withdrawal_href};
use super::signing::{Signing, signing};
use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, PageLinks, RowHead, ShortHash, Status, TableFrame,
    Timestamp,
};

const PATH: &str = "/app/operate/payouts";

/// Every payout, the newest first.
#[component]
pub fn PayoutsPage(frame: Frame, view: PayoutsView) -> impl IntoView {
    let PayoutsView {
        rows,
        paging,
        never_used,
    } = view;
    let list = if never_used {
        view! {
            <EmptyState text="Nothing was paid out together yet. Withdrawals of chains with a node share transactions, and those stand here."/>
        }
        .into_any()
    } else {
        let head = view! {
            <HeadCell label="Payout"/>
            <HeadCell label="Status"/>
            <HeadCell label="Withdrawals" numeric=true/>
            <HeadCell label="Paid" numeric=true/>
            <HeadCell label="Transaction"/>
            <HeadCell label="To do"/>
        }
        .into_any();
        let rows = rows.into_iter().map(row).collect_view();
        view! {
            <TableFrame caption="Payouts, the newest first" head=head>{rows}</TableFrame>
            <PageLinks of=paging what="payouts" export="/app/operate/payouts.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Payouts" section=Section::Payouts>
            <p class="under-title">
                "Transactions that pay withdrawals, several at once. What they cost is ours."
            </p>
            {list}
        </DashboardPage>
    }
}

/// As few columns as a screen of 1280 pixels shows: what belongs together stands in two lines.
fn row(payout: PayoutRow) -> AnyView {
    let href = format!("{PATH}/{}", payout.id);
    let to_do = to_do(href.clone(), payout.waits_for_signature, payout.problem);
    view! {
        <tr role="row">
            <RowHead label="Payout">
                <span>
                    <a class="id" href=href>{payout.id}</a>
                    <span class="output quiet"><Timestamp at=payout.created/></span>
                </span>
            </RowHead>
            <Cell label="Status"><Status of=payout.state/></Cell>
            <Cell label="Withdrawals" numeric=true>{payout.riders}</Cell>
            <Cell label="Paid" numeric=true>
                <span>
                    <Amount of=payout.paid/>
                    <span class="output quiet whole">"fee " <Amount of=payout.fee/></span>
                </span>
            </Cell>
            <Cell label="Transaction"><ShortHash value=payout.txid/></Cell>
            <Cell label="To do">{to_do}</Cell>
        </tr>
    }
    .into_any()
}

/// One payout: its transactions, who did what to them, and whom they pay.
#[component]
pub fn PayoutPage(frame: Frame, view: PayoutView) -> impl IntoView {
    let PayoutView {
        id,
        code,
        created,
        txs,
        riders,
        is_drafted,
        by_hand,
        can_bump,
        can_resend,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "psbt");
    let frame = with_notice(frame, notice);
    let title = format!("Payout {id}");
    let sign = is_drafted.then(|| sign(id, by_hand, wrong));
    let actions = (can_bump || can_resend).then(|| actions(id, can_bump, can_resend));
    view! {
        <DashboardPage frame=frame title=title section=Section::Payouts>
            <p class="under-title">{code} " since " <Timestamp at=created/></p>
            {sign}
            {actions}
            <section>
                <h2>"Transactions"</h2>
                <p>
                    "All of them make the same payments and spend the same coins, so one of them is \
                     mined, whichever it is."
                </p>
                {transactions(txs)}
            </section>
            <section>
                <h2>"Withdrawals"</h2>
                {withdrawals(riders)}
            </section>
            <p><a href=PATH>"Back to payouts"</a></p>
        </DashboardPage>
    }
}

fn sign(id: i64, by_hand: bool, wrong: Option<String>) -> AnyView {
    signing(Signing {
        who: if by_hand {
            "It waits for somebody to sign it where the key is."
        } else {
            "The signer is asked by itself, again and again. It can be signed by hand as well."
        },
        download: format!("{PATH}/{id}/psbt"),
        unsigned: "A PSBT (BIP 174) for a wallet or a hardware signer. Compare there what is paid to \
                   whom. Who downloads it is recorded.",
        download_button: "Download the PSBT",
        upload: format!("{PATH}/{id}/signed"),
        file_label: "The signed PSBT",
        file_hint: "As a file, or as text below. It is sent as soon as every signature is right.",
        text_name: "psbt",
        text_hint: "Base64 or hexadecimal, or the finished transaction in hexadecimal.",
        wrong,
    })
}

fn actions(id: i64, can_bump: bool, can_resend: bool) -> AnyView {
    let bump = can_bump.then(|| {
        raise_fee(
            format!("{PATH}/{id}/bump"),
            "Makes a transaction with a higher fee that takes the place of the one on its way. Everybody is \
             paid once, by whichever of the two is mined.",
        )
    });
    let resend = can_resend.then(|| {
        let action = format!("{PATH}/{id}/rebroadcast");
        view! {
            <form method="post" action=action class="card">
                <p>"The same bytes again; that changes nothing where they are known."</p>
                <button class="btn-2">"Send again"</button>
            </form>
        }
    });
    view! {
        <section>
            <h2>"On its way"</h2>
            <div class="columns">{bump} {resend}</div>
        </section>
    }
    .into_any()
}

fn transactions(txs: Vec<PayoutTxRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Transaction"/>
        <HeadCell label="Status"/>
        <HeadCell label="Fee" numeric=true/>
        <HeadCell label="Change" numeric=true/>
        <HeadCell label="Coins" numeric=true/>
        <HeadCell label="Virtual bytes" numeric=true/>
        <HeadCell label="Who"/>
        <HeadCell label="Problem"/>
    }
    .into_any();
    let rows = txs
        .into_iter()
        .map(|tx| {
            let change = match tx.change {
                Some(change) => view! { <Amount of=change/> }.into_any(),
                None => view! { "none" }.into_any(),
            };
            let vsize = tx
                .vsize
                .map_or_else(|| "–".to_owned(), |size| size.to_string());
            view! {
                <tr role="row">
                    <RowHead label="Transaction"><ShortHash value=tx.txid/></RowHead>
                    <Cell label="Status"><Status of=tx.state/></Cell>
                    <Cell label="Fee" numeric=true><Amount of=tx.fee/></Cell>
                    <Cell label="Change" numeric=true>{change}</Cell>
                    <Cell label="Coins" numeric=true>{tx.inputs}</Cell>
                    <Cell label="Virtual bytes" numeric=true>{vsize}</Cell>
                    <Cell label="Who">{history(tx.history)}</Cell>
                    <Cell label="Problem">{problem(tx.problem)}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame caption="Transactions of this payout" caption_hidden=true head=head>
            {rows}
        </TableFrame>
    }
    .into_any()
}

fn withdrawals(riders: Vec<PayoutRider>) -> AnyView {
    let head = view! {
        <HeadCell label="Number"/>
        <HeadCell label="Merchant"/>
        <HeadCell label="To"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = riders
        .into_iter()
        .map(|rider| {
            let href = withdrawal_href(rider.operation_id, rider.merchant_id);
            view! {
                <tr role="row">
                    <RowHead label="Number">
                        <a class="id" href=href>{rider.operation_id}</a>
                    </RowHead>
                    <Cell label="Merchant"><bdi>{rider.merchant}</bdi></Cell>
                    <Cell label="To"><ShortHash value=rider.address/></Cell>
                    <Cell label="Amount" numeric=true><Amount of=rider.amount/></Cell>
                    <Cell label="Status"><Status of=rider.state/></Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame caption="Withdrawals of this payout" caption_hidden=true head=head>
            {rows}
        </TableFrame>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::AmountText;
    use domain::view::checkout::Notice;
    use domain::view::dashboard::StatusPill;
    use domain::view::payouts::PayoutDeed;
    use time::OffsetDateTime;

    use super::*;
    use crate::pages::frame::tests::frame;

    fn amount(amount: &str) -> AmountText {
        AmountText {
            amount: amount.to_owned(),
            code: "BTC".to_owned(),
        }
    }

    fn pill(word: &str) -> StatusPill {
        StatusPill {
            word: word.to_owned(),
            flags: Vec::new(),
        }
    }

    fn page(is_drafted: bool, notice: Option<Notice>) -> String {
        let at = OffsetDateTime::UNIX_EPOCH;
        let view = PayoutView {
            id: 7,
            code: "BTC".to_owned(),
            created: at,
            txs: vec![PayoutTxRow {
                id: 9,
                txid: "ab".repeat(32),
                state: pill(if is_drafted { "drafted" } else { "broadcast" }),
                fee: amount("0.00000350"),
                change: None,
                inputs: 2,
                vsize: None,
                history: vec![PayoutDeed {
                    what: "downloaded",
                    who: Some("admin@demo.example".to_owned()),
                    at,
                }],
                problem: None,
            }],
            riders: vec![PayoutRider {
                operation_id: 17,
                merchant_id: 1_000,
                merchant: "Café Riga".to_owned(),
                address: "bc1qexample".to_owned(),
                amount: amount("0.10000000"),
                state: pill("queued"),
            }],
            is_drafted,
            by_hand: true,
            can_bump: !is_drafted,
            can_resend: !is_drafted,
            notice,
        };
        crate::render(move || view! { <PayoutPage frame=frame() view=view/> })
    }

    #[test]
    fn what_waits_for_a_signature_can_be_downloaded_and_uploaded() {
        let html = page(true, None);
        assert!(
            html.contains("action=\"/app/operate/payouts/7/psbt\""),
            "{html}"
        );
        assert!(
            html.contains("action=\"/app/operate/payouts/7/signed\""),
            "{html}"
        );
        assert!(html.contains("enctype=\"multipart/form-data\""), "{html}");
        assert!(!html.contains("Raise the fee"), "{html}");
        assert!(html.contains("admin@demo.example"), "{html}");
        assert!(html.contains("/app/withdrawals/17?merchant=1000"), "{html}");
    }

    #[test]
    fn what_is_on_its_way_can_be_replaced() {
        let html = page(false, None);
        assert!(
            html.contains("action=\"/app/operate/payouts/7/bump\""),
            "{html}"
        );
        assert!(!html.contains("Download the PSBT"), "{html}");
    }

    #[test]
    fn a_wrong_file_is_told_beside_its_field() {
        let notice = Notice {
            is_error: true,
            text: "The signed PSBT cannot be taken: input 0 is not signed.".to_owned(),
            field: Some("psbt".to_owned()),
        };
        let html = page(true, Some(notice));
        assert!(html.contains("id=\"file-error\""), "{html}");
        assert!(html.contains("input 0 is not signed"), "{html}");
    }
}
