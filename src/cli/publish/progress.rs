//! Progress: bars on a terminal, otherwise one line per event, both on standard error.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use super::super::client::{error::ApiError, wire};

/// Where progress is shown.
pub(super) struct Progress {
    shown: Shown,
    /// The bar of all current work.
    total: Mutex<ProgressBar>,
}

enum Shown {
    Bars(MultiProgress),
    Lines,
    Nothing,
}

/// The progress of one file.
#[derive(Clone)]
pub(super) struct FileProgress {
    bar: ProgressBar,
    total: ProgressBar,
    lines: bool,
    name: String,
}

impl Progress {
    /// Bars on a terminal, lines elsewhere, nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let shown = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Bars(MultiProgress::new()),
            (false, false) => Shown::Lines,
        };
        Self { shown, total: Mutex::new(ProgressBar::hidden()) }
    }

    /// Reports an event.
    pub fn say(&self, event: &str) {
        match &self.shown {
            Shown::Bars(bars) => {
                // The terminal may be gone, which is no reason to stop.
                let _ = bars.println(event);
            }
            Shown::Lines => write_line(event),
            Shown::Nothing => {}
        }
    }

    /// Reports a failure that is followed by another attempt.
    pub fn trying_again(&self, error: &ApiError, pause: Duration) {
        self.say(&format!("{error}; trying again in {:.1} s", pause.as_secs_f64()));
    }

    /// Begins work on `bytes` bytes.
    pub fn expect(&self, verb: &'static str, bytes: u64) {
        let bar = match &self.shown {
            Shown::Bars(bars) if bytes > 0 => {
                bars.add(ProgressBar::new(bytes).with_style(style()).with_message(format!("{verb}, in all")))
            }
            _ => ProgressBar::hidden(),
        };
        let before = std::mem::replace(&mut *self.total.lock(), bar);
        before.finish_and_clear();
    }

    /// Counts finished bytes.
    pub fn advance(&self, bytes: u64) {
        self.total.lock().inc(bytes);
    }

    /// Begins work on one file.
    pub fn file(&self, verb: &str, artifact: &wire::Artifact) -> FileProgress {
        let (name, total) = (artifact.filename.to_string(), self.total.lock().clone());
        let bar = match &self.shown {
            Shown::Bars(bars) => bars
                .insert_before(&total, ProgressBar::new(artifact.size).with_style(style()).with_message(name.clone())),
            Shown::Lines => {
                write_line(&format!("{verb} {name} ({})", HumanBytes(artifact.size)));
                ProgressBar::hidden()
            }
            Shown::Nothing => ProgressBar::hidden(),
        };
        FileProgress { bar, total, lines: matches!(self.shown, Shown::Lines), name }
    }

    /// Removes the bars from the terminal.
    pub fn finish(&self) {
        self.total.lock().finish_and_clear();
        if let Shown::Bars(bars) = &self.shown {
            let _ = bars.clear();
        }
    }
}

impl FileProgress {
    /// Begins from the start, possibly again.
    pub fn begin(&self) {
        self.total.dec(self.bar.position());
        self.bar.reset();
    }

    /// Counts finished bytes.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.total.inc(bytes);
    }

    /// Ends work on the file.
    pub fn finish(&self, verb: &str) {
        self.bar.finish_and_clear();
        if self.lines {
            write_line(&format!("{verb} {}", self.name));
        }
    }
}

fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn style() -> ProgressStyle {
    // An invalid template would show the default bar; a test keeps it valid.
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Fits a terminal of 80 columns, with room for most of a name.
const TEMPLATE: &str = "{wide_msg} {bar:16} {percent:>3} % of {total_bytes:>10} {bytes_per_sec:>12} {eta:>4}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_have_a_right_template() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn what_is_sent_again_is_counted_once() {
        let (bar, total) = (ProgressBar::hidden(), ProgressBar::hidden());
        let file = FileProgress { bar, total: total.clone(), lines: false, name: String::new() };
        total.inc(100);
        file.begin();
        file.advance(30);
        file.begin();
        file.advance(40);
        assert_eq!((file.bar.position(), total.position()), (40, 140));
    }
}
