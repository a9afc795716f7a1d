//! Runs: one update of one installation, from scheduled to ended, as the updater reports it.

use jiff::{SignedDuration, Timestamp};

use super::{
    id::{InstallationId, ProductId, ReleaseId, RunId, SubscriptionId},
    locale::LanguageTag,
    named_enum,
    platform::Component,
    version::Version,
};

named_enum! {
    /// The stage of a run, in the order of an update.
    Stage, "stage" {
        /// A time was set.
        Scheduled = "scheduled",
        Downloading = "downloading",
        /// The files are complete and verified.
        Downloaded = "downloaded",
        /// The database is being backed up.
        BackingUp = "backing_up",
        /// Users are being disconnected.
        Draining = "draining",
        /// Files are being replaced.
        Installing = "installing",
        /// The database is being migrated.
        Migrating = "migrating",
        Ended = "ended",
    }
}

named_enum! {
    /// The outcome of a run.
    Outcome, "outcome" {
        /// The new version runs.
        Succeeded = "succeeded",
        /// The update failed, and the old version is not restored.
        Failed = "failed",
        /// The update failed, and the old version runs again.
        RolledBack = "rolled_back",
        /// A person cancelled it.
        Cancelled = "cancelled",
    }
}

named_enum! {
    /// The class of a failure (contract section 2).
    FailureClass, "failure class" {
        /// The download failed.
        Network = "network",
        /// The downloaded files are damaged.
        Integrity = "integrity",
        /// Disk full, missing permissions, antivirus, file in use.
        Environment = "environment",
        /// Users did not disconnect.
        UsersConnected = "users_connected",
        /// The database could not be backed up.
        Backup = "backup",
        /// The installer failed.
        Installer = "installer",
        /// The database could not be migrated.
        Migration = "migration",
        /// The new version did not start.
        ServiceStart = "service_start",
        DataLoss = "data_loss",
        /// An error of the updater itself.
        Internal = "internal",
    }
}

/// A failure as the updater describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: FailureClass,
    /// The updater's own code.
    pub code: String,
    /// The updater's own text.
    pub message: String,
}

/// A report about a run, or the sum of all reports so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The id that the updater generated.
    pub id: RunId,
    pub product: ProductId,
    /// Runs of different subscriptions are different runs, even with the same id.
    pub subscription: Option<SubscriptionId>,
    pub installation: InstallationId,
    pub component: Component,
    pub from_version: Version,
    pub to_version: Version,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    pub error: Option<Failure>,
    /// The stage to which `error` (or its absence) refers: the furthest one before the end, or the end if it was
    /// reported with an error. A later stage overrides an earlier one.
    pub error_stage: Stage,
    /// When a person wants the update to happen.
    pub scheduled_for: Option<Timestamp>,
    /// Who gets a mail about the outcome.
    pub notify_email: Option<String>,
    /// The language of that mail.
    pub locale: Option<LanguageTag>,
    /// When its last step happened, by the updater's clock.
    pub at: Option<Timestamp>,
    pub first_reported_at: Timestamp,
    pub last_reported_at: Timestamp,
    /// The release that it leads to, if one of that version was published when it began.
    pub release: Option<ReleaseId>,
    /// Whether that release was open to the subscription when it began. Only then its outcome is a vote.
    pub has_vote: bool,
    /// When it was first reported to have downloaded everything.
    pub downloaded_at: Option<Timestamp>,
    /// When it was first reported to have ended.
    pub ended_at: Option<Timestamp>,
    /// When it was given up.
    pub lost_at: Option<Timestamp>,
    /// When lost data was first reported. No later report takes this back.
    pub data_loss_at: Option<Timestamp>,
    /// The known problem that its error matched: the id of a vendor's rule, or the name of a default.
    pub known_problem: Option<String>,
}

impl Run {
    /// The first report as a new run.
    #[must_use]
    pub fn begun(mut self) -> Self {
        self.note_times(self.first_reported_at);
        self.note_data_loss(self.error.clone().as_ref(), self.first_reported_at);
        if self.stage == Stage::Ended && self.error.is_none() {
            // An error may still be reported for any stage.
            self.error_stage = Stage::Scheduled;
        }
        self.forget_what_was_overcome();
        self
    }

    /// Records when the current stage was reached.
    fn note_times(&mut self, now: Timestamp) {
        let downloaded = match self.stage {
            Stage::Scheduled | Stage::Downloading => false,
            Stage::Ended => self.outcome == Some(Outcome::Succeeded),
            _ => true,
        };
        if downloaded {
            self.downloaded_at.get_or_insert(now);
        }
        if self.stage == Stage::Ended {
            self.ended_at.get_or_insert(now);
        }
    }

    fn note_data_loss(&mut self, error: Option<&Failure>, now: Timestamp) {
        if error.is_some_and(|error| error.class == FailureClass::DataLoss) {
            self.data_loss_at.get_or_insert(now);
        }
    }

    /// Takes over what a report says about an error. For one stage an error wins over none, and the first error over
    /// later ones.
    fn hear_error(&mut self, report: &mut Self) {
        // An end without an error does not say at which stage it ended. An end that came too late is ignored.
        let says_why = report.error.is_some() && report.outcome == self.outcome;
        let is_news = report.stage > self.error_stage || (report.stage == self.error_stage && self.error.is_none());
        if is_news && (report.stage != Stage::Ended || says_why) {
            self.error_stage = report.stage;
            (self.error, self.known_problem) = (report.error.take(), report.known_problem.take());
        }
        self.forget_what_was_overcome();
    }

    /// Removes an error that the update overcame before it succeeded.
    fn forget_what_was_overcome(&mut self) {
        if self.outcome == Some(Outcome::Succeeded) {
            (self.error, self.known_problem) = (None, None);
        }
    }

    /// When it ended or was given up.
    #[must_use]
    pub fn over_at(&self) -> Option<Timestamp> {
        self.ended_at.or(self.lost_at)
    }

    /// When it counts as lost if no report comes: `silence` after the last report or the scheduled time, whichever is
    /// later. Only a run that has begun to install can be lost; any other has simply not happened.
    #[must_use]
    pub fn lost_from(&self, silence: SignedDuration) -> Option<Timestamp> {
        let begun = matches!(self.stage, Stage::Installing | Stage::Migrating);
        let from = self.scheduled_for.map_or(self.last_reported_at, |planned| planned.max(self.last_reported_at));
        from.checked_add(silence).ok().filter(|_| begun)
    }

    /// Adds another report of this run. Repeated and late reports do not undo later stages. What only they contain (the
    /// schedule, the recipient) is kept.
    pub fn absorb(&mut self, mut report: Self) {
        let late = report.stage < self.stage;
        self.note_data_loss(report.error.as_ref(), report.last_reported_at);
        // The first report may have reached a replica that did not know the release yet.
        if self.release.is_none() && self.stage != Stage::Ended {
            (self.release, self.has_vote) = (report.release, report.has_vote);
        }
        if report.stage > self.stage {
            self.stage = report.stage;
            self.outcome = report.outcome;
            self.at = report.at.or(self.at);
        }
        self.hear_error(&mut report);
        hear(&mut self.scheduled_for, report.scheduled_for, late);
        hear(&mut self.notify_email, report.notify_email, late);
        hear(&mut self.locale, report.locale, late);
        self.last_reported_at = self.last_reported_at.max(report.last_reported_at);
        // It is no longer lost.
        self.lost_at = None;
        self.note_times(report.last_reported_at);
    }
}

/// A later report overrides the schedule; one that is late or does not mention it changes nothing.
fn hear<T>(known: &mut Option<T>, told: Option<T>, late: bool) {
    if told.is_some() && !(late && known.is_some()) {
        *known = told;
    }
}

#[cfg(test)]
mod tests;
