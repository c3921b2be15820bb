//! Commands that can be switched on for a key pair (`40-command-api.md`; the Processing API asks for
//! those that do the same). `get_basic_info`, `rates` and `balances` need no permission.

use domain::view::developers::{PermissionChoice, PermissionGroup};

/// A command and what it lets a program do.
type Command = (&'static str, &'static str);

/// Every command that needs a permission, by what it is for.
const GROUPS: [(&str, &[Command]); 3] = [
    (
        "Receive",
        &[
            (
                "get_deposit_address",
                "Take deposit addresses and promise futures",
            ),
            (
                "get_callback_address",
                "Take addresses that send a notification",
            ),
            ("create_transaction", "Create payments and invoices"),
        ],
    ),
    (
        "Look up",
        &[
            ("get_tx_info", "Look up one payment, operation or invoice"),
            ("get_tx_info_multi", "Look up several payments at once"),
            ("get_tx_ids", "List payments, operations and invoices"),
            ("get_withdrawal_info", "Look up one withdrawal"),
            ("get_withdrawal_history", "List withdrawals"),
            ("convert_limits", "Ask for the limits of an exchange"),
            ("get_conversion_info", "Look up one exchange"),
        ],
    ),
    (
        "Move money",
        &[
            ("create_withdrawal", "Send coins to an address"),
            (
                "create_mass_withdrawal",
                "Send coins to many addresses at once",
            ),
            ("create_transfer", "Send to another merchant"),
            ("convert", "Exchange between wallets"),
        ],
    ),
];

fn commands() -> impl Iterator<Item = Command> {
    GROUPS
        .into_iter()
        .flat_map(|(_, commands)| commands.iter().copied())
}

/// The commands among `asked`, each once and in one order; `None` when one of them does not exist.
pub(super) fn known(asked: &[String]) -> Option<Vec<String>> {
    let exists = |word: &String| commands().any(|(known, _)| known == word);
    asked.iter().all(exists).then(|| {
        commands()
            .filter(|(word, _)| asked.iter().any(|asked| asked == word))
            .map(|(word, _)| word.to_owned())
            .collect()
    })
}

/// Every command as a checkbox, those of `permissions` checked.
pub(crate) fn choices(permissions: &[String]) -> Vec<PermissionGroup> {
    GROUPS
        .into_iter()
        .map(|(name, commands)| PermissionGroup {
            name: name.to_owned(),
            choices: commands
                .iter()
                .map(|&(word, text)| PermissionChoice {
                    word: word.to_owned(),
                    text: text.to_owned(),
                    checked: permissions.iter().any(|known| known == word),
                })
                .collect(),
        })
        .collect()
}

/// How much a pair with these permissions may do, in a few words.
pub(crate) fn summary(permissions: &[String]) -> String {
    let all = commands().count();
    match permissions.len() {
        0 => "rates and balances only".to_owned(),
        some if some == all => format!("all {all} commands"),
        some => format!("{some} of {all} commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn permissions_are_kept_once_and_in_one_order() {
        let asked = words(&["convert", "get_tx_ids", "convert"]);
        assert_eq!(known(&asked), Some(words(&["get_tx_ids", "convert"])));
        assert_eq!(known(&[]), Some(Vec::new()));
    }

    #[test]
    fn a_command_that_does_not_exist_spoils_the_list() {
        for wrong in ["", "*", "Convert", "rates"] {
            assert_eq!(known(&words(&["convert", wrong])), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_switched_on_is_checked() {
        let groups = choices(&words(&["convert"]));
        let checked: Vec<&str> = groups
            .iter()
            .flat_map(|group| &group.choices)
            .filter(|choice| choice.checked)
            .map(|choice| choice.word.as_str())
            .collect();
        assert_eq!(checked, ["convert"]);
        assert_eq!(commands().count(), 14);
    }

    #[test]
    fn the_summary_counts() {
        assert_eq!(summary(&[]), "rates and balances only");
        assert_eq!(summary(&words(&["convert"])), "1 of 14 commands");
        let all: Vec<String> = commands().map(|(word, _)| word.to_owned()).collect();
        assert_eq!(summary(&all), "all 14 commands");
    }
}
