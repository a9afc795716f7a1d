//! Language tags and the choice among languages (BCP 47; RFC 4647, section 3.4, look-up).

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{InvalidValue, serde_as_text};

/// A language tag such as `de`, `fr-CH` or `zh-Hant-TW`, in the form that RFC 5646 section 2.1.1 recommends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$", max_length = 35, example = "fr-CH")]
pub struct LanguageTag(String);

impl LanguageTag {
    /// English, in which all of Sluice's own texts exist.
    #[must_use]
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag and its more general forms: `zh-Hant-TW`, `zh-Hant`, `zh` (RFC 4647, section 3.4).
    fn generalised(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |tag| {
            let (mut shorter, _) = tag.rsplit_once('-')?;
            // A single letter only introduces what follows, so both are removed.
            while let Some((before, last)) = shorter.rsplit_once('-') {
                if last.len() > 1 {
                    break;
                }
                shorter = before;
            }
            Some(shorter)
        })
    }
}

impl std::borrow::Borrow<str> for LanguageTag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for LanguageTag {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("locale", text, "a BCP 47 language tag such as `de` or `fr-CH`");
        if text.len() > 35 {
            return Err(invalid());
        }
        let mut written = String::with_capacity(text.len());
        for (index, part) in text.split('-').enumerate() {
            let alphanumeric = (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let language = (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
            if !(if index == 0 { language } else { alphanumeric }) {
                return Err(invalid());
            }
            if index > 0 {
                written.push('-');
            }
            match (index, part.len()) {
                (1.., 2) => written.push_str(&part.to_ascii_uppercase()),
                (1.., 4) => {
                    let mut letters = part.chars();
                    written.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
                    written.push_str(&letters.as_str().to_ascii_lowercase());
                }
                _ => written.push_str(&part.to_ascii_lowercase()),
            }
        }
        Ok(Self(written))
    }
}

serde_as_text!(LanguageTag);

/// Preferred languages, the best first, from a check's `locale` or from `Accept-Language`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes(Vec<LanguageTag>);

impl Wishes {
    /// A single preference.
    #[must_use]
    pub fn one(tag: LanguageTag) -> Self {
        Self(vec![tag])
    }

    /// The first preference.
    #[must_use]
    pub fn first(&self) -> Option<&LanguageTag> {
        self.0.first()
    }

    /// Reads an `Accept-Language` header (RFC 9110, section 12.5.4). Invalid parts are skipped: a browser's header is
    /// no reason to refuse an answer.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        const READ: usize = 16;
        let mut ranked: Vec<(u16, LanguageTag)> = header
            .split(',')
            .take(READ)
            .filter_map(|item| {
                let mut parts = item.split(';');
                let tag = parts.next()?.trim().parse().ok()?;
                let quality =
                    parts.find_map(|parameter| parameter.trim().strip_prefix("q=")).map_or(Some(1000), thousandths)?;
                (quality > 0).then_some((quality, tag))
            })
            .collect();
        ranked.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        Self(ranked.into_iter().map(|(_, tag)| tag).collect())
    }

    /// The first match that `known` returns for the preferences, each followed by its more general forms; then for the
    /// product's default; then for English.
    pub fn look_up<'a, T>(&'a self, default: &'a LanguageTag, known: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.0.iter().chain([default]).flat_map(LanguageTag::generalised).chain(["en"]).find_map(known)
    }

    /// The best text for these preferences with its language. If the default and English are missing too, any text is
    /// better than none.
    #[must_use]
    pub fn choose<'a, T>(
        &self,
        default: &LanguageTag,
        texts: &'a BTreeMap<LanguageTag, T>,
    ) -> Option<(&'a LanguageTag, &'a T)> {
        self.look_up(default, |wanted| texts.get_key_value(wanted)).or_else(|| texts.iter().next())
    }
}

/// Reads `0.875` as 875; `None` if it is not a quality value.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> LanguageTag {
        text.parse().expect("a tag")
    }

    #[test]
    fn a_region_falls_back_to_language_then_default_then_english() {
        let texts: BTreeMap<_, _> = ["it", "fr", "en"].map(|text| (tag(text), text)).into();
        let chosen = |wishes: &Wishes, default: &str| wishes.choose(&tag(default), &texts).map(|(_, text)| *text);
        assert_eq!(chosen(&Wishes::one(tag("fr-CH")), "it"), Some("fr"));
        assert_eq!(chosen(&Wishes::one(tag("FR-ch")), "it"), Some("fr"));
        assert_eq!(chosen(&Wishes::one(tag("pt")), "it-IT"), Some("it"));
        assert_eq!(chosen(&Wishes::one(tag("pt")), "pl"), Some("en"));
        assert_eq!(chosen(&Wishes::from_accept_language("pt;q=0.9, de;q=0, fr;q=0.2, it;q=0.3"), "en"), Some("it"));
        let only: BTreeMap<_, _> = [(tag("de"), "nur")].into();
        assert_eq!(Wishes::default().choose(&tag("fr"), &only).map(|(locale, _)| locale.as_str()), Some("de"));
    }

    #[test]
    fn a_subtag_that_only_introduces_another_goes_with_it() {
        assert_eq!(tag("zh-Hant-x-private").generalised().collect::<Vec<_>>(), ["zh-Hant-x-private", "zh-Hant", "zh"]);
    }
}
