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
    /// How far a run has come, in the order in which an update goes.
    Stage, "stage" {
        /// A time was set.
        Scheduled = "scheduled",
        /// The download has begun.
        Downloading = "downloading",
        /// The files are there and verified.
        Downloaded = "downloaded",
        /// The database is being saved.
        BackingUp = "backing_up",
        /// Users are being disconnected.
        Draining = "draining",
        /// Files are being replaced.
        Installing = "installing",
        /// The database is being changed.
        Migrating = "migrating",
        /// It is over.
        Ended = "ended",
    }
}

named_enum! {
    /// How a run ended.
    Outcome, "outcome" {
        /// The new version runs.
        Succeeded = "succeeded",
        /// It did not work, and the old version is not back.
        Failed = "failed",
        /// It did not work, and the old version is back.
        RolledBack = "rolled_back",
        /// A person decided against it.
        Cancelled = "cancelled",
    }
}

named_enum! {
    /// What kind of thing went wrong (contract section 2).
    FailureClass, "failure class" {
        /// The download could not be made.
        Network = "network",
        /// What was downloaded is not what was published.
        Integrity = "integrity",
        /// Disk full, rights, antivirus, file in use.
        Environment = "environment",
        /// Users would not leave.
        UsersConnected = "users_connected",
        /// The database could not be saved.
        Backup = "backup",
        /// The installer failed.
        Installer = "installer",
        /// The database could not be changed.
        Migration = "migration",
        /// The new version would not start.
        ServiceStart = "service_start",
        /// Data is gone.
        DataLoss = "data_loss",
        /// A fault of the updater's own.
        Internal = "internal",
    }
}

/// What went wrong, in the updater's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of thing.
    pub class: FailureClass,
    /// The updater's own code.
    pub code: String,
    /// The updater's own text.
    pub message: String,
}

/// One report about a run, or the sum of all that came so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The updater's own id for it.
    pub id: RunId,
    /// Of which product.
    pub product: ProductId,
    /// On whose subscription. Runs of different subscriptions are different runs, whatever their ids.
    pub subscription: Option<SubscriptionId>,
    /// Which installation.
    pub installation: InstallationId,
    /// Which program.
    pub component: Component,
    /// What it was.
    pub from_version: Version,
    /// What it is to be.
    pub to_version: Version,
    /// How far it has come.
    pub stage: Stage,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// What went wrong.
    pub error: Option<Failure>,
    /// The stage that what is known of an error, or that there was none, was said of: the furthest one before the end, or the end
    /// itself where that was reported with an error. An error of an earlier stage was overcome.
    pub error_stage: Stage,
    /// When a person wants it to happen.
    pub scheduled_for: Option<Timestamp>,
    /// Who is to be told.
    pub notify_email: Option<String>,
    /// In which language.
    pub locale: Option<LanguageTag>,
    /// When its last step happened, by the updater's own clock.
    pub at: Option<Timestamp>,
    /// When it was first heard of.
    pub first_reported_at: Timestamp,
    /// When it was last heard of.
    pub last_reported_at: Timestamp,
    /// The release it leads to, where one of this version was published when it began.
    pub release: Option<ReleaseId>,
    /// Whether that release was open to the subscription when it began: only then its outcome is a vote.
    pub has_vote: bool,
    /// When it was first heard to have downloaded everything.
    pub downloaded_at: Option<Timestamp>,
    /// When it was first heard to have ended.
    pub ended_at: Option<Timestamp>,
    /// When it was given up.
    pub lost_at: Option<Timestamp>,
    /// When it was first reported that data was lost; whatever is reported later, that is not taken back.
    pub data_loss_at: Option<Timestamp>,
    /// The known problem that its error matched: the id of a rule of the vendor's, or the name of a default.
    pub known_problem: Option<String>,
}

impl Run {
    /// The first report of a run, as the run that it is the beginning of.
    #[must_use]
    pub fn begun(mut self) -> Self {
        self.note_times(self.first_reported_at);
        self.note_data_loss(self.error.clone().as_ref(), self.first_reported_at);
        if self.stage == Stage::Ended && self.error.is_none() {
            // Why may still be said of any stage.
            self.error_stage = Stage::Scheduled;
        }
        self.forget_what_was_overcome();
        self
    }

    /// Notes when it came as far as it has come.
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

    /// Hears what a report says of an error, whenever it comes: of what was said of one stage an error counts, and the first.
    fn hear_error(&mut self, report: &mut Self) {
        // That it ended, without a word why, is no word on the stage at which it ended. An end that came too late has no say.
        let says_why = report.error.is_some() && report.outcome == self.outcome;
        let is_news = report.stage > self.error_stage || (report.stage == self.error_stage && self.error.is_none());
        if is_news && (report.stage != Stage::Ended || says_why) {
            self.error_stage = report.stage;
            (self.error, self.known_problem) = (report.error.take(), report.known_problem.take());
        }
        self.forget_what_was_overcome();
    }

    /// What went wrong on the way of an update that succeeded went wrong no more.
    fn forget_what_was_overcome(&mut self) {
        if self.outcome == Some(Outcome::Succeeded) {
            (self.error, self.known_problem) = (None, None);
        }
    }

    /// When it was over: it ended, or was given up.
    #[must_use]
    pub fn over_at(&self) -> Option<Timestamp> {
        self.ended_at.or(self.lost_at)
    }

    /// When it is given up unless it is heard of before: so long after it was last heard of, or is scheduled for, whichever is
    /// later. Only a run that has begun to install can be lost; one that has not has simply not happened.
    #[must_use]
    pub fn lost_from(&self, silence: SignedDuration) -> Option<Timestamp> {
        let begun = matches!(self.stage, Stage::Installing | Stage::Migrating);
        let from = self.scheduled_for.map_or(self.last_reported_at, |planned| planned.max(self.last_reported_at));
        from.checked_add(silence).ok().filter(|_| begun)
    }

    /// Takes in one more report of this run. Repeated and late ones change nothing that is already further on;
    /// what only they know (the schedule, whom to tell) is kept whenever it comes.
    pub fn absorb(&mut self, mut report: Self) {
        let late = report.stage < self.stage;
        self.note_data_loss(report.error.as_ref(), report.last_reported_at);
        // The first report may have come to a replica that did not know of the release yet.
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
        // It is heard of again.
        self.lost_at = None;
        self.note_times(report.last_reported_at);
    }
}

/// A later word on the schedule counts; a report that says nothing of it, or comes late, takes nothing back.
fn hear<T>(known: &mut Option<T>, told: Option<T>, late: bool) {
    if told.is_some() && !(late && known.is_some()) {
        *known = told;
    }
}

#[cfg(test)]
mod tests;
