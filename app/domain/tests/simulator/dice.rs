/// `SplitMix64`: small, good enough to choose steps, the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to `sides` − 1.
    pub fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((z ^ (z >> 31)) % u64::from(sides)).unwrap()
    }

    pub fn byte(&mut self, sides: u32) -> u8 {
        u8::try_from(self.roll(sides)).unwrap()
    }

    pub fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.roll(u32::try_from(list.len()).unwrap())).unwrap()]
    }

    /// True once in `sides` times.
    pub fn hits(&mut self, sides: u32) -> bool {
        self.roll(sides) == 0
    }
}
