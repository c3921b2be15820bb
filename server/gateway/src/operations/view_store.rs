use std::collections::HashMap;

use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};

use super::{
    AmountView, ExpectedView, FeeKind, FeeView, OperationAddress, OperationKind, OperationRow,
    OperationStatus, OperationView, TransactionKind, TransactionView,
};
use crate::currencies::Currencies;
use crate::exchange::price_text;
use crate::ledger::units;
use crate::{Error, Result};

/// Transactions of one operation, at most.
const PARTS_MAX: i64 = 10;

/// What only some kinds have.
#[derive(Default)]
struct Parts {
    address: Option<OperationAddress>,
    /// The movement over a chain, or between two accounts.
    moved: Option<Moved>,
    /// Before the fee and after it, units of the received currency.
    expected: Option<(i128, i128)>,
    fees: Vec<FeeView>,
}

struct Moved {
    kind: TransactionKind,
    amount: Money,
    txid: Option<String>,
    confirmations: u32,
}

/// Rows with everything that belongs to them: at most three queries, however many there are.
pub(super) async fn views(
    conn: &mut PgConnection,
    currencies: &Currencies,
    rows: Vec<OperationRow>,
) -> Result<Vec<OperationView>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut parts: HashMap<i64, Parts> = HashMap::new();
    add_fees(conn, currencies, &ids, &mut parts).await?;
    let of = |wanted: fn(OperationKind) -> bool| -> Vec<i64> {
        let those = rows.iter().filter(|row| wanted(row.kind));
        those.map(|row| row.id).collect()
    };
    let (deposits, withdrawals) = (of(is_deposit), of(is_withdrawal));
    if !deposits.is_empty() {
        add_deposits(conn, currencies, &deposits, &mut parts).await?;
    }
    if !withdrawals.is_empty() {
        add_withdrawals(conn, currencies, &withdrawals, &mut parts).await?;
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let parts = parts.remove(&row.id).unwrap_or_default();
            assemble(row, parts)
        })
        .collect())
}

/// An exchange that was written a moment ago, with this fee: as it would be read.
pub(crate) fn exchange_view(row: OperationRow, fee: Money) -> OperationView {
    let fees = if fee.is_positive() {
        vec![fee_view(FeeKind::Exchange, fee)]
    } else {
        Vec::new()
    };
    assemble(
        row,
        Parts {
            fees,
            ..Parts::default()
        },
    )
}

fn fee_view(kind: FeeKind, fee: Money) -> FeeView {
    FeeView {
        kind,
        currency: fee.currency().code.to_string(),
        amount: fee.exact(),
    }
}

fn is_deposit(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Deposit | OperationKind::DepositExchange
    )
}

fn is_withdrawal(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Withdrawal | OperationKind::WithdrawalExchange | OperationKind::Refund
    )
}

async fn add_fees(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
    parts: &mut HashMap<i64, Parts>,
) -> Result<()> {
    let rows = sqlx::query(
        "SELECT operation_id, kind, currency_id, amount FROM operation_fees
         WHERE operation_id = ANY($1) ORDER BY operation_id, kind",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    for row in rows {
        let kind: String = row.try_get("kind")?;
        let currency = currencies.known(row.try_get("currency_id")?)?;
        let amount: Decimal = row.try_get("amount")?;
        let kind =
            FeeKind::from_word(&kind).ok_or_else(|| Error::Internal(format!("fee word {kind}")))?;
        let fee = Money::from_units(units(amount), currency);
        let id: i64 = row.try_get("operation_id")?;
        parts.entry(id).or_default().fees.push(fee_view(kind, fee));
    }
    Ok(())
}

/// `confirmations` of a transaction that is in the active chain, else 0.
const CONFIRMATIONS: &str = "coalesce((SELECT b.height - t.height + 1 FROM chain_txs t
    JOIN LATERAL (SELECT max(height) AS height FROM chain_blocks
                  WHERE chain = t.chain AND active) b ON true
    WHERE t.chain = c.code AND t.txid = x.txid AND t.status = 'confirmed'), 0)::bigint";

async fn add_deposits(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
    parts: &mut HashMap<i64, Parts>,
) -> Result<()> {
    let query = format!(
        "SELECT x.operation_id, x.coin_id, x.amount, x.txid, x.internal_from, x.expected_amount,
             x.expected_net, a.id AS address_id, a.coin_id AS address_coin_id, a.convert_to_id, a.foreign_id,
             k.address, {CONFIRMATIONS} AS confirmations
         FROM deposits x
         JOIN deposit_addresses a ON a.id = x.deposit_address_id
         JOIN chain_addresses k ON k.id = a.address_id
         JOIN currencies c ON c.id = x.coin_id
         WHERE x.operation_id = ANY($1)"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    for row in rows {
        let coin = currencies.known(row.try_get("coin_id")?)?;
        let address_coin = currencies.known(row.try_get("address_coin_id")?)?;
        let convert_to: Option<i16> = row.try_get("convert_to_id")?;
        let internal: Option<i64> = row.try_get("internal_from")?;
        let amount: Decimal = row.try_get("amount")?;
        let confirmations: i64 = row.try_get("confirmations")?;
        let id: i64 = row.try_get("operation_id")?;
        let part = parts.entry(id).or_default();
        part.address = Some(OperationAddress {
            id: Some(row.try_get("address_id")?),
            currency: address_coin.code.to_string(),
            convert_to: convert_to
                .map(|id| currencies.known(id))
                .transpose()?
                .map(|currency| currency.code.to_string()),
            address: row.try_get("address")?,
            tag: None,
            foreign_id: row.try_get("foreign_id")?,
        });
        let expected: (Option<Decimal>, Option<Decimal>) = (
            row.try_get("expected_amount")?,
            row.try_get("expected_net")?,
        );
        part.expected = expected
            .0
            .zip(expected.1)
            .map(|(amount, net)| (units(amount), units(net)));
        let txid: String = row.try_get("txid")?;
        part.moved = Some(Moved {
            kind: match internal {
                Some(_) => TransactionKind::Internal,
                None => TransactionKind::Blockchain,
            },
            amount: Money::from_units(units(amount), coin),
            txid: internal.is_none().then_some(txid),
            confirmations: u32::try_from(confirmations.max(0))?,
        });
    }
    Ok(())
}

async fn add_withdrawals(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
    parts: &mut HashMap<i64, Parts>,
) -> Result<()> {
    let query = format!(
        "SELECT x.operation_id, x.coin_id, x.amount, x.address, x.tag, x.txid, x.internal,
             {CONFIRMATIONS} AS confirmations
         FROM withdrawals x JOIN currencies c ON c.id = x.coin_id
         WHERE x.operation_id = ANY($1)"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    for row in rows {
        let coin = currencies.known(row.try_get("coin_id")?)?;
        let amount: Decimal = row.try_get("amount")?;
        let confirmations: i64 = row.try_get("confirmations")?;
        let internal: bool = row.try_get("internal")?;
        let id: i64 = row.try_get("operation_id")?;
        let part = parts.entry(id).or_default();
        part.address = Some(OperationAddress {
            id: None,
            currency: coin.code.to_string(),
            convert_to: None,
            address: row.try_get("address")?,
            tag: row.try_get("tag")?,
            foreign_id: None,
        });
        part.moved = Some(Moved {
            kind: if internal {
                TransactionKind::Internal
            } else {
                TransactionKind::Blockchain
            },
            amount: Money::from_units(units(amount), coin),
            txid: row.try_get("txid")?,
            confirmations: u32::try_from(confirmations.max(0))?,
        });
    }
    Ok(())
}

fn assemble(row: OperationRow, parts: Parts) -> OperationView {
    let Parts {
        address,
        moved,
        expected,
        fees,
    } = parts;
    // Of what somebody has to decide on, nothing is to be expected.
    let is_awaited = row.status == OperationStatus::NotConfirmed && row.error.is_none();
    let expected = expected.filter(|_| is_awaited).map(|(amount, net)| {
        let text = |units| Money::from_units(units, row.received_currency).exact();
        ExpectedView {
            amount: text(amount),
            net: text(net),
        }
    });
    let direction = match row.kind {
        OperationKind::Deposit | OperationKind::DepositExchange => "deposit",
        OperationKind::Withdrawal | OperationKind::WithdrawalExchange | OperationKind::Refund => {
            "withdrawal"
        }
        OperationKind::Exchange => "exchange",
    };
    let moved = moved.map(|moved| TransactionView {
        id: 0,
        kind: moved.kind,
        direction: direction.to_owned(),
        currency: moved.amount.currency().code.to_string(),
        currency_to: None,
        amount: moved.amount.exact(),
        amount_to: None,
        address: address.as_ref().map(|address| address.address.clone()),
        tag: None,
        txid: moved.txid,
        confirmations: moved.confirmations,
    });
    let exchanged = (row.sent.currency().id != row.received_currency.id)
        .then_some(row.received)
        .flatten()
        .map(|received| TransactionView {
            id: 0,
            kind: TransactionKind::Exchange,
            direction: "exchange".to_owned(),
            currency: row.sent.currency().code.to_string(),
            currency_to: Some(received.currency().code.to_string()),
            amount: row.requested.exact(),
            amount_to: Some(received.exact()),
            address: None,
            tag: None,
            txid: None,
            confirmations: 0,
        });
    // Money is exchanged before it leaves and after it came.
    let mut transactions: Vec<TransactionView> = if direction == "withdrawal" {
        exchanged.into_iter().chain(moved).collect()
    } else {
        moved.into_iter().chain(exchanged).collect()
    };
    for (place, transaction) in (0..PARTS_MAX).zip(&mut transactions) {
        transaction.id = row.id.saturating_mul(PARTS_MAX) + place;
    }
    OperationView {
        id: row.id,
        merchant_id: row.merchant_id,
        kind: row.kind,
        status: row.status,
        foreign_id: row.foreign_id,
        address,
        sent: amount_view(row.sent),
        received: row.received.map(amount_view),
        received_net: row.received_net.map(|net| net.exact()),
        received_currency: row.received_currency.code.to_string(),
        expected,
        requested_amount: row.requested.exact(),
        price: row.price.map(price_text),
        fees,
        transactions,
        futures_id: row.futures_id,
        error: row.error,
        needs_attention: row.needs_attention,
        created_at: row.created_at.unix_timestamp(),
        updated_at: row.updated_at.unix_timestamp(),
        finished_at: row.finished_at.map(time::OffsetDateTime::unix_timestamp),
    }
}

fn amount_view(money: Money) -> AmountView {
    AmountView {
        currency: money.currency().code.to_string(),
        amount: money.exact(),
    }
}
