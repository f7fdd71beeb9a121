//! Numbers and words without a clock.

/// SplitMix64: Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }
}

/// Plain words, to be cut anywhere; the writer adds quotes and line breaks.
pub(super) fn prose(len: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "customer", "order", "was", "shipped", "to", "another", "address", "and", "refund",
        "policy", "says", "that", "returns", "within", "days",
    ];
    let mut random = Random::new(7);
    let mut text = String::new();
    while text.len() < len {
        text.push_str(WORDS[random.below(WORDS.len() as u64) as usize]);
        text.push(' ');
    }
    text
}
