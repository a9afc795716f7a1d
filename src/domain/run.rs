//! Runs: one update of one installation, from scheduled to ended, as the updater reports it.

use jiff::Timestamp;

use super::{
    id::{InstallationId, ProductId, RunId, SubscriptionId},
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
}

impl Run {
    /// Takes in one more report of this run. Repeated and late ones change nothing that is already further on;
    /// what only they know (the schedule, whom to tell) is kept whenever it comes.
    pub fn absorb(&mut self, report: Self) {
        let late = report.stage < self.stage;
        hear(&mut self.scheduled_for, report.scheduled_for, late);
        hear(&mut self.notify_email, report.notify_email, late);
        hear(&mut self.locale, report.locale, late);
        if report.stage > self.stage {
            self.stage = report.stage;
            self.outcome = report.outcome;
            self.error = report.error.or(self.error.take());
            self.at = report.at.or(self.at);
        } else if self.error.is_none() && (report.stage, report.outcome) == (self.stage, self.outcome) {
            self.error = report.error;
        }
        self.last_reported_at = self.last_reported_at.max(report.last_reported_at);
    }
}

/// A later word on the schedule counts; a report that says nothing of it, or comes late, takes nothing back.
fn hear<T>(known: &mut Option<T>, told: Option<T>, late: bool) {
    if told.is_some() && !(late && known.is_some()) {
        *known = told;
    }
}
