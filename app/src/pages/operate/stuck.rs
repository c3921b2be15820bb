use domain::view::operate::{ChainFinding, StuckWithdrawal};
use leptos::prelude::*;

use crate::ui::{
    Amount, Cell, EmptyState, HeadCell, RowHead, ShortHash, Status, TableFrame, Timestamp,
};

/// Withdrawals that need a person or take too long, what is the matter, and what can be done.
pub(super) fn stuck_withdrawals(stuck: Vec<StuckWithdrawal>) -> AnyView {
    let content = if stuck.is_empty() {
        view! { <EmptyState text="Every withdrawal is on its way, none for more than an hour."/> }
            .into_any()
    } else {
        let head = view! {
            <HeadCell label="Number"/>
            <HeadCell label="Since"/>
            <HeadCell label="Merchant"/>
            <HeadCell label="Amount" numeric=true/>
            <HeadCell label="To"/>
            <HeadCell label="Status"/>
            <HeadCell label="Problem"/>
            <HeadCell label="Way out"/>
        }
        .into_any();
        let rows = stuck.into_iter().map(stuck_row).collect_view();
        view! {
            <TableFrame caption="Stuck withdrawals" caption_hidden=true head=head>{rows}</TableFrame>
        }
        .into_any()
    };
    view! {
        <section>
            <h2>"Stuck withdrawals"</h2>
            {content}
        </section>
    }
    .into_any()
}

fn stuck_row(item: StuckWithdrawal) -> AnyView {
    let again = again(&item);
    let decide = item
        .replaced
        .map(|path| decide(item.id, &path, &item.state.word, item.finding));
    view! {
        <tr role="row">
            <RowHead label="Number">{item.id}</RowHead>
            <Cell label="Since"><Timestamp at=item.since/></Cell>
            <Cell label="Merchant"><bdi>{item.merchant}</bdi></Cell>
            <Cell label="Amount" numeric=true><Amount of=item.amount/></Cell>
            <Cell label="To"><ShortHash value=item.address/></Cell>
            <Cell label="Status"><Status of=item.state/></Cell>
            <Cell label="Problem">{item.problem}</Cell>
            <Cell label="Way out">{again} {decide}</Cell>
        </tr>
    }
    .into_any()
}

/// Sending it once more, or why there is nothing to press.
fn again(item: &StuckWithdrawal) -> AnyView {
    let text = match (&item.rebroadcast, item.state.word.as_str(), &item.finding) {
        (Some(action), _, _) => {
            let label = format!("Send withdrawal {} again", item.id);
            let action = action.clone();
            return view! {
                <form method="post" action=action>
                    <button class="btn-2" aria-label=label>"Send again"</button>
                </form>
            }
            .into_any();
        }
        (None, "void", _) => "The merchant owes the coins.",
        (None, "settled", Some(_)) => {
            "Its money has left the books, and nothing else is sent for it. What the receiver lacks you pay in \
             another way."
        }
        (None, _, Some(_)) => "Nothing else is sent for it by itself.",
        (None, _, None) => "It is tried again by itself.",
    };
    view! { <span class="quiet">{text}</span> }.into_any()
}

/// What happened, whether money moved, and the answers a person can give.
fn decide(number: i64, path: &str, state: &str, finding: Option<ChainFinding>) -> AnyView {
    let can_be_paid = state != "queued" && finding != Some(ChainFinding::Failed);
    let cause = match finding {
        None if state == "queued" => ().into_any(),
        None => view! { <p>"Another transaction took its coins. Look at the chain:"</p> }.into_any(),
        Some(ChainFinding::Failed) => view! {
            <p>"It is in the chain and failed: nothing has moved, and its gas is paid. Give the money back:"</p>
        }
        .into_any(),
        Some(ChainFinding::Unclear { left, arrived }) => view! {
            <p>
                "It is in the chain, and money has moved, but not what was planned: " <Amount of=left/>
                " left the account that pays, " <Amount of=arrived/>
                " arrived. Ask the receiver whether that is enough; the difference is the house's either way:"
            </p>
        }
        .into_any(),
        Some(ChainFinding::Taken) => view! {
            <p>
                "Another transaction has its number, so this one can never be in a block. Look on the chain \
                 whether the other one paid the receiver:"
            </p>
        }
        .into_any(),
    };
    let paid = can_be_paid.then(|| {
        let href = format!("{path}?outcome=paid");
        let label = format!("Withdrawal {number} was paid");
        view! { <a class="btn-2" href=href aria-label=label>"It was paid"</a> }
    });
    let href = format!("{path}?outcome=not-paid");
    let (text, label) = if state == "queued" {
        ("Call it off", format!("Call off withdrawal {number}"))
    } else {
        (
            "It was not paid",
            format!("Withdrawal {number} was not paid"),
        )
    };
    view! {
        {cause}
        <p class="actions">
            {paid}
            <a class="btn-2" href=href aria-label=label>{text}</a>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::AmountText;
    use domain::view::dashboard::StatusPill;
    use time::OffsetDateTime;

    use super::*;

    fn amount(amount: &str) -> AmountText {
        AmountText {
            amount: amount.to_owned(),
            code: "USDT".to_owned(),
        }
    }

    fn page(state: &str, finding: Option<ChainFinding>) -> String {
        let item = StuckWithdrawal {
            id: 17,
            since: OffsetDateTime::UNIX_EPOCH,
            merchant_id: 1_000,
            merchant: "Café Riga".to_owned(),
            amount: amount("25"),
            address: "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".to_owned(),
            state: StatusPill {
                word: state.to_owned(),
                flags: Vec::new(),
            },
            problem: "It needs a person.".to_owned(),
            rebroadcast: None,
            replaced: Some("/app/operate/suspense/17/replaced".to_owned()),
            finding,
        };
        crate::render(move || stuck_withdrawals(vec![item]))
    }

    #[test]
    fn an_unclear_payment_says_what_moved_and_can_end_both_ways() {
        let html = page(
            "broadcast",
            Some(ChainFinding::Unclear {
                left: amount("24.5"),
                arrived: amount("24"),
            }),
        );
        assert!(html.contains("money has moved"), "{html}");
        for value in ["value=\"24.5\"", "value=\"24\""] {
            assert!(html.contains(value), "{html}");
        }
        for answer in ["?outcome=paid", "?outcome=not-paid"] {
            assert!(html.contains(answer), "{html}");
        }
        assert!(!html.contains("took its coins"), "{html}");
        assert!(!html.contains("tried again"), "{html}");
    }

    #[test]
    fn what_failed_was_not_paid() {
        let html = page("broadcast", Some(ChainFinding::Failed));
        assert!(html.contains("nothing has moved"), "{html}");
        assert!(!html.contains("?outcome=paid"), "{html}");
        assert!(html.contains("?outcome=not-paid"), "{html}");
    }

    #[test]
    fn what_was_never_signed_is_called_off() {
        for finding in [None, Some(ChainFinding::Taken)] {
            let html = page("queued", finding);
            assert!(html.contains("Call it off"), "{html}");
            assert!(!html.contains("?outcome=paid"), "{html}");
        }
    }

    #[test]
    fn coins_taken_by_another_transaction_are_looked_for_on_the_chain() {
        let html = page("broadcast", None);
        assert!(html.contains("took its coins"), "{html}");
        assert!(html.contains("?outcome=paid"), "{html}");
    }
}
