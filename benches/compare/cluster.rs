//! A throw-away `PostgreSQL` server, reached by a socket in its folder and by nothing else. It ends with this.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User},
};
use tempfile::TempDir;

use crate::Outcome;

/// What the server has of the machine, much as an operator of a small one would set it. Everything else is as it comes.
const SETTINGS: [&str; 4] = ["listen_addresses=", "shared_buffers=256MB", "max_wal_size=4GB", "max_connections=100"];

/// The server and its folder.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    server: Child,
}

/// The folder of `initdb`, of the newest version there is.
fn programs() -> Outcome<PathBuf> {
    let mut versions: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql")?.flatten().map(|entry| entry.path().join("bin")).collect();
    versions.retain(|programs| programs.join("initdb").exists());
    versions.sort();
    Ok(versions.pop().ok_or("PostgreSQL is not in /usr/lib/postgresql; on Debian: apt-get install postgresql")?)
}

/// A program of the server's, as a user that is not root, which `PostgreSQL` refuses to be; it ends when its parent
/// does.
fn command(program: &Path) -> Outcome<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = user()? {
        command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid), "--clear-groups".to_owned()]);
    }
    command.arg(program).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

fn user() -> Outcome<Option<User>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    Ok(Some(User::from_name("postgres")?.ok_or("there is no user `postgres`")?))
}

impl Cluster {
    /// Makes a cluster, and waits until its server answers.
    pub fn start() -> Outcome<Self> {
        let folder = TempDir::new()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        if let Some(user) = user()? {
            chown(folder.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        let programs = programs()?;
        let made = command(&programs.join("initdb"))?
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .status()?;
        if !made.success() {
            return Err("initdb failed".into());
        }
        let mut server = command(&programs.join("postgres"))?;
        server.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let cluster = Self { server: server.spawn()?, folder };
        for _ in 0..600 {
            if cluster.run("pg_isready", &["-q"]).is_ok() {
                return Ok(cluster);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("PostgreSQL does not answer".into())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Outcome<()> {
        let mut command = Command::new(programs()?.join(program));
        command.arg("-h").arg(self.folder.path()).args(["-U", "postgres"]).args(arguments);
        match command.stdin(Stdio::null()).stderr(Stdio::null()).status()?.success() {
            true => Ok(()),
            false => Err(format!("{program} failed").into()),
        }
    }

    /// Makes a database; returns its URL.
    pub fn database(&self, name: &str) -> Outcome<String> {
        self.run("createdb", &[name])?;
        Ok(format!("postgres://postgres@/{name}?host={}", self.folder.path().display()))
    }

    /// How many rows a second are committed one by one, by `PostgreSQL`'s own program, on as many connections as a
    /// Sluice has.
    pub fn single_row_commits(&self, database: &str, seconds: u32) -> Outcome<f64> {
        let script = self.folder.path().join("insert.sql");
        fs::write(&script, "INSERT INTO t (b) VALUES ('a row of the length of a short report, or a little more');")?;
        self.run(
            "psql",
            &["-q", "-d", database, "-c", "CREATE TABLE IF NOT EXISTS t (a BIGSERIAL PRIMARY KEY, b TEXT)"],
        )?;
        let output = Command::new(programs()?.join("pgbench"))
            .arg("-h")
            .arg(self.folder.path())
            .args(["-U", "postgres", "-n", "-M", "prepared", "-c", "10", "-j", "1", "-T", &seconds.to_string(), "-f"])
            .arg(script)
            .arg(database)
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        Ok(rate.ok_or("pgbench gave no rate")?.parse()?)
    }

    /// What the server does by itself after a while, so that it does not do it in the middle of a measurement.
    pub fn settle(&self, name: &str) -> Outcome<()> {
        self.run("psql", &["-q", "-d", name, "-c", "VACUUM ANALYZE", "-c", "CHECKPOINT"])
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(process) = i32::try_from(self.server.id()) {
            // `SIGQUIT`: at once, and with all its processes.
            let _ = kill(Pid::from_raw(process), Signal::SIGQUIT);
        }
        let _ = self.server.wait();
    }
}
