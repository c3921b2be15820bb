use serde::{Deserialize, Serialize};

/// Where a charge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No method chosen.
    Created,
    /// Quote fixed, waiting for money.
    Pending,
    /// Covered by receipts that are not final yet.
    Processing,
    /// Final receipts cover it; the merchant is credited. Never goes back.
    Paid,
    /// Time is up, nothing came.
    Expired,
    /// Time is up, something came, not enough.
    Underpaid,
    /// Called off before any money came.
    Cancelled,
    /// Covering receipts never became final, or were dropped after the clock.
    Failed,
}

impl Status {
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Pending,
        Self::Processing,
        Self::Paid,
        Self::Expired,
        Self::Underpaid,
        Self::Cancelled,
        Self::Failed,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Underpaid => "underpaid",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// The moves that exist; any other is refused (`00-domain.md`, the table; `80`, Charges).
    pub fn may_become(self, next: Self) -> bool {
        use Status::{Cancelled, Created, Expired, Failed, Paid, Pending, Processing, Underpaid};
        match self {
            Created => matches!(next, Pending | Cancelled | Expired),
            Pending => matches!(next, Processing | Paid | Cancelled | Expired | Underpaid),
            Processing => matches!(next, Pending | Paid | Failed | Underpaid),
            Expired | Underpaid => matches!(next, Pending | Paid),
            Failed => matches!(next, Paid),
            Paid | Cancelled => false,
        }
    }
}

/// How something unusual was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    None,
    /// The merchant took what came.
    Accepted,
    /// The payer took a new rate.
    Requoted,
    /// The money went back.
    Refunded,
    /// An excess was credited to the merchant.
    Credited,
}

impl Resolution {
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Accepted,
        Self::Requoted,
        Self::Refunded,
        Self::Credited,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Accepted => "accepted",
            Self::Requoted => "requoted",
            Self::Refunded => "refunded",
            Self::Credited => "credited",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|resolution| resolution.word() == word)
    }
}
