//! `sluice storage`: the place of the files of artifacts.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::json;

use super::{
    failure::Failure,
    machine::{operating_user, say, wait_for},
};
use crate::{
    app::App,
    config::Config,
    domain::artifact::{ContentStore, Sha256},
    services::{
        Context, Refusal,
        desk::acting::acting_as,
        running::move_contents::{self, Move, Moved},
    },
};

/// Move the files of artifacts from one store to another
#[derive(Debug, Args)]
pub struct StorageArgs {
    #[command(subcommand)]
    command: StorageCommand,
}

#[derive(Debug, Subcommand)]
enum StorageCommand {
    /// Copy the files of all artifacts to the store for uploads, and serve them from there.
    ///
    /// Each artifact remembers its store, so after a change of `storage.url` older files are still served from the old
    /// store (`storage.files`, `storage.s3`). This command moves them: each file is copied, read back and hashed, and
    /// only then served from its new place. You can stop it at any time and run it again; it continues where it
    /// stopped. The old store keeps its files unless you pass --delete-source.
    ///
    /// With an `SQLite` database the server must be stopped.
    ///
    /// Exit codes: 0 all files are there, 1 some are not, 2 the configuration is invalid.
    #[command(after_long_help = "Examples:
  sluice storage move --dry-run          how much there is to move
  sluice storage move                    copy, verify, serve from there
  sluice storage move --delete-source    the same, and then empty the old store of what was moved

From a folder to S3, for example:
  SLUICE__STORAGE__URL=s3://updates SLUICE__STORAGE__ENDPOINT=https://s3.example.com … sluice storage move")]
    Move(MoveArgs),
}

#[derive(Clone, Copy, Debug, Args)]
struct MoveArgs {
    /// The target store [default: the one that `storage.url` names]
    #[arg(long, value_name = "STORE", value_parser = parse_store)]
    to: Option<ContentStore>,
    /// Say what would be moved, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Then remove the moved files from the old store, each after it was verified once more in the new one
    #[arg(long, conflicts_with = "dry_run")]
    delete_source: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn parse_store(text: &str) -> Result<ContentStore, String> {
    text.parse().map_err(|_| "expected files or s3".to_owned())
}

/// What became of all files.
#[derive(Debug, Default)]
struct Outcome {
    copied: usize,
    found: usize,
    bytes: u64,
    deleted: usize,
    left: usize,
    failed: Vec<(Sha256, Refusal)>,
}

/// Runs `sluice storage`.
pub fn run(arguments: &StorageArgs, config: &Config) -> Result<(), Failure> {
    let StorageCommand::Move(arguments) = &arguments.command;
    // Nothing listens there; the address would only be used in links.
    let bound = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let app = App::build_beside(config, bound).map_err(|error| Failure::failed(&error))?;
    let context = &app.context;
    let to = arguments.to.unwrap_or_else(|| context.artifacts.main());
    if !context.artifacts.stores().contains(&to) {
        let message = format!("configuration: there is no store `{to}`; name it with storage.url or storage.{to}");
        return Err(Failure { exit_code: 2, message });
    }
    wait_for(acting_as(operating_user(), async {
        let failed = |refusal: Refusal| Failure::failed(&refusal.detail);
        let moves = move_contents::plan(context, to).await.map_err(failed)?;
        if arguments.dry_run {
            tell_plan(&moves, to, arguments.json);
            return Ok(());
        }
        let mut outcome = move_all(context, to, &moves).await;
        let left = move_contents::left_behind(context, to).await.map_err(failed)?;
        outcome.left = left.len();
        if arguments.delete_source {
            for (from, hash) in left {
                if move_contents::remove(context, to, from, hash).await.map_err(failed)? {
                    outcome.deleted += 1;
                    outcome.left -= 1;
                }
            }
        }
        tell(&outcome, to, *arguments);
        match outcome.failed.is_empty() {
            true => Ok(()),
            false => Err(Failure {
                exit_code: 1,
                message: format!(
                    "{} files were not moved; fix the problems above and run this again",
                    outcome.failed.len()
                ),
            }),
        }
    }))
}

async fn move_all(context: &Arc<Context>, to: ContentStore, moves: &[Move]) -> Outcome {
    let mut outcome = Outcome::default();
    // Each file is copied and read back. The bar is only shown on a terminal.
    let total: u64 = moves.iter().map(|one| one.size.saturating_mul(2)).sum();
    let bar = ProgressBar::new(total).with_style(style());
    for (number, what) in (1..).zip(moves) {
        bar.set_message(format!("{number} of {} to {to}", moves.len()));
        let begun = bar.position();
        match move_contents::one(context, to, *what, |bytes| bar.inc(bytes)).await {
            Ok(Moved::Copied) => {
                outcome.copied += 1;
                outcome.bytes = outcome.bytes.saturating_add(what.size);
            }
            Ok(Moved::Found) => outcome.found += 1,
            Err(refusal) => {
                bar.suspend(|| eprintln!("{} was not moved: {}", what.content, refusal.detail));
                outcome.failed.push((what.content, refusal));
            }
        }
        bar.set_position(begun.saturating_add(what.size.saturating_mul(2)));
    }
    bar.finish_and_clear();
    outcome
}

fn tell_plan(moves: &[Move], to: ContentStore, as_json: bool) {
    let bytes: u64 = moves.iter().map(|one| one.size).sum();
    match as_json {
        true => say(json!({"to": to, "files": moves.len(), "bytes": bytes, "dry_run": true})),
        false => say(format_args!("{} files ({}) would be moved to {to}", moves.len(), HumanBytes(bytes))),
    }
}

fn tell(outcome: &Outcome, to: ContentStore, arguments: MoveArgs) {
    let Outcome { copied, found, bytes, deleted, left, failed } = outcome;
    if arguments.json {
        let failed: Vec<_> =
            failed.iter().map(|(content, why)| json!({"sha256": content, "problem": why.detail})).collect();
        say(json!({"to": to, "copied": copied, "bytes": bytes, "already_there": found, "failed": failed,
            "deleted": deleted, "left_behind": left}));
        return;
    }
    say(format_args!("copied {copied} files ({}) to {to}; {found} were there already", HumanBytes(*bytes)));
    if arguments.delete_source {
        say(format_args!("removed {deleted} files from the old store"));
    } else if *left > 0 {
        say(format_args!("{left} files are still in the old store as well; --delete-source removes them"));
    }
}

fn style() -> ProgressStyle {
    // An invalid template would show the default bar; a test keeps it valid.
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

const TEMPLATE: &str = "{wide_msg} {bar:20} {percent:>3} % {bytes_per_sec:>12} {eta:>4}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_right_template() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
