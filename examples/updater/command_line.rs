//! The flags that all flows share, and questions to the person at the terminal.

use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    time::Duration,
};

use super::{backoff::Backoff, wire::Offer};

/// What `--help` says at its end.
pub const EXIT_CODES: &str = "Exit codes:
   0  up to date, updated, or scheduled
   2  wrong arguments
  10  there is an update that the subscription does not cover
  11  there is an update, but not now
  12  the vendor has stopped updates
  13  declined
  14  no client fits the server program
  20  the update failed; everything is as it was before
  21  the update failed, and the old version could not be brought back
  30  could not ask: no network, wrong key, wrong configuration";

/// Flags of every flow.
#[derive(Clone, Debug, clap::Args)]
pub struct CommonArguments {
    /// The configuration file (see examples/updater.example.toml).
    #[arg(long, value_name = "FILE", default_value = "updater.toml", global = true)]
    pub config: PathBuf,
    /// Answer every question with yes.
    #[arg(long, global = true)]
    pub yes: bool,
    /// How often to try again what the network or the server spoiled.
    #[arg(long, value_name = "N", default_value_t = 5, global = true)]
    pub retries: u32,
    /// The first pause before trying again; every further one is twice as long.
    #[arg(long, value_name = "MS", default_value_t = 500, global = true)]
    pub retry_base_ms: u64,
}

impl CommonArguments {
    /// How patiently to try again.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        Backoff { retries: self.retries, base: Duration::from_millis(self.retry_base_ms) }
    }

    /// Asks a question that is answered with y or n. No answer is a no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        self.yes || ask(&format!("{question} [y/N]")).is_some_and(|answer| answer.eq_ignore_ascii_case("y"))
    }
}

/// Asks for a line of text. Nothing typed is `None`.
#[must_use]
pub fn ask(question: &str) -> Option<String> {
    print!("{question} ");
    io::stdout().flush().ok()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Shows what the update would bring, as a dialog would.
pub fn show_offer(message: &str, offer: &Offer) {
    println!("{message}");
    for notes in &offer.notes {
        println!("\n── {} ──\n{}", notes.version, notes.markdown.trim());
    }
    println!();
}
