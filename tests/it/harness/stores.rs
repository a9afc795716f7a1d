//! What the servers of the tests keep their things in. `SLUICE_TEST_STORES` chooses for the whole suite:
//! `sqlite+files`, or `postgresql+s3`.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;

use super::{S3, database::Database};

/// What to keep things in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file beside the artifacts' folder.
    SqliteAndFiles,
    /// Servers.
    PostgresqlAndS3,
}

/// What `SLUICE_TEST_STORES` says.
pub fn stores() -> Kind {
    match std::env::var("SLUICE_TEST_STORES").as_deref() {
        Err(_) | Ok("sqlite+files") => Kind::SqliteAndFiles,
        Ok("postgresql+s3") => Kind::PostgresqlAndS3,
        Ok(other) => panic!("SLUICE_TEST_STORES: `{other}` is neither `sqlite+files` nor `postgresql+s3`"),
    }
}

/// The stores of one server, or of several that share them. They are gone with the last of these.
#[derive(Clone)]
pub struct Stores {
    database: Option<Arc<Database>>,
    s3: Option<Arc<S3>>,
}

/// What the signing keys in the databases of tests are encrypted with.
pub const ENCRYPTION_KEY: &str = "c2x1aWNlIHRlc3RzIHNsdWljZSB0ZXN0cyBzbHVpY2U=";

impl Stores {
    /// New ones, of the kind that the environment chooses.
    pub fn new() -> Self {
        match stores() {
            Kind::SqliteAndFiles => Self { database: None, s3: None },
            Kind::PostgresqlAndS3 => Self::shared(),
        }
    }

    /// A file and a folder, whatever the environment chooses.
    pub fn embedded() -> Self {
        Self { database: None, s3: None }
    }

    /// New ones that several servers can share, whatever the environment chooses.
    pub fn shared() -> Self {
        Self { database: Some(Arc::new(Database::migrated())), s3: Some(Arc::new(S3::start())) }
    }

    /// The same with artifacts in a folder. For a clock that is moved: S3 servers go by their own, and refuse requests
    /// of another day.
    pub fn without_s3(self) -> Self {
        Self { s3: None, ..self }
    }

    /// The same before the first start of any server: without any table.
    pub fn empty() -> Self {
        match stores() {
            Kind::SqliteAndFiles => Self { database: None, s3: None },
            Kind::PostgresqlAndS3 => Self::empty_and_shared(),
        }
    }

    /// The same, whatever the environment chooses.
    pub fn empty_and_shared() -> Self {
        Self { database: Some(Arc::new(Database::empty())), s3: Some(Arc::new(S3::start())) }
    }

    /// The database, where it is a server's.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_deref()
    }

    /// The bucket, where contents lie in one.
    pub fn s3(&self) -> Option<&S3> {
        self.s3.as_deref()
    }

    /// What a server is told of them, as `("database.url", "…")`.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let database = self.database.iter().flat_map(|database| {
            [("database.url", database.url().to_owned()), ("keys.encryption_key", ENCRYPTION_KEY.to_owned())]
        });
        database.chain(self.s3.iter().flat_map(|s3| s3.suite_settings())).collect()
    }

    /// The same as environment variables.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.settings().into_iter().map(|(key, value)| (variable(key), value)).collect()
    }
}

/// The environment variable of a key.
pub fn variable(key: &str) -> String {
    format!("SLUICE__{}", key.replace('.', "__").to_uppercase())
}

/// A folder in which servers are started one after the other, and their stores.
pub struct Folder {
    home: TempDir,
    stores: Stores,
}

impl Folder {
    /// A new one.
    pub fn new() -> Self {
        Self { home: TempDir::new().expect("a folder"), stores: Stores::new() }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// What servers in it are told of their stores.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.stores.environment()
    }
}
