//! What payers do to orders, and what has become of one.

use sqlx::PgPool;

use super::{Order, Yard};

/// Longer than a rate is fixed.
const CLOCK_SECONDS: i64 = 901;

/// What becomes of an order before its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What is due, in time.
    Exact,
    /// Half of it, in time.
    Short,
    /// Half too much, in time.
    Much,
    /// What is due, in two payments.
    Halves,
    /// Half of it in time, half of it late.
    HalfLate,
    /// What is due, late.
    Late,
    /// Half of it, late.
    LateShort,
    /// What is due, in time, but replaced by a payment of half of it.
    Replaced,
    /// What is due, in time, but replaced by a payment to somebody else.
    Lost,
    /// What is due, paid in an earlier block; then once more.
    Again,
    /// What is due, after it was called off.
    Cancelled,
    /// Nothing.
    Unpaid,
}

impl Way {
    pub const ALL: [Self; 12] = [
        Self::Exact,
        Self::Short,
        Self::Much,
        Self::Halves,
        Self::HalfLate,
        Self::Late,
        Self::LateShort,
        Self::Replaced,
        Self::Lost,
        Self::Again,
        Self::Cancelled,
        Self::Unpaid,
    ];

    /// Payments in time.
    fn in_time(self, due: u128) -> Vec<u128> {
        match self {
            Self::Exact | Self::Replaced | Self::Lost | Self::Again => vec![due],
            Self::Short | Self::HalfLate => vec![due / 2],
            Self::Much => vec![due + due / 2],
            Self::Halves => vec![due / 2, due - due / 2],
            Self::Late | Self::LateShort | Self::Cancelled | Self::Unpaid => Vec::new(),
        }
    }

    /// A payment after the clock.
    fn late(self, due: u128) -> Option<u128> {
        match self {
            Self::Late | Self::Cancelled => Some(due),
            Self::HalfLate => Some(due - due / 2),
            Self::LateShort => Some(due / 2),
            _ => None,
        }
    }
}

/// An order of so many euro cents, and what happens to it.
pub type Story = (Way, u32);

/// Lets the stories happen at the same time: each step to all, and what is in a block is in one block.
/// With `looks` the mempool is looked at between the steps; otherwise payments are first seen in a block.
pub async fn play(yard: &Yard, stories: &[Story], looks: bool) -> Vec<Order> {
    let mut orders = Vec::new();
    for (_, cents) in stories {
        let euros = format!("{}.{:02}", cents / 100, cents % 100);
        orders.push(yard.order(&euros).await);
    }
    let told = || stories.iter().map(|(way, _)| *way).zip(&orders);
    for (way, order) in told() {
        if way == Way::Again {
            yard.pay(order, order.due).await;
        }
    }
    yard.mine().await;
    let mut replaced = Vec::new();
    for (way, order) in told() {
        for raw in way.in_time(order.due) {
            let txid = yard.pay(order, raw).await;
            replaced.push((way, order, txid));
        }
        if way == Way::Cancelled {
            let merchant = yard.world.merchant;
            let gateway = &yard.world.gateway;
            gateway
                .cancel_charge(merchant, &order.id, "tester".into(), None, |_| {
                    (200, vec![])
                })
                .await
                .unwrap();
        }
    }
    if looks {
        yard.follow().await;
    }
    for (way, order, txid) in replaced {
        let to = match way {
            Way::Replaced => Some((order.address.as_str(), order.due / 2)),
            Way::Lost => None,
            _ => continue,
        };
        let (address, raw) = to.unzip();
        yard.chain.replace(&txid, address, raw).await.unwrap();
    }
    if looks {
        yard.follow().await;
    }
    yard.world.gateway.advance(CLOCK_SECONDS).await.unwrap();
    for (way, order) in told() {
        if let Some(raw) = way.late(order.due) {
            yard.pay(order, raw).await;
        }
    }
    if looks {
        yard.follow().await;
    }
    yard.mine().await;
    orders
}

/// All that is stored of an order but names and times.
pub async fn outcome(pool: &PgPool, order: &Order) -> Vec<String> {
    let mut lines = Vec::new();
    for query in [
        "SELECT format('%s %s %s %s credited %s fee %s consumed %s due %s clock %s paid %s',
             status, flags, resolution, needs_attention, credited, fee, coin_consumed, coin_due,
             clock_ends_at IS NOT NULL, paid_at IS NOT NULL)
         FROM charges WHERE public_id = $1",
        "SELECT format('receipt %s %s worth %s, %s of %s', r.amount, r.state, r.value, r.bookings,
             r.confirmations_required)
         FROM receipts r JOIN charges c ON c.id = r.charge_id
         WHERE c.public_id = $1 ORDER BY r.id",
        "SELECT format('told %s %s', t.kind, t.data - 'txid' - 'replaced_by')
         FROM charge_timeline t JOIN charges c ON c.id = t.charge_id
         WHERE c.public_id = $1 AND (t.kind LIKE 'receipt.%' OR t.kind LIKE 'status.%')
         ORDER BY t.id",
        "SELECT format('event %s %s %s', e.sequence, e.type, e.payload - 'public_id')
         FROM events e JOIN charges c ON e.object = 'charge:' || c.id
         WHERE c.public_id = $1 ORDER BY e.sequence",
        "SELECT format('booked %s %s %s %s', j.kind, p.leg, p.label, p.amount)
         FROM journal_entries j JOIN postings p ON p.entry_id = j.id
         JOIN charges c ON j.subject = 'charge:' || c.id
         WHERE c.public_id = $1 ORDER BY j.kind, p.amount, p.leg",
        "SELECT format('claim %s %s', r.state, r.amount)
         FROM refund_claims r JOIN charges c ON c.id = r.charge_id
         WHERE c.public_id = $1 ORDER BY r.id",
        "SELECT format('mails %s', count(*)) FROM mails
         WHERE strpos(subject || text, $1) > 0",
    ] {
        let found: Vec<String> = sqlx::query_scalar(query)
            .bind(&order.id)
            .fetch_all(pool)
            .await
            .unwrap();
        lines.extend(found);
    }
    lines
}
