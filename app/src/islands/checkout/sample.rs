//! A checkout in any state, for tests.

use domain::view::checkout::{
    CheckoutState, CheckoutView, ItemLine, MethodOption, PaymentInstruction, ReceiptLine,
};
use domain::view::{AmountText, Brand};

const NOW: i64 = 1_795_176_000;
const ADDRESS: &str = "bc1qufgy354j3kmvuch987xe4s40836x3h0lg8f5nq";

pub(crate) fn btc(amount: &str) -> AmountText {
    AmountText {
        amount: amount.to_owned(),
        code: "BTC".to_owned(),
    }
}

/// An order of 64.20 EUR at Café Riga, paid with BTC where it is paid.
pub(crate) fn view(state: CheckoutState) -> CheckoutView {
    let received = match state {
        CheckoutState::PartlyPaid | CheckoutState::ExpiredUnderpaid => Some("0.00100000"),
        CheckoutState::Seen
        | CheckoutState::Confirming
        | CheckoutState::Paid
        | CheckoutState::LateFunds
        | CheckoutState::Failed
        | CheckoutState::Refunded => Some("0.00123456"),
        _ => None,
    };
    let partly = matches!(
        state,
        CheckoutState::PartlyPaid | CheckoutState::ExpiredUnderpaid
    );
    let chosen = !matches!(
        state,
        CheckoutState::ChooseMethod | CheckoutState::Cancelled
    );
    CheckoutView {
        public_id: "EX-4K7QZ2MX3A".to_owned(),
        version: 1,
        brand: Brand {
            name: "Café Riga".to_owned(),
            accent: None,
            support_email: Some("help@cafe.example".to_owned()),
            files: domain::view::BrandFiles::default(),
        },
        test_mode: true,
        state,
        total: AmountText {
            amount: "64.20".to_owned(),
            code: "EUR".to_owned(),
        },
        items: vec![ItemLine {
            name: "Coffee, whole bean, 1 kg".to_owned(),
            price: "32.10".to_owned(),
            quantity: 2,
            total: "64.20".to_owned(),
        }],
        other_charges: None,
        customer_name: Some("Anna Ozola".to_owned()),
        methods: methods(),
        payment: chosen.then(|| payment(if partly { "0.00023456" } else { "0.00123456" })),
        receipts: received
            .map(|amount| receipt(state, amount))
            .into_iter()
            .collect(),
        received: received.map(btc),
        missing: partly.then(|| btc("0.00023456")),
        excess: None,
        flags: Vec::new(),
        refund_address: None,
        refund_possible: matches!(
            state,
            CheckoutState::ExpiredUnderpaid | CheckoutState::LateFunds
        ),
        can_requote: matches!(
            state,
            CheckoutState::ExpiredUnpaid | CheckoutState::ExpiredUnderpaid
        ),
        can_cancel: matches!(state, CheckoutState::ChooseMethod | CheckoutState::Awaiting),
        return_url: Some("https://shop.example/done?order_id=1".to_owned()),
        failed_url: None,
        invoice: None,
        receipt_url: Some("/pay/EX-4K7QZ2MX3A/receipt?t=abc".to_owned()),
        page_url: "/pay/EX-4K7QZ2MX3A?t=abc".to_owned(),
        events_url: "/pay/EX-4K7QZ2MX3A/events?t=abc".to_owned(),
        snapshot_url: "/pay/EX-4K7QZ2MX3A/status?t=abc".to_owned(),
        clock_ends_at: matches!(state, CheckoutState::Awaiting | CheckoutState::PartlyPaid)
            .then_some(NOW + 872),
        now: NOW,
        rate_minutes: 15,
        paid_at: matches!(state, CheckoutState::Paid).then_some(NOW - 20),
        notice: None,
    }
}

fn methods() -> Vec<MethodOption> {
    let option = |code: &str, name: &str, approximate: Option<&str>| MethodOption {
        code: code.to_owned(),
        name: name.to_owned(),
        network: name.to_owned(),
        approximate: approximate.map(str::to_owned),
        unavailable: approximate.is_none().then(|| "no fresh rate".to_owned()),
    };
    vec![
        option("LTC", "Litecoin", None),
        option("BTC", "Bitcoin", Some("0.00123456")),
    ]
}

fn payment(amount: &str) -> PaymentInstruction {
    PaymentInstruction {
        coin: "BTC".to_owned(),
        coin_name: "Bitcoin".to_owned(),
        network: "Bitcoin".to_owned(),
        amount: amount.to_owned(),
        amount_total: "0.00123456".to_owned(),
        address: ADDRESS.to_owned(),
        tag: None,
        uri: Some(format!(
            "bitcoin:{ADDRESS}?amount={amount}&label=Caf%C3%A9%20Riga"
        )),
        qr_text: format!("BITCOIN:{}?amount={amount}", ADDRESS.to_uppercase()),
        rate_text: "1 BTC = 52002.33 EUR".to_owned(),
        fixed_at: NOW - 28,
        release_at: NOW + 872,
    }
}

fn receipt(state: CheckoutState, amount: &str) -> ReceiptLine {
    let (word, confirmations) = match state {
        CheckoutState::Seen | CheckoutState::PartlyPaid => ("seen", 0),
        CheckoutState::Confirming => ("confirming", 1),
        CheckoutState::Failed => ("dropped", 0),
        _ => ("final", 2),
    };
    ReceiptLine {
        txid: "9f3c1d7be2a84560c4b8f0a1d6e7394cb25f81de07a96c3354bb1e20f7d8a4c6".to_owned(),
        amount: btc(amount),
        confirmations,
        confirmations_required: 2,
        state: word.to_owned(),
        at: NOW - 20,
    }
}
