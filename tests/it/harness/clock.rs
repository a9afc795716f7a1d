//! A clock that a test can move, for a really started server: libfaketime stands between the server and the machine's
//! clock. Only the time of day is moved; what is measured (time-outs, the periods of jobs) goes by the machine's own.

use std::{fs, path::Path, process::Command, sync::Arc};

use jiff::Timestamp;
use tempfile::TempDir;

/// Where Debian and its relatives put the library, by machine.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// The clock, which several servers may share.
#[derive(Clone)]
pub struct Clock {
    folder: Arc<TempDir>,
}

impl Clock {
    pub fn new() -> Self {
        Self { folder: Arc::new(TempDir::new().expect("a folder")) }
    }

    /// Says from now on that it is this time, and goes on from there.
    pub fn set(&self, time: Timestamp) {
        // How far it is ahead of the machine's clock.
        let ahead = time.duration_since(Timestamp::now()).as_secs_f64();
        let new = self.folder.path().join("new");
        fs::write(&new, format!("{ahead:+.6}")).expect("a file");
        // Renamed, so that nobody reads half of it.
        fs::rename(new, self.folder.path().join("ahead")).expect("a file");
    }

    /// Makes a process go by this clock.
    pub fn give(&self, command: &mut Command) {
        let library = LIBRARIES.iter().find(|path| Path::new(path).exists());
        command
            .env("LD_PRELOAD", library.expect("libfaketime; on Debian: apt-get install faketime"))
            .env("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("ahead"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_RESET", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
    }
}
