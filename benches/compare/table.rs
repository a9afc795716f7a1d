//! The result: one row per figure, with what it is compared with.

use std::fmt;

use serde::Serialize;

/// All figures.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    rows: Vec<Row>,
}

/// One figure.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    sluice: Option<f64>,
    against: Option<f64>,
    ratio: Option<f64>,
    aim: Option<Aim>,
    met: Option<bool>,
}

/// What a figure, or its ratio where it has one, should be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

/// The same thing measured on both sides, once per round.
#[derive(Debug, Default)]
pub struct Rounds(Vec<(f64, f64)>);

impl Rounds {
    /// Adds a round.
    pub fn add(&mut self, sluice: f64, against: f64) {
        self.0.push((sluice, against));
    }
}

/// The one in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least value that so many of a hundred are at most.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or(f64::NAN)
}

impl Table {
    /// A figure that is compared with nothing.
    pub fn figure(&mut self, what: &str, value: f64, aim: Option<Aim>) {
        let met = aim.map(|aim| aim.is_met(value));
        self.rows.push(Row { what: what.to_owned(), sluice: Some(value), against: None, ratio: None, aim, met });
    }

    /// What could not be measured.
    pub fn missing(&mut self, what: &str, why: &str) {
        let what = format!("{what}: not measured ({why})");
        self.rows.push(Row { what, sluice: None, against: None, ratio: None, aim: None, met: None });
    }

    /// A figure against another: the medians, and the median of the rounds' ratios, which is not their ratio.
    pub fn compared(&mut self, what: &str, rounds: &Rounds, aim: Option<Aim>) {
        let ratio = median(rounds.0.iter().map(|(sluice, against)| sluice / against));
        self.rows.push(Row {
            what: what.to_owned(),
            sluice: Some(median(rounds.0.iter().map(|round| round.0))),
            against: Some(median(rounds.0.iter().map(|round| round.1))),
            ratio: Some(ratio),
            aim,
            met: aim.map(|aim| aim.is_met(ratio)),
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        writeln!(formatter, "{:width$}  {:>9}  {:>9}  {:>6}  aim", "", "Sluice", "against", "ratio")?;
        for row in &self.rows {
            let number = |value: Option<f64>| value.map(shortened).unwrap_or_default();
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let aim = match row.aim {
                Some(Aim::AtMost(limit)) => format!("≤ {limit}"),
                Some(Aim::AtLeast(limit)) => format!("≥ {limit}"),
                None => String::new(),
            };
            let met = match row.met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            let line = format!(
                "{:width$}  {:>9}  {:>9}  {ratio:>6}  {aim:<6} {met}",
                row.what,
                number(row.sluice),
                number(row.against)
            );
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Three digits that matter, or all before the point.
fn shortened(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
