//! Jobs: work that runs by the clock. Each job has a file with its name, its period and where it runs; [`Jobs::start`]
//! lists all jobs.

mod deliver;
mod follow_changes;
mod forget_changes;
mod forget_counts;
mod forget_deliveries;
mod forget_identities;
mod give_up_silent_runs;
mod judge_recent_votes;
mod judge_releases;
mod lead;
mod record_figures;
mod runner;
mod sweep_artifacts;
mod tell_endings;
mod tend_rollouts;
mod write_sightings;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::app::App;
use runner::{Job, Signals};

/// The jobs that run beside the HTTP server, each in a task of its own.
#[derive(Debug)]
pub struct Jobs {
    stop: watch::Sender<bool>,
    signals: Signals,
    running: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all jobs. Sightings are written to the database every `sightings_every`.
    #[must_use]
    pub fn start(app: &App, sightings_every: Duration) -> Self {
        let (stop, leads) = (watch::Sender::new(false), watch::Sender::new(false));
        let signals = Signals::new(leads.subscribe(), stop.subscribe());
        let mut jobs = Self { stop, signals: signals.clone(), running: Vec::new() };
        let (context, judging) = (|| Arc::clone(&app.context), || Arc::clone(&app.judging));

        jobs.add(lead::Lead::new(context(), leads));
        jobs.add(forget_counts::ForgetCounts(Arc::clone(&app.limits)));
        jobs.add(write_sightings::WriteSightings { context: context(), period: sightings_every });
        jobs.add(judge_releases::JudgeReleases::new(context(), judging()));
        jobs.add(judge_recent_votes::JudgeRecentVotes::new(context()));
        jobs.add(give_up_silent_runs::GiveUpSilentRuns { context: context(), judging: judging() });
        jobs.add(tend_rollouts::TendRollouts(context()));
        jobs.add(deliver::Deliver::new(context(), signals));
        jobs.add(tell_endings::TellEndings(context()));
        jobs.add(record_figures::RecordFigures(context()));
        jobs.add(sweep_artifacts::SweepArtifacts(context()));
        jobs.add(forget_changes::ForgetChanges(context()));
        jobs.add(forget_identities::ForgetIdentities(context()));
        jobs.add(forget_deliveries::ForgetDeliveries(context()));
        if app.context.store.is_shared() {
            jobs.add(follow_changes::FollowChanges::new(context(), Arc::clone(&app.following), app.vault.clone()));
        }
        jobs
    }

    fn add(&mut self, job: impl Job) {
        self.running.push(tokio::spawn(runner::run(job, self.signals.clone())));
    }

    /// Signals every job to stop, and waits until all have ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for job in self.running {
            if let Err(error) = job.await {
                tracing::error!(%error, "a job failed");
            }
        }
    }
}
