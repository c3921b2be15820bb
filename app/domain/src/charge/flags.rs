/// Independent facts about a charge; setting one never erases another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// Some money came, less than due; stands until the charge is covered.
    Under,
    /// More came than was due.
    Over,
    /// Money came after the clock had ended.
    Late,
    /// Accepted by hand.
    Manual,
    /// A final receipt of a paid charge left the chain, before or after it was paid (`80`, Charges).
    Reversed,
}

impl Flag {
    pub const ALL: [Self; 5] = [
        Self::Under,
        Self::Over,
        Self::Late,
        Self::Manual,
        Self::Reversed,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Under => "under",
            Self::Over => "over",
            Self::Late => "late",
            Self::Manual => "manual",
            Self::Reversed => "reversed",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Under => 1,
            Self::Over => 2,
            Self::Late => 4,
            Self::Manual => 8,
            Self::Reversed => 16,
        }
    }
}

/// A set of [`Flag`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    pub fn insert(&mut self, flag: Flag) {
        self.0 |= flag.bit();
    }

    /// Only for [`Flag::Under`], which ends when the charge is covered.
    pub(super) fn remove(&mut self, flag: Flag) {
        self.0 &= !flag.bit();
    }

    /// Stored words in a fixed order.
    pub fn words(self) -> Vec<String> {
        Flag::ALL
            .into_iter()
            .filter(|flag| self.contains(*flag))
            .map(|flag| flag.word().to_owned())
            .collect()
    }

    /// Words that are not flags are ignored.
    pub fn from_words<S: AsRef<str>>(words: &[S]) -> Self {
        let mut flags = Self::default();
        for flag in Flag::ALL {
            if words.iter().any(|word| word.as_ref() == flag.word()) {
                flags.insert(flag);
            }
        }
        flags
    }
}
