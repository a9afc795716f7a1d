//! Why a command failed: a line for a person, an exit code for a script.

use crate::config::ConfigError;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 1: failed; 2: wrong usage or configuration; 3: the server refused; 4: the server could not be reached; 10 and
    /// more: answers of `check`.
    pub exit_code: u8,
    /// One line for the person who ran the command; empty if the output has said it already.
    pub message: String,
}

impl Failure {
    /// A failure with exit code 1.
    #[must_use]
    pub fn failed(error: &dyn std::fmt::Display) -> Self {
        Self { exit_code: 1, message: error.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { exit_code: 2, message: error.to_string() }
    }
}
