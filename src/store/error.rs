//! Errors of the database, and their texts for the operator who starts the server.

use std::{fmt, path::PathBuf};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why the database refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value that must be unique already exists.
    #[error("a row like this is there already: {0}")]
    Conflict(String),
    /// Another transaction got in the way. The same transaction can succeed if it is tried again.
    #[error("{0}")]
    Contended(String),
    /// The database cannot be read or written at the moment.
    #[error("{0}")]
    Unavailable(String),
    /// A stored value is invalid.
    #[error("{0}")]
    Damaged(String),
    /// A query failed unexpectedly.
    #[error("{0}")]
    Other(String),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let text = error.to_string();
        match error {
            DieselError::DatabaseError(kind, _) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Conflict(text),
                DatabaseErrorKind::SerializationFailure => Self::Contended(text),
                // A connection that ended in between has a kind of its own, whatever the language of the text.
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::Unavailable(format!("the connection to the database was lost: {}", in_one_line(&text)))
                }
                DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable(text),
                _ => Self::from_message(&text),
            },
            DieselError::DeserializationError(_) => {
                Self::Damaged(format!("the database holds an invalid value: {text}"))
            }
            DieselError::BrokenTransactionManager => Self::Unavailable(text),
            // The reason is the error of the commit, not that of the rollback after it.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            _ => Self::from_message(&text),
        }
    }
}

/// Joins the lines of a text by "; ", because logs and messages are read by the line.
pub(super) fn in_one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

impl StoreError {
    /// Chooses the error by its text. `SQLite` tells these cases apart only by the text, and diesel does not pass on
    /// `PostgreSQL`'s code. Sessions ask for English texts, see `postgresql::connect`.
    pub(super) fn from_message(text: &str) -> Self {
        const AWAY: [&str; 14] = [
            "disk is full",
            "readonly database",
            "disk I/O",
            "database is locked",
            "unable to open",
            "timed out",
            "No space left on device",
            "Input/output error",
            "canceling statement due to",
            "terminating connection due to",
            "is starting up",
            "shutting down",
            "too many clients",
            "remaining connection slots",
        ];
        const BROKEN: [&str; 2] = ["malformed", "not a database"];
        let text = in_one_line(text);
        if text.contains("deadlock detected") {
            Self::Contended(text)
        } else if AWAY.iter().any(|sign| text.contains(sign)) {
            Self::Unavailable(text)
        } else if BROKEN.iter().any(|sign| text.contains(sign)) {
            Self::Damaged(text)
        } else {
            Self::Other(text)
        }
    }

    /// Adds the database's place and what to do, for the operator who starts the server.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        let remedy = match place {
            Place::File(_) => "check the disk and the rights of the file and its folder",
            Place::Server(_) => "check that it runs, has room on its disk, and can be reached from here",
        };
        match self {
            Self::Unavailable(text) => Self::Unavailable(format!("cannot use the database {place}: {text}; {remedy}")),
            Self::Damaged(text) => {
                Self::Damaged(format!("the database {place} is damaged ({text}); restore it from a backup"))
            }
            Self::Conflict(text) | Self::Contended(text) | Self::Other(text) => {
                Self::Other(format!("cannot use the database {place}: {text}"))
            }
        }
    }
}

/// Where a database is. It may be shown: it never contains a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// A server, as `postgres://HOST:PORT/NAME`.
    Server(String),
}

impl Place {
    /// The place that a server's URL names: scheme, hosts and database, without user, password and parameters.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the URL is invalid.
    pub fn of_server(url: &str) -> Result<Self, StoreError> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| {
            StoreError::Other("the URL of the database must begin with `sqlite:` or `postgres://`".to_owned())
        })?;
        let address = rest.split('?').next().unwrap_or_default();
        let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
        Ok(Self::Server(format!("postgres://{address}")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Server(address) => formatter.write_str(address),
        }
    }
}
