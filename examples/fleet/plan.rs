//! What becomes of each site, decided beforehand by a seed.

use std::time::Duration;

/// What becomes of a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// When it asks, from the start of all.
    pub asks_at: Duration,
    /// Whether its update fails.
    pub fails: bool,
    /// The seed of what is left to chance.
    pub seed: u64,
}

/// Chance that can be repeated (Steele, Lea and Flood's `SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let first = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let second = (first ^ (first >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        second ^ (second >> 31)
    }

    /// From 0 to just below 1.
    pub fn share(&mut self) -> f64 {
        let upper = u32::try_from(self.number() >> 32).unwrap_or_default();
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Plans for so many sites. The share of those that fail is kept as exactly as whole sites allow.
pub fn of(sites: usize, failure_rate: f64, over: Duration, seed: u64) -> Vec<Plan> {
    let mut dice = Dice(seed);
    let sites = u32::try_from(sites).unwrap_or(u32::MAX);
    let failing = f64::from(sites) * failure_rate;
    let mut plans: Vec<(u64, Plan)> = (0..sites)
        .map(|place| {
            // Rounded to whole sites.
            let fails = f64::from(place) + 0.5 < failing;
            let asks_at = over.mul_f64(dice.share());
            (dice.number(), Plan { asks_at, fails, seed: dice.number() })
        })
        .collect();
    // Shuffled, so that it is not the first keys that fail.
    plans.sort_by_key(|(place, _)| *place);
    plans.into_iter().map(|(_, plan)| plan).collect()
}
