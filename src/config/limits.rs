//! `[limits]`: how often somebody may ask.

use serde::{Deserialize, Serialize};

use crate::domain::frequency::Frequency;

/// `[limits]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests with one license key.
    pub requests_per_key: Frequency,
    /// Requests of one API token or person.
    pub requests_per_token: Frequency,
    /// Checks and reports without a key from one address.
    pub anonymous_per_address: Frequency,
    /// Credentials that are not good, from one address.
    pub failures_per_address: Frequency,
    /// Tries to log in, or to exchange an identity, from one address.
    pub logins_per_address: Frequency,
    /// Downloads at once with one license key; 0 for any number.
    pub downloads_at_once_per_key: u32,
    /// Downloads at once without a key, to one address; 0 for any number.
    pub downloads_at_once_per_address: u32,
}
