/// What a user is (`00-domain.md`, Parties).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The operator: everything, for everybody.
    Admin,
    /// Looks after the merchants it made or was given.
    Manager,
    /// Its own merchant.
    Merchant,
    /// A program of a merchant: submits, and sees nothing but balance and profile.
    ApiUser,
}

/// One thing somebody may be allowed to do. For which merchant is another question, answered by
/// [`crate::Gateway::merchants_visible_to`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    ReadProfile,
    /// The balances alone.
    ReadBalances,
    CreateCharges,
    ReadCharges,
    /// Accept, refund, cancel.
    ManageCharges,
    /// The exceptions inbox.
    ReadInbox,
    /// Wallets with their statements.
    ReadWallets,
    /// The delivery log.
    ReadDeliveries,
    /// Send a delivery again.
    Redeliver,
    /// CSV and PDF.
    ExportData,
    /// Faucet and mailbox of test mode.
    UseTestTools,
    /// Sub-users, as far as [`Role::may_manage`] goes.
    ManageUsers,
    /// Addresses, deposits, withdrawals, exchanges, futures.
    ReadOperations,
    /// Take addresses, ask for withdrawals, exchange, promise futures.
    MoveMoney,
    /// Let a withdrawal go that is above the merchant's limit, or decline it.
    ApproveWithdrawals,
    /// Invoices made and sent by hand.
    ManageInvoices,
    /// Key pairs: make, revoke, switch permissions.
    ManageKeys,
    /// Name, looks, callback address.
    ManageSettings,
    /// House accounts, rates, fees, other people's merchants.
    Operate,
}

impl Permission {
    pub const ALL: [Self; 19] = [
        Self::ReadProfile,
        Self::ReadBalances,
        Self::CreateCharges,
        Self::ReadCharges,
        Self::ManageCharges,
        Self::ReadInbox,
        Self::ReadWallets,
        Self::ReadDeliveries,
        Self::Redeliver,
        Self::ExportData,
        Self::UseTestTools,
        Self::ManageUsers,
        Self::ReadOperations,
        Self::MoveMoney,
        Self::ApproveWithdrawals,
        Self::ManageInvoices,
        Self::ManageKeys,
        Self::ManageSettings,
        Self::Operate,
    ];
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Admin, Self::Manager, Self::Merchant, Self::ApiUser];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Merchant => "merchant",
            Self::ApiUser => "api_user",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The one table of permissions. Without a wildcard on purpose: a new permission belongs to
    /// nobody until somebody decides.
    pub fn permits(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadProfile | Permission::ReadBalances | Permission::CreateCharges => true,
            Permission::ReadCharges
            | Permission::ManageCharges
            | Permission::ReadInbox
            | Permission::ReadWallets
            | Permission::ReadDeliveries
            | Permission::Redeliver
            | Permission::ExportData
            | Permission::UseTestTools
            | Permission::ManageUsers
            | Permission::ReadOperations
            | Permission::MoveMoney
            | Permission::ApproveWithdrawals
            | Permission::ManageInvoices
            | Permission::ManageKeys
            | Permission::ManageSettings => match self {
                Self::Admin | Self::Manager | Self::Merchant => true,
                Self::ApiUser => false,
            },
            Permission::Operate => match self {
                Self::Admin => true,
                Self::Manager | Self::Merchant | Self::ApiUser => false,
            },
        }
    }

    /// Whether this role may create, suspend and reactivate users of that role. Below the admin
    /// nobody touches its own rank or a higher one.
    pub fn may_manage(self, other: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Manager => matches!(other, Self::Merchant | Self::ApiUser),
            Self::Merchant => matches!(other, Self::ApiUser),
            Self::ApiUser => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        assert_eq!(Role::from_word("root"), None);
        assert_eq!(Role::from_word("Admin"), None);
    }

    #[test]
    fn an_api_user_submits_and_sees_balance_and_profile_alone() {
        let may: Vec<Permission> = Permission::ALL
            .into_iter()
            .filter(|each| Role::ApiUser.permits(*each))
            .collect();
        let expected = [
            Permission::ReadProfile,
            Permission::ReadBalances,
            Permission::CreateCharges,
        ];
        assert_eq!(may, expected);
    }

    #[test]
    fn only_an_admin_may_do_everything() {
        let everything = |role: Role| Permission::ALL.into_iter().all(|each| role.permits(each));
        assert_eq!(Role::ALL.map(everything), [true, false, false, false]);
    }

    #[test]
    fn whoever_manages_a_role_has_all_its_permissions_and_is_not_managed_back() {
        for manager in Role::ALL {
            for managed in Role::ALL
                .into_iter()
                .filter(|role| manager.may_manage(*role))
            {
                for permission in Permission::ALL {
                    let grants_more = managed.permits(permission) && !manager.permits(permission);
                    assert!(!grants_more, "{manager:?} would grant {permission:?}");
                }
                let peers = manager == Role::Admin && managed == Role::Admin;
                assert!(
                    peers || !managed.may_manage(manager),
                    "{managed:?} over {manager:?}"
                );
            }
        }
    }
}
