//! Stands in for the vendor's own protocol between client and server program.
//!
//! Your client already talks to your server, and would send these few messages there. So that the examples run by
//! themselves, they leave them as files in a folder that both can see:
//!
//! ```text
//! server.json      server → client, at the handshake: which version the server is
//! schedule.json    client → server: update yourself at this time, then tell this person
//! closing.json     server → client: no new sessions, and the open ones end at this time
//! sessions/*.json  one for each connected user
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::updater::{
    config::Config,
    durable,
    failure::{Failure, FailureClass},
    wire::ServerProgram,
};

/// The shared folder.
pub struct SharedFolder(PathBuf);

/// A person's wish to have the server updated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// To this version.
    pub version: Version,
    /// When users are disconnected.
    pub at: Timestamp,
    /// Who gets an e-mail when it is over.
    pub notify_email: Option<String>,
}

/// The server is about to close.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
}

/// One connected user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// In the middle of something that must not be cut off.
    pub busy: bool,
}

/// How users are made to leave.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DrainArguments {
    /// How long users are warned before they are disconnected.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true)]
    pub countdown_seconds: u64,
    /// How long to wait after that for those who are in the middle of something.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, global = true)]
    pub patience_seconds: u64,
}

impl SharedFolder {
    /// The folder that the configuration names.
    pub fn of(config: &Config) -> Result<Self, Failure> {
        let missing = || Failure::internal("config_invalid", "`shared_dir` is missing");
        let folder = config.shared_dir.clone().ok_or_else(missing)?;
        durable::create_folder(&folder.join("sessions"))?;
        Ok(Self(folder))
    }

    /// The server says which version it is.
    pub fn announce(&self, server: &ServerProgram) -> Result<(), Failure> {
        durable::write_json(&self.0.join("server.json"), server)
    }

    /// Which version the server is; `None` before its first start.
    pub fn server(&self) -> Result<Option<ServerProgram>, Failure> {
        durable::read_json(&self.0.join("server.json"))
    }

    /// The client asks for an update of the server.
    pub fn leave_schedule(&self, schedule: &Schedule) -> Result<(), Failure> {
        durable::write_json(&self.0.join("schedule.json"), schedule)
    }

    /// What a client asked for. It stays until [`SharedFolder::schedule_taken`], so that a kill does not lose it.
    pub fn schedule(&self) -> Result<Option<Schedule>, Failure> {
        durable::read_json(&self.0.join("schedule.json"))
    }

    /// The server has noted the schedule in its own state.
    pub fn schedule_taken(&self) -> Result<(), Failure> {
        durable::remove(&self.0.join("schedule.json"))
    }

    /// When the server closes, if it is about to.
    pub fn closing(&self) -> Result<Option<Closing>, Failure> {
        durable::read_json(&self.0.join("closing.json"))
    }

    /// The server lets users in again.
    pub fn open_doors(&self) -> Result<(), Failure> {
        durable::remove(&self.0.join("closing.json"))
    }

    /// A user connects.
    pub fn connect(&self, user: &str, session: &Session) -> Result<PathBuf, Failure> {
        let path = self.0.join("sessions").join(format!("{user}.json"));
        durable::write_json(&path, session)?;
        Ok(path)
    }

    /// Lets nobody in any more, warns those who are, and after the countdown cuts every session except busy ones, for
    /// which it waits a while.
    pub fn disconnect_all(&self, how: DrainArguments) -> Result<(), Failure> {
        let countdown = Duration::from_secs(how.countdown_seconds);
        let at = crate::updater::now().checked_add(countdown).unwrap_or(Timestamp::MAX);
        durable::write_json(&self.0.join("closing.json"), &Closing { at })?;
        if self.sessions()?.is_empty() {
            return Ok(());
        }
        println!("Users are disconnected in {} s.", how.countdown_seconds);
        thread::sleep(countdown);

        let patience = Instant::now();
        loop {
            let (busy, idle): (Vec<_>, Vec<_>) = self.sessions()?.into_iter().partition(|path| is_busy(path));
            idle.iter().try_for_each(|session| durable::remove(session))?;
            if busy.is_empty() {
                return Ok(());
            }
            if patience.elapsed() >= Duration::from_secs(how.patience_seconds) {
                let sentence = format!("{} users are in the middle of something and were not cut off", busy.len());
                return Err(Failure::new(FailureClass::UsersConnected, "users_busy", sentence));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn sessions(&self) -> Result<Vec<PathBuf>, Failure> {
        let folder = self.0.join("sessions");
        let entries = fs::read_dir(&folder).map_err(Failure::io("list", &folder))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect())
    }
}

/// A session that cannot be read has just ended.
fn is_busy(path: &Path) -> bool {
    durable::read_json::<Session>(path).ok().flatten().is_some_and(|session| session.busy)
}
