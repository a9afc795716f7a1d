//! A `PostgreSQL` server of the tests' own, which ends with them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User},
};
use tempfile::TempDir;

use super::{eventually, port::Port};

/// A cluster: its folder, and its server while it runs.
pub struct Cluster {
    folder: TempDir,
    port: Port,
    options: Vec<String>,
    server: Option<Child>,
}

/// The folder of the programs `initdb` and `postgres`, of the newest version there is.
pub fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|programs| programs.join("initdb").exists());
    versions.sort();
    versions.pop().expect("PostgreSQL in /usr/lib/postgresql; on Debian: apt-get install postgresql")
}

/// A command that runs as a user that is not root, which `PostgreSQL` refuses to be, and ends when its parent does.
fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if nix::unistd::geteuid().is_root() {
        let user = user();
        command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid), "--clear-groups".to_owned()]);
    }
    command.arg(program).current_dir("/").stdin(Stdio::null());
    command
}

fn user() -> User {
    let named = |name| User::from_name(name).expect("the list of users");
    named("postgres").or_else(|| named("nobody")).expect("a user that is not root")
}

impl Cluster {
    /// Makes a cluster and starts its server, with options such as `ssl=on`. It listens on 127.0.0.1 and on a socket in
    /// its folder, and takes everybody at their word.
    pub fn start(options: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("rights");
        if nix::unistd::geteuid().is_root() {
            let user = user();
            chown(folder.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("an owner");
        }
        let made = command(&programs().join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .output()
            .expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut cluster = Self { folder, port: Port::reserve(), options, server: None };
        cluster.run();
        cluster
    }

    /// The folder that its server may read.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.address().port()
    }

    /// The URL of its first database, by its socket.
    pub fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}&port={}", self.folder().display(), self.port())
    }

    /// Starts the server, and waits until it answers.
    pub fn run(&mut self) {
        let mut command = command(&programs().join("postgres"));
        command.arg("-D").arg(self.folder().join("data")).arg("-k").arg(self.folder());
        command.args(["-p", &self.port().to_string()]);
        let usual = ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=300", "shared_buffers=64MB"];
        for option in usual.into_iter().chain(self.options.iter().map(String::as_str)) {
            command.args(["-c", option]);
        }
        let log = fs::File::options().create(true).append(true).open(self.folder().join("log")).expect("a log");
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        // The signal is sent when the thread ends that started it, so one is kept that does not.
        let (sender, started) = channel();
        thread::spawn(move || {
            let _ = sender.send(command.spawn().expect("postgres"));
            loop {
                thread::park();
            }
        });
        self.server = Some(started.recv().expect("a server"));
        let url = self.url();
        eventually(30, "PostgreSQL to answer", || super::database::connect(&url).ok().map(drop));
    }

    /// Sends the server a signal: `SIGINT` ends it, `SIGQUIT` ends it without a word to anybody, `SIGSTOP` halts it.
    pub fn signal(&self, signal: Signal) {
        let server = self.server.as_ref().expect("a running server");
        kill(Pid::from_raw(i32::try_from(server.id()).expect("a process id")), signal).expect("a signal");
    }

    /// Sets an option for the next start.
    pub fn set(&mut self, option: &str) {
        self.options.push(option.to_owned());
    }

    /// Waits for the end of a server that was sent a signal.
    pub fn wait(&mut self) {
        self.server.take().expect("a running server").wait().expect("an end");
    }

    /// Ends the server, and throws out everybody who uses it.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGINT);
        self.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = kill(Pid::from_raw(i32::try_from(server.id()).expect("a process id")), Signal::SIGQUIT);
            let _ = server.wait();
        }
    }
}
