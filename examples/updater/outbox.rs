//! Reports to the vendor, and those that could not be sent yet.
//!
//! A report goes to a file first and then to the server. Only a 202 takes it out of the file, so neither a kill nor
//! a day without a network loses one. Sending never holds an update up: the patient retry comes at its end.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    backoff::Backoff,
    client::{Client, Receipt},
    durable,
    failure::Failure,
    wire::Report,
};

/// The unsent reports, oldest first.
pub struct Outbox {
    /// None for one that does not outlive its program.
    path: Option<PathBuf>,
    waiting: Vec<Report>,
    backoff: Backoff,
    /// After a failed attempt: not before this, and how many have failed in a row.
    pause: Option<Instant>,
    failed: u32,
}

impl Outbox {
    /// Opens the outbox in a folder.
    pub fn open(folder: &Path, backoff: Backoff) -> Result<Self, Failure> {
        let path = folder.join("outbox.json");
        let waiting = durable::read_json(&path)?.unwrap_or_default();
        Ok(Self { path: Some(path), waiting, backoff, pause: None, failed: 0 })
    }

    /// An outbox that is forgotten with its program: for simulations. A real updater has a folder.
    #[must_use]
    pub fn in_memory(backoff: Backoff) -> Self {
        Self { path: None, waiting: Vec::new(), backoff, pause: None, failed: 0 }
    }

    /// Keeps a report, and sends what can be sent. Answers with the help page, if the server named one.
    pub fn post(&mut self, client: &Client, report: Report) -> Result<Option<String>, Failure> {
        self.waiting.push(report);
        self.keep()?;
        if self.pause.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        self.send(client)
    }

    /// Sends what is left, with pauses. What still cannot be sent waits for the next start.
    pub fn flush(&mut self, client: &Client) -> Result<Option<String>, Failure> {
        let mut help_url = self.send(client)?;
        while self.failed > 0 && self.failed <= self.backoff.retries {
            self.backoff.wait(self.failed - 1, None);
            help_url = self.send(client)?.or(help_url);
        }
        Ok(help_url)
    }

    /// Whether everything has been sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// One attempt for all that wait. The first that finds no server ends it; one that the server refuses is kept
    /// for support to look at, and does not keep the others back (the server puts them in order).
    pub fn send(&mut self, client: &Client) -> Result<Option<String>, Failure> {
        let (mut help_url, mut kept) = (None, Vec::new());
        let mut reachable = true;
        for report in self.waiting.drain(..) {
            if !reachable {
                kept.push(report);
                continue;
            }
            match client.report(&report) {
                Receipt::Accepted { help_url: told } => help_url = told.or(help_url),
                Receipt::Refused(failure) => {
                    eprintln!("the vendor's server does not take a report: {failure}");
                    kept.push(report);
                }
                Receipt::Unreachable(_) => {
                    reachable = false;
                    kept.push(report);
                }
            }
        }
        self.waiting = kept;
        self.keep()?;
        if reachable {
            (self.failed, self.pause) = (0, None);
        } else {
            self.pause = Instant::now().checked_add(self.backoff.pause(self.failed, None));
            self.failed += 1;
        }
        Ok(help_url)
    }

    fn keep(&self) -> Result<(), Failure> {
        self.path.as_ref().map_or(Ok(()), |path| durable::write_json(path, &self.waiting))
    }
}
