//! The figures of a charge: ordered beside received, receipts, quotes.

use domain::view::AmountText;
use domain::view::checkout::ItemLine;
use domain::view::dashboard::{ChargeDetailView, QuoteRow, ReceiptRow};
use leptos::prelude::*;

use crate::ui::{Amount, Cell, Figure, HeadCell, RowHead, ShortHash, TableFrame, Tally, Timestamp};

/// Two columns and the difference in words.
pub(super) fn ordered_and_received(view: &ChargeDetailView) -> AnyView {
    let items = view.items.iter().cloned().map(item).collect_view();
    let difference = view
        .difference_text
        .clone()
        .map(|text| view! { <p class="difference">{text}</p> });
    let total = view.amount.clone();
    let paid_at = view.paid_at.map(|at| {
        view! { <div><dt>"Paid"</dt><dd><Timestamp at=at/></dd></div> }
    });
    let (created_at, expires_at) = (view.created_at, view.expires_at);
    view! {
        <section class="columns">
            <div>
                <h2>"Ordered"</h2>
                <ul class="items">{items}</ul>
                <dl class="facts">
                    <div class="sum"><dt>"Total"</dt><dd><Amount of=total/></dd></div>
                    <div><dt>"Created"</dt><dd><Timestamp at=created_at/></dd></div>
                    <div><dt>"Expires"</dt><dd><Timestamp at=expires_at/></dd></div>
                </dl>
            </div>
            <div>
                <h2>"Received"</h2>
                <dl class="facts">
                    {figure("Received", view.received.clone())}
                    {figure("Fee", view.fee.clone())}
                    <div class="sum">
                        <dt>"Credited to you"</dt>
                        <dd>{amount_or_dash(view.credited.clone())}</dd>
                    </div>
                    {paid_at}
                </dl>
                {difference}
            </div>
        </section>
    }
    .into_any()
}

fn item(item: ItemLine) -> impl IntoView {
    let ItemLine {
        name,
        price,
        quantity,
        total,
    } = item;
    view! {
        <li>
            <span>
                <bdi>{name}</bdi>
                " "
                <span class="count">{quantity} " × " <Figure value=price/></span>
            </span>
            <Figure value=total/>
        </li>
    }
}

fn figure(name: &'static str, amount: Option<AmountText>) -> impl IntoView {
    view! { <div><dt>{name}</dt><dd>{amount_or_dash(amount)}</dd></div> }
}

fn amount_or_dash(amount: Option<AmountText>) -> AnyView {
    match amount {
        Some(amount) => view! { <Amount of=amount/> }.into_any(),
        None => "–".into_any(),
    }
}

/// Payments that came for it.
pub(in crate::pages) fn receipts(rows: Vec<ReceiptRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let head = view! {
        <HeadCell label="Transaction"/>
        <HeadCell label="Address"/>
        <HeadCell label="First seen"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Value then" numeric=true/>
        <HeadCell label="Confirmations"/>
    }
    .into_any();
    let rows = rows.into_iter().map(receipt).collect_view();
    Some(
        view! {
            <section>
                <h2>"Payments"</h2>
                <TableFrame caption="Payments received" caption_hidden=true head=head>
                    {rows}
                </TableFrame>
            </section>
        }
        .into_any(),
    )
}

fn receipt(row: ReceiptRow) -> impl IntoView {
    let ReceiptRow {
        txid,
        address,
        amount,
        value,
        state,
        confirmations,
        confirmations_required,
        first_seen_at,
    } = row;
    view! {
        <tr role="row">
            <RowHead label="Transaction"><ShortHash value=txid/></RowHead>
            <Cell label="Address"><ShortHash value=address/></Cell>
            <Cell label="First seen"><Timestamp at=first_seen_at/></Cell>
            <Cell label="Amount" numeric=true><Amount of=amount/></Cell>
            <Cell label="Value then" numeric=true>{amount_or_dash(value)}</Cell>
            <Cell label="Confirmations">
                <Tally done=confirmations required=confirmations_required/>
                " "
                <span class="flag">{state}</span>
            </Cell>
        </tr>
    }
}

/// Rates that were fixed for it.
pub(super) fn quotes(rows: Vec<QuoteRow>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let head = view! {
        <HeadCell label="Fixed at"/>
        <HeadCell label="Until"/>
        <HeadCell label="Amount" numeric=true/>
        <HeadCell label="Price" numeric=true/>
        <HeadCell label="Mid rate" numeric=true/>
        <HeadCell label="Spread" numeric=true/>
        <HeadCell label="Sources"/>
    }
    .into_any();
    let rows = rows.into_iter().map(quote).collect_view();
    Some(
        view! {
            <section>
                <h2>"Quotes"</h2>
                <TableFrame caption="Quotes fixed" caption_hidden=true head=head>{rows}</TableFrame>
            </section>
        }
        .into_any(),
    )
}

fn quote(row: QuoteRow) -> impl IntoView {
    let QuoteRow {
        coin,
        amount,
        price,
        mid,
        spread,
        sources,
        fixed_at,
        release_at,
    } = row;
    let of = AmountText { amount, code: coin };
    view! {
        <tr role="row">
            <RowHead label="Fixed at"><Timestamp at=fixed_at/></RowHead>
            <Cell label="Until"><Timestamp at=release_at/></Cell>
            <Cell label="Amount" numeric=true><Amount of=of/></Cell>
            <Cell label="Price" numeric=true><Figure value=price/></Cell>
            <Cell label="Mid rate" numeric=true><Figure value=mid/></Cell>
            <Cell label="Spread" numeric=true>{spread}</Cell>
            <Cell label="Sources">{sources}</Cell>
        </tr>
    }
}
