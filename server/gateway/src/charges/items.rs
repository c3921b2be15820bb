use domain::money::{Currency, Money};
use domain::view::checkout::ItemLine;

use super::Item;

/// The items as shown, and what the total has beyond them (`10-orders-api.md`: "other charges").
pub(crate) fn item_lines(items: &[Item], total: Money) -> (Vec<ItemLine>, Option<String>) {
    let currency = total.currency();
    let mut sum: Option<i128> = Some(0);
    let lines = items
        .iter()
        .map(|item| {
            let line = line_total(item, currency);
            sum = sum.zip(line).and_then(|(sum, line)| sum.checked_add(line));
            ItemLine {
                name: item.name.clone(),
                price: item.price.clone(),
                quantity: item.quantity,
                total: line
                    .map_or_else(String::new, |u| Money::from_units(u, currency).truncated()),
            }
        })
        .collect();
    let difference = sum
        .map(|sum| total.units() - sum)
        .filter(|units| *units != 0);
    let other = difference
        .filter(|_| !items.is_empty())
        .map(|units| Money::from_units(units, currency).truncated());
    (lines, other)
}

fn line_total(item: &Item, currency: Currency) -> Option<i128> {
    let price = Money::parse(&item.price, currency).ok()?;
    price.units().checked_mul(i128::from(item.quantity))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;

    use super::*;

    fn usd() -> Currency {
        Currency {
            id: 1,
            code: "USD".parse().unwrap(),
            kind: CurrencyKind::Fiat,
            precision: 2,
            scale: 8,
        }
    }

    fn item(price: &str, quantity: u64) -> Item {
        Item {
            name: "Wallet Kit".to_owned(),
            price: price.to_owned(),
            quantity,
        }
    }

    #[test]
    fn the_difference_to_the_total_is_shown_and_nothing_else_is() {
        let total = Money::parse("149.98", usd()).unwrap();
        let (lines, other) = item_lines(&[item("99.99", 1)], total);
        assert_eq!(lines[0].total, "99.99");
        assert_eq!(other.as_deref(), Some("49.99"));
        assert_eq!(item_lines(&[item("74.99", 2)], total).1, None);
        assert_eq!(
            item_lines(&[item("100.00", 2)], total).1.as_deref(),
            Some("-50.02")
        );
        assert_eq!(item_lines(&[], total).1, None);
    }
}
