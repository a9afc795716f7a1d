//! `[mail]` and `[webhooks]`: who is notified, and how.

use std::{fmt::Display, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize, de};

use super::{PrivateUrl, Span};

/// `[mail]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The SMTP server; empty for none.
    pub smtp_url: PrivateUrl,
    /// The sender.
    pub from: String,
    /// Recipients of staff mail. Empty: every user with access to the product concerned.
    pub staff: List<String>,
    /// The most mails for one subscription in 24 hours.
    pub per_subscription_per_day: u32,
    /// How many days before the end of a subscription the staff is notified.
    pub ending_days: List<u16>,
}

impl MailConfig {
    /// What is wrong with the section, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let url = self.smtp_url.reveal();
        let usable = url::Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "smtp" | "smtps") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !url.is_empty() && !usable {
            // The URL may contain a password, so it is not shown.
            return Some(
                "mail.smtp_url must be like `smtp://user:password@mail.example.com:587?tls=required` or `smtps://…`; in a password write `@`, `/`, `?`, `#` and `%` as %40, %2F, %3F, %23 and %25"
                    .to_owned(),
            );
        }
        if url::Url::parse(url).is_ok_and(|url| shows_password(&url)) {
            return Some(
                "mail.smtp_url has a user but no TLS, which would show the password to the network: write `?tls=required` behind the server, or `smtps://`"
                    .to_owned(),
            );
        }
        if !url.is_empty() && self.from.is_empty() {
            return Some("mail.from is required with mail.smtp_url: the sender's address".to_owned());
        }
        self.ending_days
            .0
            .iter()
            .find(|days| **days > 3650)
            .map(|days| format!("mail.ending_days: `{days}` must be at most 3650"))
    }
}

/// Whether a password could be read on the network. Without `tls=required` it may be sent in clear: an attacker can
/// remove the offer of TLS from the server's greeting.
fn shows_password(url: &url::Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    let mut wishes = url.query_pairs().filter(|(name, _)| name == "tls").map(|(_, wish)| wish).peekable();
    let is_safe = url.scheme() == "smtps" || (wishes.peek().is_some() && wishes.all(|wish| wish == "required"));
    // The URL parser reads hosts of unknown schemes as text, not as addresses.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    has_user && !is_safe && !is_here
}

/// `[webhooks]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// How long to wait for an answer.
    pub timeout: Span,
    /// Whether receivers may be at addresses that are not on the public internet.
    pub allow_private: bool,
    /// The most failed runs of one subscription that are reported to each webhook in 24 hours.
    pub runs_per_subscription_per_day: u32,
}

/// A list; in an environment variable its values are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de> + FromStr<Err: Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<T> {
            Text(String),
            Values(Vec<T>),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Values(values) => return Ok(Self(values)),
            Written::Text(text) => text,
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let read = |part: &str| part.parse().map_err(|error| de::Error::custom(format!("`{part}`: {error}")));
        parts.map(read).collect::<Result<_, _>>().map(Self)
    }
}
