use domain::view::dashboard::Frame;
use domain::view::treasury::{TreasuryPaymentView, TreasuryRow, TreasuryTxRow};
use leptos::prelude::*;

use super::progress::{history, problem, raise_fee, withdrawal_href};
use super::signing::{Signing, signing};
use super::treasury::PATH;
use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Address, Amount, Cell, HeadCell, RowHead, ShortHash, Status, TableFrame, Timestamp,
};

/// One payment with a number: what it is, its transactions, and who did what to them.
#[component]
pub fn TreasuryPaymentPage(frame: Frame, view: TreasuryPaymentView) -> impl IntoView {
    let TreasuryPaymentView {
        row,
        meaning,
        txs,
        by_hand,
        can_bump,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "signed");
    let frame = with_notice(frame, notice);
    let id = row.id;
    let title = format!("{} – payment {id}", row.kind);
    let sign = row.waits_for_signature.then(|| sign(id, by_hand, wrong));
    let bump = can_bump.then(|| bump(id));
    view! {
        <DashboardPage frame=frame title=title section=Section::Treasury>
            <p class="under-title">"Since " <Timestamp at=row.created/></p>
            {facts(row, meaning)}
            {sign}
            {bump}
            <section>
                <h2>"Transactions"</h2>
                <p>
                    "All of them have the same number and pay the same, so at most one of them is \
                     mined, whichever it is."
                </p>
                {transactions(txs)}
            </section>
            <p><a href=PATH>"Back to EVM payments"</a></p>
        </DashboardPage>
    }
}

fn facts(row: TreasuryRow, meaning: String) -> AnyView {
    let withdrawal = row.withdrawal.map(|(operation, merchant)| {
        let href = withdrawal_href(operation, merchant);
        view! {
            <div>
                <dt>"Withdrawal"</dt>
                <dd><a class="id" href=href>{operation}</a></dd>
            </div>
        }
    });
    let gas = if row.is_fee_final {
        "Gas"
    } else {
        "Gas, at most"
    };
    let problem = row.problem.map(|text| {
        view! {
            <div>
                <dt>"Problem"</dt>
                <dd><bdi>{text}</bdi></dd>
            </div>
        }
    });
    view! {
        <dl class="facts">
            <div>
                <dt>"Status"</dt>
                <dd><Status of=row.state/> " " {meaning}</dd>
            </div>
            {withdrawal}
            <div>
                <dt>"Amount"</dt>
                <dd><Amount of=row.amount/></dd>
            </div>
            <div>
                <dt>"From"</dt>
                <dd><Address value=row.from/></dd>
            </div>
            <div>
                <dt>"To"</dt>
                <dd><Address value=row.to/></dd>
            </div>
            <div>
                <dt>"Number (nonce)"</dt>
                <dd>{row.nonce}</dd>
            </div>
            <div>
                <dt>{gas}</dt>
                <dd><Amount of=row.fee/></dd>
            </div>
            {problem}
        </dl>
    }
    .into_any()
}

fn sign(id: i64, by_hand: bool, wrong: Option<String>) -> AnyView {
    signing(Signing {
        who: if by_hand {
            "It waits for somebody to sign it where the key of its account is."
        } else {
            "The signer is asked by itself, again and again. It can be signed by hand as well."
        },
        download: format!("{PATH}/{id}/unsigned"),
        unsigned: "The unsigned transaction (EIP-1559) as JSON. Compare where you sign it what is paid to \
                   whom. Who downloads it is recorded, and it keeps its number from then on.",
        download_button: "Download the transaction",
        upload: format!("{PATH}/{id}/signed"),
        file_label: "The signed transaction",
        file_hint: "Hexadecimal, as a file or as text below. It is sent if it is exactly what was planned.",
        text_name: "signed",
        text_hint: "Begins with 0x02.",
        wrong,
    })
}

fn bump(id: i64) -> AnyView {
    let form = raise_fee(
        format!("{PATH}/{id}/bump"),
        "Makes a transaction with the same number and a higher fee that takes the place of the one on its way. \
         The receiver is paid once, by whichever of the two is mined.",
    );
    view! {
        <section>
            <h2>"On its way"</h2>
            {form}
        </section>
    }
    .into_any()
}

fn transactions(txs: Vec<TreasuryTxRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Transaction"/>
        <HeadCell label="Status"/>
        <HeadCell label="Gwei per gas, at most" numeric=true/>
        <HeadCell label="Tip, gwei" numeric=true/>
        <HeadCell label="Gas limit" numeric=true/>
        <HeadCell label="Cost" numeric=true/>
        <HeadCell label="Block" numeric=true/>
        <HeadCell label="Who"/>
        <HeadCell label="Problem"/>
    }
    .into_any();
    let rows = txs
        .into_iter()
        .map(|tx| {
            let name = match tx.txid {
                Some(txid) => view! { <ShortHash value=txid/> }.into_any(),
                None => view! { "unsigned" }.into_any(),
            };
            let cost = match tx.cost {
                Some(cost) => view! { <Amount of=cost/> }.into_any(),
                None => view! { "–" }.into_any(),
            };
            let height = tx
                .height
                .map_or_else(|| "–".to_owned(), |height| height.to_string());
            view! {
                <tr role="row">
                    <RowHead label="Transaction">{name}</RowHead>
                    <Cell label="Status"><Status of=tx.state/></Cell>
                    <Cell label="Gwei per gas, at most" numeric=true>{tx.max_fee}</Cell>
                    <Cell label="Tip, gwei" numeric=true>{tx.tip}</Cell>
                    <Cell label="Gas limit" numeric=true>{tx.gas_limit}</Cell>
                    <Cell label="Cost" numeric=true>{cost}</Cell>
                    <Cell label="Block" numeric=true>{height}</Cell>
                    <Cell label="Who">{history(tx.history)}</Cell>
                    <Cell label="Problem">{problem(tx.problem)}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame caption="Transactions of this payment" caption_hidden=true head=head>
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

    fn page(is_drafted: bool, notice: Option<Notice>) -> String {
        let amount = |amount: &str| AmountText {
            amount: amount.to_owned(),
            code: "ETH".to_owned(),
        };
        let pill = StatusPill {
            word: "unsigned".to_owned(),
            flags: Vec::new(),
        };
        let at = OffsetDateTime::UNIX_EPOCH;
        let view = TreasuryPaymentView {
            row: TreasuryRow {
                id: 7,
                created: at,
                kind: "Sweep".to_owned(),
                state: pill.clone(),
                amount: amount("1"),
                from: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
                to: "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".to_owned(),
                nonce: 0,
                withdrawal: None,
                fee: amount("0.0001"),
                is_fee_final: false,
                txid: None,
                waits_for_signature: is_drafted,
                problem: None,
            },
            meaning: "It waits.".to_owned(),
            txs: vec![TreasuryTxRow {
                id: 9,
                txid: None,
                state: pill,
                max_fee: "1.5".to_owned(),
                tip: "1".to_owned(),
                gas_limit: "21000".to_owned(),
                cost: None,
                height: None,
                history: vec![PayoutDeed {
                    what: "downloaded",
                    who: Some("admin@demo.example".to_owned()),
                    at,
                }],
                problem: None,
            }],
            by_hand: true,
            can_bump: !is_drafted,
            notice,
        };
        crate::render(move || view! { <TreasuryPaymentPage frame=frame() view=view/> })
    }

    #[test]
    fn what_waits_for_a_signature_can_be_downloaded_and_uploaded() {
        let html = page(true, None);
        let action = "action=\"/app/operate/treasury/7/unsigned\"";
        assert!(html.contains(action), "{html}");
        let action = "action=\"/app/operate/treasury/7/signed\"";
        assert!(html.contains(action), "{html}");
        assert!(html.contains("enctype=\"multipart/form-data\""), "{html}");
        assert!(!html.contains("Raise the fee"), "{html}");
        assert!(html.contains("admin@demo.example"), "{html}");
    }

    #[test]
    fn what_is_on_its_way_can_be_replaced() {
        let html = page(false, None);
        let action = "action=\"/app/operate/treasury/7/bump\"";
        assert!(html.contains(action), "{html}");
        assert!(!html.contains("Download the transaction"), "{html}");
    }

    #[test]
    fn a_wrong_file_is_told_beside_its_field() {
        let notice = Notice {
            is_error: true,
            text: "The signed transaction cannot be taken: it is not hexadecimal.".to_owned(),
            field: Some("signed".to_owned()),
        };
        let html = page(true, Some(notice));
        assert!(html.contains("id=\"file-error\""), "{html}");
        assert!(html.contains("it is not hexadecimal"), "{html}");
    }
}
