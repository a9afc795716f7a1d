//! Addresses that people are sent to.

use std::{fmt, ops::Deref, str::FromStr};

use super::{InvalidValue, serde_as_text};

/// An address that people are sent to: an http, https or mailto URL of at most 2000 bytes.
// The pattern is narrower than what is allowed: tools that make requests up from it make valid ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(
    value_type = String,
    max_length = 2000,
    pattern = r"^https?://[a-z]+(\.[a-z]+)+(/[A-Za-z0-9/_.-]*)?$",
    example = "https://example.com/help"
)]
pub struct Link(String);

impl Deref for Link {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for Link {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_link = text.len() <= 2000
            && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"));
        if is_link {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new("link", text, "an http, https or mailto URL of at most 2000 bytes"))
        }
    }
}

serde_as_text!(Link);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_url_that_people_can_follow() {
        for text in
            ["https://example.com/help", "http://localhost:8080", "mailto:help@example.com", "https://bücher.example"]
        {
            assert_eq!(text.parse::<Link>().expect(text).to_string(), text, "as it was written");
        }
        let too_long = format!("https://example.com/{}", "a".repeat(2000));
        for text in
            ["", "example.com/help", "/help", "javascript:alert(1)", "ftp://example.com", "https://", too_long.as_str()]
        {
            assert!(text.parse::<Link>().is_err(), "{text:?}");
        }
    }
}
