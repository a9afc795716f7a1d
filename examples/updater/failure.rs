//! What can go wrong, in the terms in which it is reported to the vendor.

use std::{borrow::Cow, fmt, io, path::Path};

use serde::{Deserialize, Serialize};

/// The kind of a failure. The vendor's statistics, and whether a rollout is halted, hang on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The server could not be reached, or the download could not be made.
    Network,
    /// What came is not what the vendor published.
    Integrity,
    /// Disk full, missing rights, antivirus, a file in use.
    Environment,
    /// Users would not leave.
    UsersConnected,
    /// The database could not be saved.
    Backup,
    /// The new files could not be put in place.
    Installer,
    /// The database could not be changed.
    Migration,
    /// The new version does not start.
    ServiceStart,
    /// The database could not be brought back.
    DataLoss,
    /// A fault of the updater's own, or of its configuration.
    Internal,
}

/// One thing that went wrong. It is stored while a run is rolled back, so that a kill does not lose the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its kind.
    pub class: FailureClass,
    /// A stable name for support and for statistics, such as `sha256_mismatch`.
    pub code: Cow<'static, str>,
    /// What happened, for a person.
    pub message: String,
}

impl Failure {
    /// A failure with a code and a sentence.
    pub fn new(class: FailureClass, code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self { class, code: code.into(), message: message.to_string() }
    }

    /// What came is not what the vendor published.
    pub fn integrity(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Integrity, code, message)
    }

    /// The server could not be reached, or the download could not be made.
    pub fn network(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Network, code, message)
    }

    /// A fault of the updater's own, or of its configuration.
    pub fn internal(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Internal, code, message)
    }

    /// The same failure as another class: a full disk during the backup is, to the vendor, a failed backup.
    #[must_use]
    pub fn seen_as(self, class: FailureClass) -> Self {
        Self { class, ..self }
    }

    /// Turns an I/O error into a failure that names what was being done to which file.
    /// For use as `.map_err(Failure::io("write", path))`.
    pub fn io<'a>(action: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "access_denied",
                io::ErrorKind::NotFound => "file_missing",
                io::ErrorKind::ResourceBusy | io::ErrorKind::ExecutableFileBusy => "file_in_use",
                _ => "io_error",
            };
            Self::new(FailureClass::Environment, code, format!("cannot {action} {}: {error}", path.display()))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Failure {}
