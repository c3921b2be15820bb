use std::sync::Arc;

use domain::charge::{Event, ReceiptState, Status, Valuation};
use domain::ledger::template::ChargeCredit;
use serde_json::json;

use super::needs::Books;
use super::refundable::{checked_address, refundable, require_no_refund};
use super::row::{ChargeRow, ReceiptRow};
use super::{ChargeView, claim_mail, claim_store, refunds, store, transition};
use crate::idempotency::{Answer, Once};
use crate::ledger::{Log, PAYERS, Unit};
use crate::{Error, Gateway, Result};

/// Whoever renders the answer does it inside the transaction, so that it can be stored with it.
type Rendered = (u16, Vec<u8>);

impl Gateway {
    /// Calls a charge off before any money came.
    pub async fn cancel_charge(
        &self,
        merchant_id: i64,
        public_id: &str,
        actor: String,
        once: Option<Once>,
        render: impl Fn(&ChargeView) -> Rendered + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.resolve(merchant_id, public_id, actor, once, Action::Cancel, render)
            .await
    }

    /// Takes what came as payment: the merchant is credited what it is worth, the amount at most.
    ///
    /// # Errors
    /// [`Error::Refused`] unless the charge is expired, underpaid or failed and has final money.
    pub async fn accept_charge(
        &self,
        merchant_id: i64,
        public_id: &str,
        actor: String,
        once: Option<Once>,
        render: impl Fn(&ChargeView) -> Rendered + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.resolve(merchant_id, public_id, actor, once, Action::Accept, render)
            .await
    }

    /// Asks for the payer's unexplained money to be sent back; a withdrawal from suspense fulfils it.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `address`; [`Error::Conflict`] when there is nothing to send back.
    pub async fn request_refund(
        &self,
        merchant_id: i64,
        public_id: &str,
        address: Option<String>,
        actor: String,
        once: Option<Once>,
        render: impl Fn(&ChargeView) -> Rendered + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.resolve(
            merchant_id,
            public_id,
            actor,
            once,
            Action::Refund(address),
            render,
        )
        .await
    }

    /// The payer says where money should go back to; opens a claim when there is any.
    pub async fn leave_refund_address(
        &self,
        public_id: &str,
        token: Option<&str>,
        address: &str,
    ) -> Result<()> {
        if !token.is_some_and(|token| self.token_matches(public_id, token)) {
            return Err(Error::NotFound);
        }
        let needs = self.charge_needs(PAYERS, public_id, Books::Refund).await?;
        let (gateway, public_id, address) = (
            self.clone(),
            public_id.to_owned(),
            address.trim().to_owned(),
        );
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, public_id, address) =
                    (gateway.clone(), public_id.clone(), address.clone());
                Box::pin(async move {
                    let row =
                        store::lock_by_public_id(unit.conn(), gateway.currencies(), &public_id)
                            .await?;
                    let receipts =
                        store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
                    let claimed = refundable(&row, &receipts);
                    let picked = row.terms.as_ref().map(|terms| terms.coin);
                    let coin = claimed.map(|amount| amount.currency()).or(picked);
                    let address = checked_address(&gateway, coin, "refund_address", &address)?;
                    claim_store::set_refund_address(unit.conn(), row.id, &address).await?;
                    let now = unit.now();
                    if let Some(amount) = claimed {
                        claim_store::upsert_claim(
                            unit.conn(),
                            row.id,
                            Some(&address),
                            Some(amount),
                            "customer",
                            "requested",
                            now,
                        )
                        .await?;
                    }
                    let data = json!({ "address": address });
                    let kind = "refund_address.left";
                    let line =
                        store::append_timeline(unit.conn(), row.id, now, kind, &data).await?;
                    unit.note_line(Log::Timeline, line, now);
                    refunds::start_if_ready(&gateway, unit, &row, &receipts, "customer").await?;
                    unit.notify(&row.public_id);
                    Ok(())
                })
            })
            .await
    }

    /// The customer calls a charge off before any money came. Doing so twice is done once.
    ///
    /// # Errors
    /// [`Error::NotFound`] without the page's token: the id alone stands on papers and in codes.
    /// [`Error::Refused`] once money came or the charge is over.
    pub async fn cancel_as_customer(&self, public_id: &str, token: Option<&str>) -> Result<()> {
        if !token.is_some_and(|token| self.token_matches(public_id, token)) {
            return Err(Error::NotFound);
        }
        let needs = self.charge_needs(PAYERS, public_id, Books::Nothing).await?;
        let (gateway, public_id) = (self.clone(), public_id.to_owned());
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, public_id) = (gateway.clone(), public_id.clone());
                Box::pin(async move {
                    let row =
                        store::lock_by_public_id(unit.conn(), gateway.currencies(), &public_id)
                            .await?;
                    if row.status == Status::Cancelled {
                        return Ok(());
                    }
                    let receipts =
                        store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
                    gateway
                        .act(unit, row, &receipts, &Action::Cancel, "customer")
                        .await
                })
            })
            .await
    }

    async fn resolve(
        &self,
        merchant_id: i64,
        public_id: &str,
        actor: String,
        once: Option<Once>,
        action: Action,
        render: impl Fn(&ChargeView) -> Rendered + Send + Sync + 'static,
    ) -> Result<Answer> {
        let needs = self
            .charge_needs(merchant_id, public_id, action.books())
            .await?;
        let wish = Arc::new(Wish {
            gateway: self.clone(),
            merchant_id,
            public_id: public_id.to_owned(),
            actor,
            once,
            action,
            render,
        });
        self.book()
            .commit_decision(needs, move |unit| {
                let wish = wish.clone();
                Box::pin(async move { wish.fulfil(unit).await })
            })
            .await
    }

    async fn act(
        &self,
        unit: &mut Unit,
        mut row: ChargeRow,
        receipts: &[ReceiptRow],
        action: &Action,
        actor: &str,
    ) -> Result<()> {
        match action {
            Action::Cancel => {
                let event = Event::Cancelled;
                transition::transition(unit, &mut row, receipts, &event, None, actor).await?;
            }
            Action::Accept => {
                require_no_refund(unit, &row).await?;
                let credit = self.manual_credit(unit, &row, receipts).await?;
                let consumed = credit.as_ref().map_or(0, |credit| credit.consumed.units());
                let event = Event::AcceptedByHand { consumed };
                transition::transition(unit, &mut row, receipts, &event, credit, actor).await?;
            }
            Action::Refund(address) => {
                let amount = refundable(&row, receipts).ok_or(Error::Conflict(
                    "there is nothing to send back for this charge",
                ))?;
                let address = match address {
                    Some(address) => Some(checked_address(
                        self,
                        Some(amount.currency()),
                        "address",
                        address,
                    )?),
                    None => row.refund_address.clone(),
                };
                let now = unit.now();
                claim_store::upsert_claim(
                    unit.conn(),
                    row.id,
                    address.as_deref(),
                    Some(amount),
                    actor,
                    "approved",
                    now,
                )
                .await?;
                let data = json!({
                    "amount": amount.shortest(),
                    "currency": amount.currency().code.as_str(),
                    "address": address,
                    "by": actor,
                });
                let kind = "refund.requested";
                let line = store::append_timeline(unit.conn(), row.id, now, kind, &data).await?;
                unit.note_line(Log::Timeline, line, now);
                refunds::start_if_ready(self, unit, &row, receipts, actor).await?;
                if address.is_none() {
                    claim_mail::ask_for_address(self, unit, &row, receipts, amount).await?;
                }
                unit.notify(&row.public_id);
            }
        }
        Ok(())
    }

    /// Money that came in time counts at the quote, anything late at the current mid rate.
    async fn manual_credit(
        &self,
        unit: &mut Unit,
        row: &ChargeRow,
        receipts: &[ReceiptRow],
    ) -> Result<Option<ChargeCredit>> {
        let is_final = |receipt: &ReceiptRow| receipt.state == ReceiptState::Final;
        let (Some(terms), Some(received)) = (&row.terms, row.received(receipts, is_final)) else {
            return Ok(None);
        };
        let late = receipts
            .iter()
            .any(|r| is_final(r) && r.first_seen_at >= terms.release_at);
        let valuation = if late {
            let to = row.amount.currency();
            let now = unit.now();
            let mid = self.mid(unit.conn(), terms.coin, to, now).await?;
            Valuation::AtMid(
                mid.map(|mid| mid.rate)
                    .ok_or_else(|| Error::QuoteUnavailable {
                        coin: terms.coin.code.to_string(),
                        currency: to.code.to_string(),
                    })?,
            )
        } else {
            Valuation::Quoted { due: terms.due }
        };
        Ok(valuation.credit(received, row.amount, row.fee_basis_points))
    }
}

enum Action {
    Cancel,
    Accept,
    Refund(Option<String>),
}

impl Action {
    fn books(&self) -> Books {
        match self {
            Self::Cancel => Books::Nothing,
            Self::Accept => Books::Credit,
            Self::Refund(_) => Books::Refund,
        }
    }
}

/// What somebody wants to be done with a charge, and how he is answered.
struct Wish<R> {
    gateway: Gateway,
    merchant_id: i64,
    public_id: String,
    actor: String,
    once: Option<Once>,
    action: Action,
    render: R,
}

impl<R> Wish<R>
where
    R: Fn(&ChargeView) -> Rendered + Send + Sync,
{
    async fn fulfil(&self, unit: &mut Unit) -> Result<Answer> {
        if let Some(first) = unit.claim(self.once.as_ref()).await? {
            return Ok(first);
        }
        let currencies = self.gateway.currencies();
        let row = store::lock_by_public_id(unit.conn(), currencies, &self.public_id).await?;
        if row.merchant_id != self.merchant_id {
            return Err(Error::NotFound);
        }
        let receipts = store::receipts_of(unit.conn(), currencies, row.id).await?;
        self.gateway
            .act(unit, row, &receipts, &self.action, &self.actor)
            .await?;
        let row = store::find(unit.conn(), currencies, &self.public_id).await?;
        let view = ChargeView::assemble(row, receipts);
        let answer = Answer::fresh((self.render)(&view));
        unit.remember(self.once.as_ref(), &answer).await?;
        Ok(answer)
    }
}
