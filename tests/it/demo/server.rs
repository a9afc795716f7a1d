//! A really started `sluice serve`, in a folder of its own, on a free port.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use crate::harness::stores::Folder;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It ends with this.
pub struct Server {
    /// `http://127.0.0.1:…`.
    pub address: String,
    /// What it has said so far, line by line.
    pub said: Vec<String>,
    process: Child,
    lines: Receiver<String>,
}

impl Server {
    /// Starts one with these arguments in this folder, and waits until it listens.
    pub fn start(arguments: &[&str], folder: &Folder) -> Self {
        Self::start_with(&[], arguments, folder)
    }

    /// The same with more of the configuration.
    pub fn start_with(environment: &[(&str, &str)], arguments: &[&str], folder: &Folder) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .arg("serve")
            .args(arguments)
            .current_dir(folder.path())
            .env("SLUICE__SERVER__BIND", "127.0.0.1:0")
            .env("SLUICE__LOG__FILTER", "warn")
            .envs(folder.environment())
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        // Reads on to the end, so that the server never waits for a full pipe.
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut server = Self { address: String::new(), said: Vec::new(), process, lines };
        let first = server.wait_for("listens on http://");
        first.rsplit(' ').next().expect("an address").clone_into(&mut server.address);
        server
    }

    /// The first line that has this in it, said already or to come.
    pub fn wait_for(&mut self, part: &str) -> String {
        loop {
            if let Some(line) = self.said.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no `{part}` in {:#?}", self.said),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without `{part}`: {:#?}", self.said),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
