//! A customer's machine: a program's folder, its database, and the updater that is started there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

pub struct Site {
    home: TempDir,
}

/// How a start of an updater went.
#[derive(Debug)]
pub struct Played {
    pub code: Option<i32>,
    pub said: String,
}

/// What to write into `updater.toml` beside the usual.
#[derive(Default)]
pub struct Settings<'a> {
    pub product: &'a str,
    pub license_key: &'a str,
    pub without_database: bool,
    /// Further lines.
    pub more: String,
}

impl Site {
    /// A site where this version is installed, with three invoices in its database.
    pub fn with(version: &str, server_url: &str, settings: &Settings<'_>) -> Self {
        let site = Self { home: TempDir::new().unwrap() };
        for (name, content) in program(version, &[]) {
            let path = site.program().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut config = format!(
            "server_url = {server_url:?}\nproduct = {:?}\nlicense_key = {:?}\ninstall_dir = \"program\"\n\
             platform = \"linux\"\narch = \"x86_64\"\nlocale = \"en\"\n",
            settings.product, settings.license_key,
        );
        if !settings.without_database {
            config.push_str("database = \"office.sqlite\"\n");
            site.database()
                .execute_batch(
                    "PRAGMA journal_mode = WAL; CREATE TABLE invoice (id INTEGER PRIMARY KEY, total INTEGER NOT NULL);
                     INSERT INTO invoice (total) VALUES (100), (250), (375); PRAGMA user_version = 1;",
                )
                .unwrap();
        }
        config.push_str(&settings.more);
        fs::write(site.path("updater.toml"), config).unwrap();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn program(&self) -> PathBuf {
        self.path("program")
    }

    pub fn version(&self) -> String {
        fs::read_to_string(self.program().join("VERSION")).unwrap_or_default().trim().to_owned()
    }

    pub fn database(&self) -> Connection {
        Connection::open(self.path("office.sqlite")).unwrap()
    }

    pub fn schema_version(&self) -> i64 {
        self.database().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    /// The sum of all invoices: 725, whatever happens.
    pub fn total(&self) -> i64 {
        self.database().query_row("SELECT SUM(total) FROM invoice", [], |row| row.get(0)).unwrap()
    }

    pub fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("program.updater/state.json")).unwrap()).unwrap()
    }

    /// What an update must not leave beside the program.
    pub fn leftovers(&self) -> Vec<String> {
        ["staging", "previous", "discarded", "swap"]
            .iter()
            .map(|suffix| format!("program.{suffix}"))
            .filter(|name| self.path(name).exists())
            .collect()
    }

    pub fn command(&self, example: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary(example));
        command
            .args(arguments)
            .args(["--retries", "3", "--retry-base-ms", "10", "--config"])
            .arg(self.path("updater.toml"))
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn start(&self, example: &str, arguments: &[&str]) -> Child {
        self.command(example, arguments).spawn().unwrap()
    }

    pub fn play(&self, example: &str, arguments: &[&str]) -> Played {
        Played::of(&self.command(example, arguments).output().unwrap())
    }
}

impl Played {
    pub fn of(output: &Output) -> Self {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        Self { code: output.status.code(), said: String::from_utf8(said).unwrap() }
    }
}

/// The files of a program. Version 13 brings a migration.
pub fn program(version: &str, more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("VERSION".into(), format!("{version}\n").into_bytes()),
        ("bin/office".into(), noise(300_000, version)),
        (
            "migrations/0001_start.sql".into(),
            b"CREATE TABLE invoice (id INTEGER PRIMARY KEY, total INTEGER NOT NULL);".to_vec(),
        ),
    ];
    if !version.starts_with("12.") {
        let sql = "ALTER TABLE invoice ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR';";
        files.push(("migrations/0002_currency.sql".into(), sql.into()));
    }
    files.extend(more.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())));
    files
}

/// Those files as the vendor would publish them.
pub fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if name.starts_with("bin/") { 0o755 } else { 0o644 });
        archive.append_data(&mut header, name, &content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(length: usize, seed: &str) -> Vec<u8> {
    let mut state = seed.bytes().fold(0x9E37_79B9_7F4A_7C15_u64, |state, byte| state.rotate_left(7) ^ u64::from(byte));
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

/// Where Cargo puts the examples: beside the folder of the test binary.
pub fn binary(example: &str) -> PathBuf {
    let exe = env::current_exe().unwrap();
    let path = exe.parent().and_then(Path::parent).unwrap().join("examples").join(example);
    assert!(path.exists(), "{} is not built: run `cargo build --examples` first", path.display());
    path
}
