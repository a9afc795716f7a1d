//! An application that a test can hold: an embedded store in a temporary folder, brought up to date, artifacts beside
//! it, no mail, and a clock that stands still.

use std::{fs, net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use tempfile::TempDir;

use super::App;
use crate::{clock::Clock, config::Config};

/// The first administrator's address.
pub(crate) const EMAIL: &str = "owner@vendor.example";

/// The first administrator's password.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// A clock that stands still at the first of March 2030, eight o'clock UTC.
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_898_582_400).expect("a time")
    }
}

impl App {
    /// The application with its first administrator, and the folder that is to be kept as long as it is used.
    pub(crate) fn fixture() -> (Self, TempDir) {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("sluice.toml");
        // Hashing as cheap as it goes: nobody guesses at these passwords.
        let settings = format!(
            "[data]\nfolder = {:?}\n[auth]\nbootstrap_email = {EMAIL:?}\nbootstrap_password = {PASSWORD:?}\n\
             password_memory_kib = 8\npassword_passes = 1\n",
            folder.path().join("data")
        );
        fs::write(&file, settings).expect("a file");
        let config = Config::load(Some(&file)).expect("a configuration");
        let mut app = Self::build(&config, SocketAddr::from(([127, 0, 0, 1], 8080))).expect("an application");
        let context = Arc::get_mut(&mut app.context).expect("nobody else has the context");
        context.clock = Arc::new(StoppedClock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(app.bootstrap(&config)).expect("a first administrator");
        (app, folder)
    }
}
