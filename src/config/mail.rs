//! `[mail]` and `[webhooks]`: who is told of what happens, and how.

use std::{fmt::Display, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize, de};

use super::{PrivateUrl, Span};

/// `[mail]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The SMTP server, or empty.
    pub smtp_url: PrivateUrl,
    /// Whom mails are from.
    pub from: String,
    /// Who of the vendor's staff gets mails; nobody named: the users who have to do with what they are about.
    pub staff: List<String>,
    /// How many mails may be sent on a subscription's account in 24 hours.
    pub per_subscription_per_day: u32,
    /// How many days before the end of a subscription staff are told.
    pub ending_days: List<u16>,
}

impl MailConfig {
    /// What is wrong with it, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let url = self.smtp_url.reveal();
        let usable = url::Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "smtp" | "smtps") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !url.is_empty() && !usable {
            // It may hold a password, so nothing of it is shown.
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
            return Some("mail.from is needed with mail.smtp_url: the address that mails are from".to_owned());
        }
        self.ending_days
            .0
            .iter()
            .find(|days| **days > 3650)
            .map(|days| format!("mail.ending_days: `{days}` must be at most 3650"))
    }
}

/// Whether somebody on the way to the server could read a password: without `tls=required` it is sent in clear, or is wherever
/// somebody takes the offer of TLS out of the greeting.
fn shows_password(url: &url::Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    let mut wishes = url.query_pairs().filter(|(name, _)| name == "tls").map(|(_, wish)| wish).peekable();
    let is_safe = url.scheme() == "smtps" || (wishes.peek().is_some() && wishes.all(|wish| wish == "required"));
    // The host of a scheme that is not the web's is not read as an address.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    has_user && !is_safe && !is_here
}

/// `[webhooks]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// How long an answer is waited for.
    pub timeout: Span,
    /// Whether they may go to addresses that are not on the public internet.
    pub allow_private: bool,
    /// Of how many failed runs of a subscription each webhook is told in 24 hours.
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
