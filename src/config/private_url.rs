//! A URL that may contain a password.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// A URL whose password is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PrivateUrl(String);

/// The text in place of a password.
const HIDDEN: &str = "(hidden)";

/// The secret parameters of a database URL.
const SECRET_PARAMETERS: [&str; 2] = ["password", "sslpassword"];

impl PrivateUrl {
    /// The URL itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it names a database server, which several processes can use, rather than a file.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.0.starts_with("postgres://") || self.0.starts_with("postgresql://")
    }

    /// The URL as it may be shown.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        let Some((scheme, rest)) = self.0.split_once("://") else { return Cow::Borrowed(&self.0) };
        // Up to the last `@`: a password may contain an unescaped `@`.
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let user = user.map(|user| match user.split_once(':') {
            Some((name, _)) => format!("{name}:{HIDDEN}@"),
            None => format!("{user}@"),
        });
        let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
        let query = query.map(|query| {
            let parts: Vec<Cow<'_, str>> = query.split('&').map(shown_parameter).collect();
            format!("?{}", parts.join("&"))
        });
        Cow::Owned(format!("{scheme}://{}{address}{}", user.unwrap_or_default(), query.unwrap_or_default()))
    }

    /// Why `PostgreSQL`'s library would misread the URL, if so. The library's own error could contain a part of the
    /// password.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if rest.contains('#')
            || authority.matches('@').count() != rest.matches('@').count()
            || rest.matches('@').count() > 1
        {
            return Some(
                "has a `@`, `/`, `?` or `#` where none can be; in a password write them as %40, %2F, %3F and %23",
            );
        }
        let mut after_percent = rest.split('%').skip(1);
        let whole = |text: &str| text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        if !after_percent.all(whole) || rest.contains("%00") {
            return Some("has a `%` that two hexadecimal digits do not follow; in a password write it as %25");
        }
        if rest.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Some("has white space in it; write a space as %20");
        }
        None
    }
}

impl From<String> for PrivateUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

fn shown_parameter(part: &str) -> Cow<'_, str> {
    match part.split_once('=') {
        Some((name, _)) if SECRET_PARAMETERS.contains(&name) => Cow::Owned(format!("{name}={HIDDEN}")),
        _ => Cow::Borrowed(part),
    }
}

impl fmt::Debug for PrivateUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown(), formatter)
    }
}

impl Serialize for PrivateUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("sqlite:data/x", "sqlite:data/x"),
            ("", ""),
            ("postgres://host/db", "postgres://host/db"),
            ("postgres://anna@host/db", "postgres://anna@host/db"),
            (
                "postgres://anna:hunter2@host:5432/db?sslmode=require",
                "postgres://anna:(hidden)@host:5432/db?sslmode=require",
            ),
            ("postgres://anna:hun@ter2@host/db", "postgres://anna:(hidden)@host/db"),
            ("postgres://anna:hun/ter2@host/db", "postgres://anna:(hidden)@host/db"),
            (
                "postgres:///db?user=anna&password=hunter2&host=/run",
                "postgres:///db?user=anna&password=(hidden)&host=/run",
            ),
        ] {
            assert_eq!(PrivateUrl(url.to_owned()).shown(), shown);
        }
    }

    #[test]
    fn what_the_library_would_read_otherwise_is_refused() {
        for bad in
            ["a:b@c@host/d", "a:b/c@host/d", "a:b%zz@host/d", "a:b%2@host", "a:b#c@host/d", "a:b c@host/d", "h/d%00"]
        {
            assert!(PrivateUrl(format!("postgres://{bad}")).fault().is_some(), "{bad}");
        }
        for good in
            ["host/d", "a:b%40c@host:1/d?sslmode=verify-full&sslrootcert=/a/b.pem", "/d?host=/run/x", "a,b:5433/d"]
        {
            assert_eq!(PrivateUrl(format!("postgres://{good}")).fault(), None, "{good}");
        }
    }
}
