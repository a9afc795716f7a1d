//! A really started server: its process, its data folder, its log.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    clock::Clock,
    program::sluice,
    stores::{ENCRYPTION_KEY, Stores, variable},
};

pub const EMAIL: &str = "admin@vendor.example";
pub const PASSWORD: &str = "correct-horse-battery-staple";

/// A start takes a fraction of a second; this is for a machine that does ten other things.
const START: Duration = Duration::from_secs(30);
/// What is under way when a test ends is over well before.
const STOP: Duration = Duration::from_secs(20);

/// Where the server listens, which changes when it is started again; [`NOWHERE`] while it does not run. Shared by those
/// who talk to it.
pub type Address = Arc<Mutex<SocketAddr>>;

/// Where nobody listens: the port that a server had the system may give to another test's.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// A server with a data folder of its own.
pub struct Server {
    home: TempDir,
    stores: Stores,
    settings: Vec<(String, String)>,
    running: Option<Running>,
    address: Address,
    announced: Mutex<Vec<String>>,
    clock: Option<Clock>,
}

struct Running {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
    log: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port. Settings are `("downloads.url_ttl", "2s")`, and go before the harness's own.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let mut server = Self::prepare(settings);
        server.run();
        server
    }

    /// A server that is still to be started, with [`Self::run`].
    pub fn prepare(settings: &[(&str, &str)]) -> Self {
        Self::on(Stores::new(), settings)
    }

    /// The same on these stores.
    pub fn on(stores: Stores, settings: &[(&str, &str)]) -> Self {
        let usual = [
            ("server.bind", "127.0.0.1:0"),
            ("server.workers", "2"),
            // Where the database is a file, it could do without.
            ("keys.encryption_key", ENCRYPTION_KEY),
            ("auth.bootstrap_email", EMAIL),
            ("auth.bootstrap_password", PASSWORD),
            // The cheapest hash there is: what it costs is no matter of these tests.
            ("auth.password_memory_kib", "8"),
            ("auth.password_passes", "1"),
            // The receivers of the tests are on this machine.
            ("webhooks.allow_private", "true"),
            // So are the issuers.
            ("auth.allow_private_issuers", "true"),
        ];
        let usual = usual.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let own = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let of_stores = stores.settings().into_iter().map(|(key, value)| (key.to_owned(), value));
        Self {
            home: TempDir::new().expect("a folder"),
            settings: usual.chain(of_stores).chain(own).collect(),
            stores,
            running: None,
            address: Arc::new(Mutex::new(NOWHERE)),
            announced: Mutex::new(Vec::new()),
            clock: None,
        }
    }

    /// The same, still to be started, with a clock that says `now` and is moved by [`Self::travel_to`].
    pub fn at(now: &str, settings: &[(&str, &str)]) -> Self {
        // Sessions that outlast every journey.
        let settings = [&[("auth.session_ttl", "87600h")], settings].concat();
        let mut server = Self::on(Stores::new().without_s3(), &settings);
        server.clock = Some(Clock::new());
        server.travel_to(now);
        server
    }

    /// Sets the clock of a server that was made with [`Self::at`]; it goes on from there.
    #[track_caller]
    pub fn travel_to(&self, now: &str) {
        self.clock.as_ref().expect("a clock that can be moved").set(now.parse().expect("a time"));
    }

    /// Another server on the same stores, with the same settings, still to be started.
    pub fn replica(&self) -> Self {
        let settings: Vec<_> = self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut replica = Self::on(self.stores.clone(), &settings);
        replica.clock.clone_from(&self.clock);
        replica
    }

    /// Sets a setting for the next start.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// The folder that the server is started in; its data are in `data` below.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// Where a content lies.
    pub fn content(&self, hash: &str) -> PathBuf {
        match self.stores.s3() {
            Some(s3) => s3.content(hash),
            None => self.data().join("artifacts/sha256").join(&hash[..2]).join(hash),
        }
    }

    /// These contents are there, and no others where the store gives up at once what nobody has any more. (A bucket,
    /// which several servers write, keeps it for the sweep.)
    #[track_caller]
    pub fn keeps(&self, hashes: &[String]) {
        let (there, wanted) = (self.contents(), hashes.iter().cloned().collect::<BTreeSet<_>>());
        match self.stores.s3() {
            Some(_) => assert!(there.is_superset(&wanted), "{there:?} without some of {wanted:?}"),
            None => assert_eq!(there, wanted),
        }
    }

    /// What another server is told to have the same artifacts.
    pub fn artifacts(&self) -> Vec<(&'static str, String)> {
        match self.stores.s3() {
            Some(s3) => s3.settings(),
            None => vec![("storage.url", format!("file:{}", self.data().join("artifacts").display()))],
        }
    }

    /// The names of the contents in the artifact store.
    pub fn contents(&self) -> BTreeSet<String> {
        if let Some(s3) = self.stores.s3() {
            return s3.contents();
        }
        files(&self.data().join("artifacts/sha256"))
    }

    /// The names of what is on its way into the artifact store.
    pub fn incoming(&self) -> BTreeSet<String> {
        if let Some(s3) = self.stores.s3() {
            return s3.incoming();
        }
        files(&self.data().join("artifacts/incoming"))
    }

    /// The database file, beside the server that may be running.
    pub fn file(&self) -> Connection {
        let connection = Connection::open(self.data().join("sluice.sqlite3")).expect("the database");
        connection.busy_timeout(Duration::from_secs(10)).expect("a time-out");
        connection
    }

    /// Runs a statement in the database, beside the server that may be running.
    pub fn execute(&self, statement: &str) {
        match self.stores.database() {
            Some(database) => database.execute(statement),
            None => drop(self.file().execute(statement, []).expect("a statement that can be run")),
        }
    }

    /// What a query selects as `value`, which is a text.
    pub fn select(&self, query: &str) -> Vec<String> {
        if let Some(database) = self.stores.database() {
            return database.select(query);
        }
        let file = self.file();
        let mut statement = file.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get("value")).expect("rows");
        rows.map(|row| row.expect("a text")).collect()
    }

    /// How the database is named in what the server says of it.
    pub fn database_name(&self) -> String {
        match self.stores.database() {
            Some(database) => database.name().to_owned(),
            None => "sluice.sqlite3".to_owned(),
        }
    }

    /// Whether this text is anywhere in the database, be it as bytes.
    pub fn database_holds(&self, text: &str) -> bool {
        let kept: Vec<u8> = match self.stores.database() {
            Some(database) => database.dump().into_bytes(),
            None => ["sluice.sqlite3", "sluice.sqlite3-wal"]
                .iter()
                .flat_map(|file| fs::read(self.data().join(file)).unwrap_or_default())
                .collect(),
        };
        let in_hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        [text, &in_hexadecimal].iter().any(|text| kept.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        Arc::clone(&self.address)
    }

    /// The base of its addresses, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address.lock().expect("a lock"))
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        self.running.as_ref().map(|running| lock(&running.said).join("\n")).unwrap_or_default()
    }

    /// The id of its process.
    pub fn pid(&self) -> Pid {
        let process = &self.running.as_ref().expect("a running server").process;
        Pid::from_raw(i32::try_from(process.id()).expect("a process id"))
    }

    /// What it has logged.
    pub fn log(&self) -> Vec<String> {
        self.running.as_ref().map(|running| lock(&running.log).clone()).unwrap_or_default()
    }

    /// The command with the settings in its environment: `serve`, or another one on the same data folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sluice();
        command.args(arguments).current_dir(self.home());
        self.give_settings(&mut command);
        command
    }

    fn give_settings(&self, command: &mut Command) {
        for (key, value) in &self.settings {
            command.env(variable(key), value);
        }
        if let Some(clock) = &self.clock {
            clock.give(command);
        }
    }

    /// Announces that the log will have errors with this text.
    pub fn announce_errors(&self, text: &str) {
        lock(&self.announced).push(text.to_owned());
    }

    /// Starts it, and waits until it listens.
    pub fn run(&mut self) {
        self.run_as(self.command(&["serve"]));
    }

    /// Starts it, filled with a made-up vendor.
    pub fn run_demo(&mut self) {
        self.run_as(self.command(&["serve", "--demo"]));
    }

    /// Starts it with limits of the shell's `ulimit`, such as `-f 2048`; writes past a limit fail instead of ending it.
    pub fn run_limited(&mut self, limit: &str) {
        self.run_by(&["sh", "-c"], &format!("trap '' XFSZ; ulimit {limit}"));
    }

    /// Starts it in name spaces of its own, in which it is root, after these commands of the shell.
    pub fn run_within(&mut self, commands: &str) {
        self.run_by(&["unshare", "-rm", "sh", "-c"], commands);
    }

    fn run_by(&mut self, shell: &[&str], commands: &str) {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]);
        command.args([&format!("{commands} && exec \"$0\" serve"), env!("CARGO_BIN_EXE_sluice")]);
        command.current_dir(self.home());
        self.give_settings(&mut command);
        self.run_as(command);
    }

    fn run_as(&mut self, mut command: Command) {
        assert!(self.running.is_none(), "it runs already");
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().expect("a server");
        let said = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::new(Mutex::new(Vec::new()));
        let readers = vec![
            gather(process.stdout.take().expect("its output"), Arc::clone(&said)),
            gather(process.stderr.take().expect("its log"), Arc::clone(&log)),
        ];
        let mut running = Running { process, said: Arc::clone(&said), log, readers };
        let deadline = Instant::now() + START;
        loop {
            // The line with the public address comes after the one with the address that is listened on.
            let lines = lock(&said).clone();
            let found = lines.iter().find_map(|line| line.split_once("listens on http://")?.1.trim().parse().ok());
            if let (Some(address), true) = (found, lines.len() > 3) {
                *lock(&self.address) = address;
                self.running = Some(running);
                return;
            }
            if let Some(status) = running.process.try_wait().expect("a process") {
                panic!("the server ended with {status} instead of starting: {:?}", lock(&running.log));
            }
            assert!(Instant::now() < deadline, "the server does not start: {:?}", lock(&running.log));
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as an operator would, and checks that it ended well. The folder stays.
    pub fn stop(&mut self) {
        kill(self.pid(), Signal::SIGTERM).expect("a signal");
        let (status, log) = self.wait_for_end();
        *lock(&self.address) = NOWHERE;
        let log = log.join("\n");
        assert!(status.success(), "the server ended with {status}:\n{log}");
        self.check_log(&log);
    }

    /// Ends it as a power cut would. The folder stays.
    pub fn kill(&mut self) {
        *lock(&self.address) = NOWHERE;
        kill(self.pid(), Signal::SIGKILL).expect("a signal");
        let (_, log) = self.wait_for_end();
        self.check_log(&log.join("\n"));
    }

    /// Stops it and starts it again on the same folder.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    fn wait_for_end(&mut self) -> (ExitStatus, Vec<String>) {
        let mut running = self.running.take().expect("a running server");
        let deadline = Instant::now() + STOP;
        let status = loop {
            if let Some(status) = running.process.try_wait().expect("a process") {
                break status;
            }
            if Instant::now() > deadline {
                running.process.kill().expect("a signal");
                running.process.wait().expect("an end");
                panic!("the server does not end: {:?}", lock(&running.log));
            }
            thread::sleep(Duration::from_millis(2));
        };
        for reader in running.readers {
            reader.join().expect("a reader");
        }
        let log = std::mem::take(&mut *lock(&running.log));
        (status, log)
    }

    fn check_log(&self, log: &str) {
        let announced = lock(&self.announced);
        let bad = |line: &&str| line.contains(" ERROR ") || line.contains("panicked at");
        let unannounced: Vec<_> =
            log.lines().filter(bad).filter(|line| !announced.iter().any(|text| line.contains(text))).collect();
        assert!(unannounced.is_empty(), "the server logged errors: {unannounced:#?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_none() {
            return;
        }
        if thread::panicking() {
            // The test has failed already; its log helps to see why.
            eprintln!("log of the server:\n{}", self.log().join("\n"));
            let mut running = self.running.take().expect("a running server");
            let _ = running.process.kill();
            let _ = running.process.wait();
        } else {
            self.stop();
        }
    }
}

/// The names of the files below a folder.
pub fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => drop(found.insert(entry.file_name().to_string_lossy().into_owned())),
        }
    }
    found
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock")
}

/// Gathers the lines of a stream in the background.
fn gather(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lock(&lines).push(line);
        }
    })
}
