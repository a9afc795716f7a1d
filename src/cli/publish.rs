//! `sluice publish`: brings a server to the state that `release.toml` describes. It reads the server's state, does what
//! is missing, and reads again where another change came first. So it can be interrupted and run again at any time.

mod hash;
mod plan;
mod progress;
mod rehearse;
mod report;

use std::{io::Write as _, path::PathBuf, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{StatusCode, header::HeaderValue};
use url::Url;

use self::{
    plan::Ready,
    progress::Progress,
    report::{Awaited, Outcome, Report},
};
use super::{
    client::{Client, Secret, Upload, error::ApiError, read_server, retry::Retries, wire},
    failure::Failure,
    release_file::ReleaseFile,
};
use crate::domain::release::ReleaseState;

/// Publish a release: create its draft, upload its files, open it to customers
#[derive(Clone, Debug, clap::Args)]
#[command(
    long_about = "\
Publish a release: create its draft, upload its files, open it to customers.

Reads what to publish from release.toml, compares it with what the server has, and does what is missing: it \
creates the draft, uploads several files at once, publishes, and checks that the signed manifest lists exactly \
these files. Failed uploads are tried again. Interrupt it and run it again, and it goes on where it stopped; run \
it again when it is done, and it changes nothing. Where the product has the two-person rule, it ends when a second \
person has been asked to approve the publication, and says where; run again, it asks for nothing new.",
    after_long_help = "\
EXAMPLES
  In CI, with the token in a secret variable:
    SLUICE_SERVER=https://updates.example.com SLUICE_TOKEN=$SECRET sluice publish release.toml

  Upload now, let a person publish later:
    sluice publish release.toml --draft-only

  What would come of it, without changing anything:
    sluice publish release.toml --dry-run

  For a script:
    sluice publish release.toml --quiet --json | jq -r .outcome

A SMALL release.toml
    product = \"office-maker\"
    version = \"13.0.0\"
    notes.en = \"Invoices can be sent as e-mail.\"

    [[artifacts]]
    path = \"dist/OfficeMaker-13.0.0-setup.exe\"
    component = \"standalone\"       # or server, client
    platform = \"windows\"           # or macos, linux
    arch = \"x86_64\"                # or aarch64, universal

  Every key is described in docs/release-toml.md.

EXIT CODES
    0  published, or nothing was left to do, or all is done and a second person is to approve it
    1  failed
    2  wrong usage, or a mistake in release.toml
    3  the server refused, or what is published differs from release.toml
    4  the server could not be reached
  130  interrupted"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct PublishArgs {
    /// The file that describes the release
    #[arg(value_name = "release.toml")]
    file: PathBuf,

    /// The server's address
    #[arg(long, env = "SLUICE_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = read_server)]
    server: Url,

    /// An API token with the scopes releases:write and releases:publish
    ///
    /// Better set in the environment: other users of a machine can see the arguments of its programs.
    #[arg(long, env = "SLUICE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<Secret>,

    /// Create the draft and upload its files, but do not publish it
    #[arg(long)]
    draft_only: bool,

    /// Change nothing; show what the server finds wrong with the draft, and how many sites would be offered it
    ///
    /// The draft must exist: `--draft-only` creates it. Ends with 3 if it would not be published.
    #[arg(long, conflicts_with = "draft_only")]
    dry_run: bool,

    /// How many files to upload at once
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    concurrency: u8,

    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,

    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

/// Runs `sluice publish`.
pub async fn run(args: PublishArgs) -> Result<(), Failure> {
    let progress = Arc::new(Progress::new(args.quiet));
    let result = tokio::select! {
        result = publish(&args, &progress) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure {
            exit_code: 130,
            message: "interrupted; uploads are kept, and the same command continues from there".to_owned(),
        }),
    };
    progress.finish();
    let Ended { text, result } = result?;
    if args.json || !args.quiet {
        // The reader may have gone, which is no reason to fail.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
    result
}

/// The output, and the result of the command.
struct Ended {
    text: String,
    result: Result<(), Failure>,
}

impl Ended {
    /// Writes the output for people, or as JSON.
    fn of(
        said: &(impl serde::Serialize + std::fmt::Display),
        json: bool,
        result: Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let text = if json {
            serde_json::to_string_pretty(said).map_err(|error| Failure { exit_code: 1, message: error.to_string() })?
        } else {
            said.to_string()
        };
        Ok(Self { text, result })
    }
}

async fn publish(args: &PublishArgs, progress: &Arc<Progress>) -> Result<Ended, Failure> {
    let wrong_usage = |message: String| Failure { exit_code: 2, message };
    let file = ReleaseFile::read(&args.file).map_err(|error| wrong_usage(error.to_string()))?;
    let Some(token) = args.token.as_ref().filter(|token| !token.is_empty()) else {
        return Err(wrong_usage("the API token is missing; set SLUICE_TOKEN, or give --token".to_owned()));
    };
    let authorization = token.authorization("Bearer").map_err(|message| wrong_usage(format!("--token: {message}")))?;
    let shown = Arc::clone(progress);
    let on_retry = Arc::new(move |error: &ApiError, pause| shown.trying_again(error, pause));
    let client = Client::new(args.server.clone(), Some(authorization), Retries::PATIENT, on_retry)?;
    let concurrency = usize::from(args.concurrency);
    let ready = hash::all(&file.artifacts, concurrency, progress).await?;
    let publication =
        Publication { client, file: &file, ready: &ready, draft_only: args.draft_only, concurrency, progress };
    if args.dry_run {
        let rehearsed = publication.rehearse().await?;
        return Ended::of(&rehearsed, args.json, rehearsed.result());
    }
    let report = publication.carry_out().await?;
    Ended::of(&report, args.json, report.result())
}

/// The most rounds. More than one is needed only when someone else changes the same release at the same time, or an
/// answer was lost.
const ROUNDS: usize = 4;

struct Publication<'a> {
    client: Client,
    file: &'a ReleaseFile,
    ready: &'a [Ready],
    draft_only: bool,
    concurrency: usize,
    progress: &'a Arc<Progress>,
}

/// The end of a round.
enum Round {
    /// Nothing is left to do.
    Done(wire::Release),
    /// The release changed meanwhile, as this answer shows.
    Again(ApiError),
}

impl Publication<'_> {
    async fn carry_out(&self) -> Result<Report, Failure> {
        let mut report = Report::new(self.file);
        let mut rounds = 0;
        loop {
            rounds += 1;
            match self.round(&mut report).await? {
                Round::Done(release) => {
                    report.conclude(&release);
                    return Ok(report);
                }
                Round::Again(error) if rounds >= ROUNDS => return Err(error.into()),
                Round::Again(_) => {}
            }
        }
    }

    async fn round(&self, report: &mut Report) -> Result<Round, Failure> {
        let ReleaseFile { product, version, .. } = self.file;
        let (release, tag) = match self.client.release(product, version).await? {
            Some(found) => found,
            None => match self
                .client
                .create_release(product, &wire::NewRelease { version, details: &self.file.details })
                .await
            {
                Ok(release) => {
                    report.created = true;
                    self.progress.say(&format!("created the draft {product} {version}"));
                    (release, None)
                }
                Err(error) if error.is_refused_with(&[StatusCode::CONFLICT]) => return Ok(Round::Again(error)),
                Err(error) => return Err(error.into()),
            },
        };
        match release.state {
            ReleaseState::Draft => self.complete(release, tag, report).await,
            ReleaseState::Published | ReleaseState::Yanked => self.compare(release, report).await,
        }
    }

    /// Completes a draft, and publishes it.
    async fn complete(
        &self,
        release: wire::Release,
        tag: Option<HeaderValue>,
        report: &mut Report,
    ) -> Result<Round, Failure> {
        let ReleaseFile { product, version, .. } = self.file;
        let changes = plan::changes(self.file, &release);
        if changes != wire::Details::default() {
            match self.client.change_release(product, version, tag.as_ref(), &changes).await {
                Ok(_) => report.changed.extend(plan::names(&changes)),
                Err(error) if error.is_refused_with(&[StatusCode::PRECONDITION_FAILED, StatusCode::CONFLICT]) => {
                    return Ok(Round::Again(error));
                }
                Err(error) => return Err(error.into()),
            }
            self.progress.say(&format!("changed on the draft: {}", plan::names(&changes).join(", ")));
        }
        self.upload_missing(&release, report).await?;
        // Exactly this draft is published: its tag makes a later change fail.
        let Some((release, tag)) = self.client.release(product, version).await? else {
            return Err(Failure { exit_code: 3, message: format!("the draft {version} was deleted in the meantime") });
        };
        if release.state == ReleaseState::Draft
            && !self.ready.iter().all(|ready| plan::is_there(ready, &release.artifacts))
        {
            return Err(Failure {
                exit_code: 3,
                message: format!("not published: someone else is changing the files of the draft {version}"),
            });
        }
        let strays = plan::strays(self.ready, &release.artifacts);
        if self.draft_only {
            report.strays = strays;
            return Ok(Round::Done(release));
        }
        if !strays.is_empty() {
            return Err(Failure {
                exit_code: 3,
                message: format!(
                    "not published: the draft has files that release.toml does not list ({}); list them, or delete the draft and publish again",
                    strays.join(", ")
                ),
            });
        }
        match self.client.publish_release(product, version, tag.as_ref(), &self.as_asked()).await {
            Ok(wire::Published::Done(release)) => {
                report.outcome = Outcome::Published;
                self.compare(*release, report).await
            }
            Ok(wire::Published::Asked(approval)) => {
                let address = self.client.address(["api", "v1", "approvals", &approval.id]).to_string();
                report.approval = Some(Awaited { address, id: approval.id, expires_at: approval.expires_at });
                Ok(Round::Done(release))
            }
            Err(error) if error.is_refused_with(&[StatusCode::PRECONDITION_FAILED]) => Ok(Round::Again(error)),
            // The answer to an earlier attempt may have been lost, or someone else was faster. If it is still a draft,
            // the refusal stands.
            Err(error) if error.is_refused_with(&[StatusCode::CONFLICT]) => {
                match self.client.release(product, version).await? {
                    Some((release, _)) if release.state != ReleaseState::Draft => Ok(Round::Again(error)),
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The publication that the file asks for.
    fn as_asked(&self) -> wire::Publication<'_> {
        let publish = &self.file.publish;
        wire::Publication {
            published_at: publish.published_at,
            rollout: (publish.percent.is_some() || publish.stages.is_some() || publish.halt.is_some()).then_some(
                wire::RolloutStart { percent: publish.percent, stages: publish.stages.as_deref(), halt: publish.halt },
            ),
            force: publish.force_reason.as_deref().map(|reason| wire::Force { reason }),
        }
    }

    async fn upload_missing(&self, release: &wire::Release, report: &mut Report) -> Result<(), Failure> {
        let ReleaseFile { product, version, .. } = self.file;
        let (there, missing): (Vec<_>, Vec<_>) =
            self.ready.iter().partition(|ready| plan::is_there(ready, &release.artifacts));
        for ready in there {
            report.already_there(ready);
            self.progress.say(&format!("{} exists already", ready.artifact.filename));
        }
        self.progress.expect("uploading", missing.iter().map(|ready| ready.artifact.size).sum());
        // Collected, because the compiler cannot see through a borrowing closure inside an awaited stream.
        let uploads: Vec<_> = missing
            .into_iter()
            .map(|ready| async move {
                let file = self.progress.file("uploading", &ready.artifact);
                let (begun, sent) = (file.clone(), file.clone());
                let upload = Upload { product, version, path: &ready.path, artifact: &ready.artifact };
                self.client.upload(upload, move || begun.begin(), move |bytes| sent.advance(bytes)).await?;
                file.finish("uploaded");
                Ok::<_, ApiError>(ready)
            })
            .collect();
        let mut uploads = stream::iter(uploads).buffer_unordered(self.concurrency);
        while let Some(ready) = uploads.try_next().await? {
            report.uploaded(ready);
        }
        Ok(())
    }

    /// Compares the published release and its signed manifest with the files.
    async fn compare(&self, release: wire::Release, report: &mut Report) -> Result<Round, Failure> {
        let ReleaseFile { product, version, .. } = self.file;
        if release.state == ReleaseState::Yanked {
            let reason = release.yank_reason.as_deref().unwrap_or("no reason given");
            let message =
                format!("{product} {version} was withdrawn ({reason}); restore it, or publish a higher version");
            return Err(Failure { exit_code: 3, message });
        }
        report.differences = plan::differences(self.file, self.ready, &release);
        let manifest = self.client.manifest(product, version).await?;
        report.manifest_revision = Some(manifest.revision);
        if report.differences.is_empty() {
            let wrong = plan::wrong_in_manifest(self.file, self.ready, &manifest);
            if !wrong.is_empty() {
                let message = format!(
                    "{product} {version} is published, but its signed manifest is not what was asked for: {}",
                    wrong.join("; ")
                );
                return Err(Failure { exit_code: 1, message });
            }
        }
        Ok(Round::Done(release))
    }
}
