//! Reports to the vendor, and those that could not be sent yet.
//!
//! A report goes to a file first and then to the server. Only a 202 takes it out of the file, so neither a kill nor
//! a day without a network loses one; what the server refuses is set aside. Sending never holds an update up: the patient retry comes at its end.

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

/// Refused reports that are kept: enough for support, and no more.
const REFUSED_KEPT: usize = 100;

/// The unsent reports, oldest first.
pub struct Outbox {
    path: PathBuf,
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
        Ok(Self { path, waiting, backoff, pause: None, failed: 0 })
    }

    /// Keeps a report, and sends what can be sent. Answers with the help page, if the server named one.
    pub fn post(&mut self, client: &Client, report: Report) -> Result<Option<String>, Failure> {
        self.waiting.push(report);
        durable::write_json(&self.path, &self.waiting)?;
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

    /// Keeps the last of the reports that the server does not take.
    fn set_aside(&self, refused: Vec<Report>) -> Result<(), Failure> {
        if refused.is_empty() {
            return Ok(());
        }
        let path = self.path.with_file_name("refused.json");
        let mut all: Vec<Report> = durable::read_json(&path)?.unwrap_or_default();
        all.extend(refused);
        let too_many = all.len().saturating_sub(REFUSED_KEPT);
        durable::write_json(&path, &all.split_off(too_many))
    }

    /// Whether everything has been sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// One attempt for all that wait. The first that finds no server ends it. One that the server refuses would be
    /// refused every time: it goes to a file of its own, for support to look at, and is not sent again.
    pub fn send(&mut self, client: &Client) -> Result<Option<String>, Failure> {
        let (mut help_url, mut kept, mut refused) = (None, Vec::new(), Vec::new());
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
                    refused.push(report);
                }
                Receipt::Unreachable(_) => {
                    reachable = false;
                    kept.push(report);
                }
            }
        }
        self.set_aside(refused)?;
        self.waiting = kept;
        durable::write_json(&self.path, &self.waiting)?;
        if reachable {
            (self.failed, self.pause) = (0, None);
        } else {
            self.pause = Instant::now().checked_add(self.backoff.pause(self.failed, None));
            self.failed += 1;
        }
        Ok(help_url)
    }
}
