//! The order in which an update goes, and how it goes on after a kill.
//!
//! ```text
//!  Scheduled → Preparing → Swapping → Migrating → (succeeded)
//!                  │           └────┬─────┘
//!                  │           RollingBack → (rolled_back)
//!                  └ nothing touched yet: (rolled_back)
//! ```
//!
//! Before each of these phases begins it is written to the state file. Until `Swapping` neither program nor database is
//! touched. From then on, a start of the updater first brings the phase it finds to its end ([`Updater::settle`]): the
//! new program with the new database, or the old one with the old, never a mix. The one rule for your program: start
//! the updater before you start the program.

use std::{
    io::{IsTerminal, stderr},
    path::PathBuf,
};

use jiff::Timestamp;
use semver::Version;
use uuid::Uuid;

use super::{
    archive,
    backoff::Backoff,
    backup,
    client::Client,
    config::Config,
    download::Downloader,
    durable,
    ending::Ending,
    failure::{Failure, FailureClass},
    install::Folders,
    migrate,
    outbox::Outbox,
    program,
    state::{Phase, Run, State},
    verify::{self, TrustedKeys},
    wire::{
        Answer, Artifact, Component, Offer, Outcome, Question, Report, ServerProgram, Stage, Status, Subscription,
        Trigger,
    },
};

/// Makes the users leave before the program is replaced. `Err` when they would not.
pub type Disconnect<'a> = &'a mut dyn FnMut() -> Result<(), Failure>;

/// The updater of one installed program.
pub struct Updater {
    config: Config,
    component: Component,
    client: Client,
    state: State,
    outbox: Outbox,
    folders: Folders,
    backoff: Backoff,
}

impl Updater {
    /// Opens the updater's own folder. Fails when another updater is at work there.
    pub fn open(config: Config, component: Component, backoff: Backoff) -> Result<Self, Failure> {
        durable::create_folder(&config.work_dir)?;
        Ok(Self {
            client: Client::new(&config, backoff)?,
            state: State::open(&config.work_dir)?,
            outbox: Outbox::open(&config.work_dir, backoff)?,
            folders: Folders::beside(&config.install_dir),
            config,
            component,
            backoff,
        })
    }

    /// Brings to its end what a kill broke off. `Some` when that was an update: it is over now, one way or the other.
    pub fn settle(&mut self) -> Result<Option<Ending>, Failure> {
        self.folders.repair()?;
        match self.state.run().map(|run| run.phase.clone()) {
            Some(Phase::Swapping | Phase::Migrating) => self.install().map(Some),
            Some(Phase::RollingBack { database, because }) => Ok(Some(self.restore(database, because))),
            found @ (Some(Phase::Scheduled | Phase::Preparing) | None) => {
                if found.is_none() {
                    // The outcome of the last update stands, but a kill may have come before its leftovers were gone.
                    self.folders.tidy()?;
                }
                // Reports from a day without a network. One attempt: nobody should wait for it.
                self.outbox.send(&self.client)?;
                Ok(None)
            }
        }
    }

    /// The question to ask about the installed program.
    pub fn question(&self, trigger: Trigger, server: Option<ServerProgram>) -> Result<Question, Failure> {
        Ok(Question { component: self.component, version: self.installed()?, trigger, server })
    }

    /// The version that is installed.
    pub fn installed(&self) -> Result<Version, Failure> {
        program::version(&self.folders.program)
    }

    /// Asks the vendor's server.
    pub fn check(&mut self, question: &Question) -> Result<Answer, Failure> {
        let answer = self.client.check(question, self.state.installation())?;
        // An update that was begun and is no longer offered, because the vendor withdrew it for example, is over.
        // One that may only not happen now is not.
        if !matches!(answer.status, Status::UpdateAvailable | Status::Deferred | Status::Blocked) {
            self.cancel()?;
        }
        Ok(answer)
    }

    /// The customer's subscription, for an About box.
    pub fn subscription(&self) -> Result<Subscription, Failure> {
        self.client.subscription()
    }

    /// The update that was agreed to and is not over.
    #[must_use]
    pub fn under_way(&self) -> Option<&Run> {
        self.state.run()
    }

    /// Notes that a person wants the update to this version at this time.
    pub fn schedule(&mut self, to: Version, at: Timestamp, notify_email: Option<String>) -> Result<(), Failure> {
        let already = self.state.run().filter(|run| run.to == to).cloned();
        if already.is_none() {
            self.cancel()?;
        }
        let mut run = match already {
            Some(run) => run,
            None => new_run(self.installed()?, to, Phase::Scheduled),
        };
        (run.scheduled_for, run.notify_email) = (Some(at), notify_email);
        self.state.set_run(Some(run))?;
        self.report(Stage::Scheduled, None, None);
        Ok(())
    }

    /// Downloads and verifies what is offered, ahead of the time at which it is to be installed.
    pub fn prefetch(&mut self, question: &Question, answer: &Answer) -> Result<(), Failure> {
        let offer = self.begin(question, answer)?;
        self.fetch(question, &offer).map(drop)
    }

    /// Carries the offered update out. What fails on the way is undone and reported, and is no `Err` here: an `Err`
    /// says that the updater could not even begin, or could not write its own state.
    pub fn carry_out(
        &mut self,
        question: &Question,
        answer: &Answer,
        disconnect: Option<Disconnect<'_>>,
    ) -> Result<Ending, Failure> {
        let offer = self.begin(question, answer)?;
        match self.prepare(question, &offer, disconnect) {
            Ok(()) => self.install(),
            Err(because) => {
                // Nothing was touched, so the old version runs as before.
                let help_url = self.end(Outcome::RolledBack, Some(because.clone()))?;
                Ok(Ending::RolledBack { because, help_url })
            }
        }
    }

    /// Gives up an update that has not touched anything yet.
    pub fn cancel(&mut self) -> Result<(), Failure> {
        if self.state.run().is_some() {
            self.end(Outcome::Cancelled, None)?;
        }
        Ok(())
    }

    /// Starts the run of an offer, or goes on with the one that is under way.
    fn begin(&mut self, question: &Question, answer: &Answer) -> Result<Offer, Failure> {
        let offer =
            answer.update.clone().ok_or_else(|| Failure::internal("no_offer", "there is no update to install"))?;
        // Old releases are rightly signed too. Only a client that has to match its server goes to a lower version.
        let matches_server = offer.applies_to == Component::Client && question.server.is_some();
        if offer.version.cmp_precedence(&question.version).is_le() && !matches_server {
            let sentence = format!("version {} was offered in place of {}", offer.version, question.version);
            return Err(Failure::integrity("downgrade_refused", sentence));
        }
        let mut run = match self.state.run().cloned() {
            Some(run) if run.to == offer.version && run.from == question.version => run,
            // Another version than last time: its story is another run, with the same person waiting for it.
            other => {
                self.cancel()?;
                let (at, email) = other.map(|run| (run.scheduled_for, run.notify_email)).unwrap_or_default();
                let run = new_run(question.version.clone(), offer.version.clone(), Phase::Preparing);
                Run { scheduled_for: at, notify_email: email, ..run }
            }
        };
        run.phase = Phase::Preparing;
        run.help_url.clone_from(&answer.help_url);
        self.state.set_run(Some(run))?;
        Ok(offer)
    }

    /// Everything that can be done before anything is touched.
    fn prepare(
        &mut self,
        question: &Question,
        offer: &Offer,
        disconnect: Option<Disconnect<'_>>,
    ) -> Result<(), Failure> {
        let archive = self.fetch(question, offer)?;
        archive::unpack(&archive, &self.folders.staging)?;
        program::is_version(&self.folders.staging, &offer.version)?;

        // A backup that cannot be made should be known before users are sent away.
        self.report(Stage::BackingUp, None, None);
        self.back_up()?;

        if let Some(disconnect) = disconnect {
            self.report(Stage::Draining, None, None);
            disconnect()?;
        }
        self.folders.carry_over(&self.config.carry_over)?;
        self.enter(Phase::Swapping)
    }

    /// The verified archive, on the disk.
    fn fetch(&mut self, question: &Question, offer: &Offer) -> Result<PathBuf, Failure> {
        let artifact = artifact_of(offer)?;
        self.report(Stage::Downloading, None, None);

        let keys = TrustedKeys::load(&self.config.pinned_keys, &self.config.work_dir, &self.client)?;
        verify::offer(&self.client, &keys, &self.config.product, offer, &artifact)?;

        let folder = self.downloads();
        durable::create_folder(&folder)?;
        let downloader = Downloader { http: self.client.downloads(), folder: &folder, backoff: self.backoff };
        let mut renew = || {
            let answer = self.client.check(question, self.state.installation())?;
            answer.update.as_ref().map_or_else(
                || Err(Failure::network("offer_withdrawn", "the update was withdrawn while it was being downloaded")),
                artifact_of,
            )
        };
        let archive = downloader.fetch(&artifact, &mut renew, &mut show_progress)?;

        self.report(Stage::Downloaded, None, None);
        Ok(archive)
    }

    /// From the first rename to the end.
    fn install(&mut self) -> Result<Ending, Failure> {
        let Err(because) = self.put_in_place() else {
            let run = self.state.run().cloned();
            self.end(Outcome::Succeeded, None)?;
            let (from, to) = run.map(|run| (run.from, run.to)).ok_or_else(no_run)?;
            return Ok(Ending::Updated { from, to });
        };
        let database = self.state.run().is_some_and(|run| run.phase == Phase::Migrating);
        if let Err(failure) = self.enter(Phase::RollingBack { database, because: because.clone() }) {
            // A full disk, perhaps the same that made the update fail. Going back matters more than writing it down.
            eprintln!("{failure}");
        }
        Ok(self.restore(database, because))
    }

    /// Each step may be repeated, so that this can go on after a kill from wherever it was.
    fn put_in_place(&mut self) -> Result<(), Failure> {
        let run = self.state.run().cloned().ok_or_else(no_run)?;
        if run.phase == Phase::Swapping {
            self.report(Stage::Installing, None, None);
            self.folders.swap_in()?;
            // Once more: since the first backup people have gone on working. This is the one that is restored.
            self.back_up()?;
            self.enter(Phase::Migrating)?;
        }
        if let Some(database) = self.config.database.clone() {
            self.report(Stage::Migrating, None, None);
            migrate::run(&database, &self.folders.program)?;
        }
        program::is_version(&self.folders.program, &run.to)?;
        program::starts(&self.folders.program)
    }

    /// Brings the old program back, and the old database if it may have been changed.
    fn restore(&mut self, database: bool, because: Failure) -> Ending {
        let restored = self.folders.swap_back().and_then(|()| match &self.config.database {
            Some(path) if database => backup::restore(&self.backup(), path),
            _ => Ok(()),
        });
        let ended = restored.and_then(|()| self.end(Outcome::RolledBack, Some(because.clone())));
        match ended {
            Ok(help_url) => Ending::RolledBack { because, help_url },
            Err(failure) => {
                // The run stays under way, and the next start tries again.
                let told = self.report(Stage::Ended, Some(Outcome::Failed), Some(failure.clone()));
                Ending::Broken { because: failure, help_url: told.or_else(|| self.state.run()?.help_url.clone()) }
            }
        }
    }

    /// Closes the run. Its last report is kept safe first: a kill right after must not leave the vendor guessing.
    fn end(&mut self, outcome: Outcome, error: Option<Failure>) -> Result<Option<String>, Failure> {
        let known = self.state.run().and_then(|run| run.help_url.clone());
        let told = self.report(Stage::Ended, Some(outcome), error);
        self.state.set_run(None)?;
        self.folders.tidy()?;
        if outcome == Outcome::Succeeded {
            durable::remove(&self.downloads())?;
        }
        Ok(told.or(self.outbox.flush(&self.client)?).or(known))
    }

    /// Tells the vendor. Never makes an update fail: what cannot be sent now is sent later.
    fn report(&mut self, stage: Stage, outcome: Option<Outcome>, error: Option<Failure>) -> Option<String> {
        let run = self.state.run()?;
        let report = Report {
            run: run.id,
            installation: self.state.installation(),
            product: self.config.product.clone(),
            component: self.component,
            from_version: run.from.clone(),
            to_version: run.to.clone(),
            stage,
            outcome,
            error,
            scheduled_for: run.scheduled_for,
            notify_email: run.notify_email.clone(),
            locale: self.config.locale.clone(),
            at: super::now(),
        };
        self.outbox.post(&self.client, report).unwrap_or_else(|failure| {
            eprintln!("a report could not be kept: {failure}");
            None
        })
    }

    fn back_up(&self) -> Result<(), Failure> {
        match &self.config.database {
            Some(database) => {
                backup::save(database, &self.backup()).map_err(|failure| failure.seen_as(FailureClass::Backup))
            }
            None => Ok(()),
        }
    }

    fn enter(&mut self, phase: Phase) -> Result<(), Failure> {
        let run = self.state.run().cloned().ok_or_else(no_run)?;
        self.state.set_run(Some(Run { phase, ..run }))
    }

    /// The backup is kept until the next update replaces it.
    fn backup(&self) -> PathBuf {
        self.config.work_dir.join("backup.sqlite")
    }

    fn downloads(&self) -> PathBuf {
        self.config.work_dir.join("downloads")
    }
}

fn new_run(from: Version, to: Version, phase: Phase) -> Run {
    Run { id: Uuid::new_v4(), from, to, phase, scheduled_for: None, notify_email: None, help_url: None }
}

fn no_run() -> Failure {
    Failure::internal("no_run", "no update is under way")
}

fn artifact_of(offer: &Offer) -> Result<Artifact, Failure> {
    let nothing =
        || Failure::internal("no_artifact", format!("version {} has no file for this program", offer.version));
    offer.artifact.clone().ok_or_else(nothing)
}

fn show_progress(there: u64, all: u64) {
    if stderr().is_terminal() {
        eprint!("\r{} of {} KiB", there / 1024, all / 1024);
        if there == all {
            eprintln!();
        }
    }
}
