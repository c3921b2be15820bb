//! Receipts to render: an ordinary one, an unpaid one, a hostile one, a long one.

use domain::view::checkout::ItemLine;
use domain::view::receipt::{
    ReceiptCustomer, ReceiptMerchant, ReceiptPayment, ReceiptRefund, ReceiptState, ReceiptView,
};
use domain::view::{AmountText, Brand, BrandFiles};
use time::macros::datetime;

pub const TXID: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
pub const ADDRESS: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

pub fn amount(amount: &str, code: &str) -> AmountText {
    AmountText {
        amount: amount.to_owned(),
        code: code.to_owned(),
    }
}

pub fn item(name: &str, price: &str, quantity: u64, total: &str) -> ItemLine {
    ItemLine {
        name: name.to_owned(),
        price: price.to_owned(),
        quantity,
        total: total.to_owned(),
    }
}

/// A paid order in Latvian, Russian and English.
pub fn paid() -> ReceiptView {
    ReceiptView {
        merchant: ReceiptMerchant {
            brand: Brand {
                name: "Ķiršu Dārzs SIA".to_owned(),
                accent: Some("#1D4C78".to_owned()),
                support_email: Some("palidziba@example.lv".to_owned()),
                files: BrandFiles::default(),
            },
            logo: None,
            address: Some("Brīvības iela 1, Rīga, LV-1010".to_owned()),
            tax_id: Some("LV40001234567".to_owned()),
        },
        state: ReceiptState::Paid,
        public_id: "EX-ABCDE23456".to_owned(),
        created_at: datetime!(2026-03-04 05:06:07 UTC),
        paid_at: Some(datetime!(2026-03-04 07:16:17 +2)),
        customer: ReceiptCustomer {
            name: Some("Žanete Bērziņa".to_owned()),
            email: Some("zanete@example.lv".to_owned()),
            phone: Some("+371 20000000".to_owned()),
            address: Some("Ģertrūdes iela 7, Rīga, LV".to_owned()),
        },
        items: vec![
            item("Ābolu čipsi", "49.99", 2, "99.98"),
            item("Книга «Щит и меч», 2-е изд.", "30.00", 1, "30.00"),
            item("Price tag ₹ 1 200 or € 12", "10.00", 1, "10.00"),
        ],
        other_charges: Some("10.00".to_owned()),
        total: amount("149.98", "EUR"),
        amount_paid: amount("149.98", "EUR"),
        fees: Some(amount("1.50", "EUR")),
        payment: Some(ReceiptPayment {
            method: "Bitcoin".to_owned(),
            amount: amount("0.00288412", "BTC"),
            rate_text: Some("1 BTC = 52002.33 EUR".to_owned()),
            address: Some(ADDRESS.to_owned()),
            tag: None,
            txids: vec![TXID.to_owned()],
        }),
        refunds: Vec::new(),
        order_url: "https://pay.example/pay/EX-ABCDE23456?t=00112233445566778899aabbccddeeff"
            .to_owned(),
        test_mode: false,
    }
}

pub fn not_paid() -> ReceiptView {
    ReceiptView {
        state: ReceiptState::NotPaid,
        paid_at: None,
        amount_paid: amount("0.00", "EUR"),
        ..paid()
    }
}

/// Every string as bad as a stranger can make it.
pub fn hostile() -> ReceiptView {
    let text = format!(
        "<script>alert(1)</script> (Tj) \\) /URI \u{202E}gpj\u{202C} \
         \u{2066}\u{200B}\r\n\u{0} 漢🦀 {}",
        "W".repeat(10_000)
    );
    let some = || Some(text.clone());
    let bad = || AmountText {
        amount: "9".repeat(10_000),
        code: text.clone(),
    };
    ReceiptView {
        merchant: ReceiptMerchant {
            brand: Brand {
                name: text.clone(),
                accent: some(),
                support_email: some(),
                files: BrandFiles::default(),
            },
            logo: None,
            address: some(),
            tax_id: some(),
        },
        state: ReceiptState::Refunded,
        public_id: text.clone(),
        customer: ReceiptCustomer {
            name: some(),
            email: some(),
            phone: some(),
            address: some(),
        },
        items: vec![item(&text, &text, u64::MAX, &text); 90],
        other_charges: some(),
        total: bad(),
        amount_paid: bad(),
        fees: Some(bad()),
        payment: Some(ReceiptPayment {
            method: text.clone(),
            amount: bad(),
            rate_text: some(),
            address: some(),
            tag: some(),
            txids: vec![text.clone(); 90],
        }),
        refunds: vec![
            ReceiptRefund {
                at: datetime!(2026-03-05 00:00:00 UTC),
                amount: bad(),
                address: some(),
                txid: some(),
            };
            90
        ],
        test_mode: true,
        ..paid()
    }
}

pub fn many_items(count: usize) -> ReceiptView {
    let items = (1..=count)
        .map(|n| item(&format!("Position {n}"), "1.25", 3, "3.75"))
        .collect();
    ReceiptView { items, ..paid() }
}
