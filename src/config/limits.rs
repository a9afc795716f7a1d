//! `[limits]`: rate limits.

use serde::{Deserialize, Serialize};

use crate::domain::frequency::Frequency;

/// `[limits]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests per license key.
    pub requests_per_key: Frequency,
    /// Requests per API token or user.
    pub requests_per_token: Frequency,
    /// Checks and reports without a key per network.
    pub anonymous_per_address: Frequency,
    /// Invalid credentials per network.
    pub failures_per_address: Frequency,
    /// Attempts to log in, or to exchange an identity, per network.
    pub logins_per_address: Frequency,
    /// Concurrent downloads per license key; 0 for no limit.
    pub downloads_at_once_per_key: u32,
    /// Concurrent downloads without a key per network; 0 for no limit.
    pub downloads_at_once_per_address: u32,
}
