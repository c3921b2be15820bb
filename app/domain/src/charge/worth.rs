//! What received coins are worth towards the amount, in ledger units.
//!
//! What is due in coins was rounded up, so coins times price is a little more than the amount.
//! Invariant: coins that are exactly what is due are worth exactly the amount, in however many parts
//! they come; only what comes beyond them is worth more.

/// What a quote asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Charge currency.
    pub amount: i128,
    /// Coins in all, or those a payment has used up.
    pub due: i128,
}

/// Several receipts of the asked coin together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    pub coins: i128,
    /// Charge currency.
    pub worth: i128,
}

impl Came {
    /// The same with one more receipt.
    #[must_use]
    pub fn and(self, coins: i128, worth: i128) -> Self {
        Self {
            coins: self.coins.saturating_add(coins),
            worth: self.worth.saturating_add(worth),
        }
    }
}

impl Asked {
    /// What `coins` that come under the quote add to what `came` before them; `price` says what
    /// coins are worth by themselves. `None` when that cannot be said.
    pub fn worth_of_next(
        self,
        came: Came,
        coins: i128,
        price: impl Fn(i128) -> Option<i128>,
    ) -> Option<i128> {
        let open = self.due.saturating_sub(came.coins);
        let missing = self.amount.saturating_sub(came.worth);
        if open <= 0 || missing <= 0 {
            return price(coins);
        }
        if coins < open {
            return price(coins).map(|worth| worth.min(missing));
        }
        price(coins - open).map(|beyond| missing.saturating_add(beyond))
    }

    /// What is reported as received: the amount at most, while no more came than is due.
    pub fn worth_of_all(self, came: Came) -> i128 {
        if came.coins <= self.due {
            came.worth.min(self.amount)
        } else {
            came.worth
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 coins at 3.5 for an amount of 33: two units more than is asked for.
    const ASKED: Asked = Asked {
        amount: 33,
        due: 10,
    };

    fn price(coins: i128) -> Option<i128> {
        Some(coins * 7 / 2)
    }

    /// Worth of each of the payments, and what is reported after the last.
    #[track_caller]
    fn check(payments: &[i128], worth: &[i128], reported: i128) {
        let mut came = Came::default();
        for (coins, expected) in payments.iter().zip(worth) {
            let found = ASKED.worth_of_next(came, *coins, price);
            assert_eq!(found, Some(*expected), "{payments:?}");
            came = came.and(*coins, *expected);
        }
        assert_eq!(ASKED.worth_of_all(came), reported, "{payments:?}");
    }

    #[test]
    fn what_is_due_is_worth_the_amount_however_it_is_split() {
        check(&[10], &[33], 33);
        check(&[1, 9], &[3, 30], 33);
        check(&[9, 1], &[31, 2], 33);
        check(&[3, 3, 3, 1], &[10, 10, 10, 3], 33);
    }

    #[test]
    fn a_part_is_worth_its_price_and_what_is_too_much_as_well() {
        check(&[4], &[14], 14);
        check(&[12], &[40], 40);
        check(&[4, 8], &[14, 26], 40);
        check(&[10, 2], &[33, 7], 40);
    }

    #[test]
    fn late_coins_report_no_more_than_the_amount_either() {
        let came = |coins, worth| Came { coins, worth };
        assert_eq!(ASKED.worth_of_all(came(10, 50)), 33);
        assert_eq!(ASKED.worth_of_all(came(10, 20)), 20);
        assert_eq!(ASKED.worth_of_all(came(11, 50)), 50);
    }

    #[test]
    fn without_a_price_a_part_is_worth_nothing_known() {
        assert_eq!(ASKED.worth_of_next(Came::default(), 4, |_| None), None);
    }
}
