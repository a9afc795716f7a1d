//! One site: it asks, and where it is offered an update it takes it, stage by stage.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use uuid::Uuid;

use super::{
    Arguments, BACKOFF,
    plan::{Dice, Plan},
    tally::Tally,
    updater::{
        client::Client,
        failure::{Failure, FailureClass},
        now,
        outbox::Outbox,
        wire::{Offer, Outcome, Question, Report, Stage, Status, Trigger},
    },
};

/// The stages of an update on the way to its end.
const STAGES: [Stage; 5] =
    [Stage::Downloading, Stage::Downloaded, Stage::BackingUp, Stage::Installing, Stage::Migrating];

/// A site.
pub struct Site<'f> {
    /// What holds for the whole fleet.
    pub arguments: &'f Arguments,
    /// The server, for this customer.
    pub client: Client,
    /// What becomes of it.
    pub plan: Plan,
    /// When the fleet started.
    pub started: Instant,
    /// What became of all.
    pub tally: &'f Mutex<Tally>,
}

impl Site<'_> {
    /// Waits for its time, asks, and takes what it is offered.
    pub fn live(&self) {
        thread::sleep(self.plan.asks_at.saturating_sub(self.started.elapsed()));
        let installation = Uuid::new_v4();
        let question = Question {
            component: self.arguments.component,
            version: self.arguments.from.clone(),
            trigger: Trigger::Startup,
            server: None,
        };
        match self.client.check(&question, installation) {
            Ok(answer) => match answer.update.filter(|_| answer.status == Status::UpdateAvailable) {
                Some(offer) => self.take(&offer, installation),
                None => {
                    self.tally().held_back(answer.reason.as_deref().unwrap_or("up_to_date"), self.started.elapsed());
                }
            },
            Err(failure) => self.tally().unanswered(&failure),
        }
    }

    fn take(&self, offer: &Offer, installation: Uuid) {
        self.tally().offered();
        let mut dice = Dice(self.plan.seed);
        let mut outbox = Outbox::in_memory(BACKOFF);
        let run = Uuid::new_v4();
        let mut report = |stage, outcome, error| {
            // Between half as long and half as long again.
            thread::sleep(self.arguments.pause.mul_f64(0.5 + dice.share()));
            let report = Report {
                run,
                installation,
                product: self.arguments.product.clone(),
                component: self.arguments.component,
                from_version: self.arguments.from.clone(),
                to_version: offer.version.clone(),
                stage,
                outcome,
                error,
                scheduled_for: None,
                notify_email: None,
                locale: None,
                at: now(),
            };
            outbox.post(&self.client, report).map(drop)
        };
        let mut sent = Ok(());
        for stage in STAGES {
            if stage == Stage::Installing {
                self.tally().took();
            }
            sent = sent.and(report(stage, None, None));
        }
        let (outcome, error) = self.ending();
        sent = sent.and(report(Stage::Ended, Some(outcome), error));
        sent = sent.and(outbox.flush(&self.client).map(drop));
        self.tally().ended(outcome == Outcome::Succeeded, sent.is_ok() && outbox.is_empty());
    }

    /// How its update ends. Lost data is the one thing that cannot be undone.
    fn ending(&self) -> (Outcome, Option<Failure>) {
        if !self.plan.fails {
            return (Outcome::Succeeded, None);
        }
        let class = self.arguments.class;
        let outcome = if class == FailureClass::DataLoss { Outcome::Failed } else { Outcome::RolledBack };
        (outcome, Some(Failure::new(class, "simulated", "a simulated failure")))
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
