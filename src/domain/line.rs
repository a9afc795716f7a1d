//! One line of text for people: a name, a reference, a reason.

use std::{fmt, ops::Deref, str::FromStr};

use super::{InvalidValue, serde_as_text};

/// One line of text: 1 to 200 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 200,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]+$",
    example = "one line of text"
)]
pub struct Line(String);

impl Deref for Line {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for Line {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// Characters, not bytes: what fits an input field fits here in any language.
        const LONGEST: usize = 200;
        if (1..=LONGEST).contains(&text.chars().count()) && !text.contains(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new("line of text", text, "1 to 200 characters, none of them a control character"))
        }
    }
}

serde_as_text!(Line);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_1_to_200_characters_and_no_control_character() {
        let (longest, too_long) = ("ü".repeat(200), "u".repeat(201));
        for text in ["a", " ", "Möbel & Söhne", "家具", longest.as_str()] {
            let line: Line = text.parse().expect(text);
            assert_eq!((&*line, line.to_string().as_str()), (text, text));
        }
        for text in ["", "a\nb", "a\tb", "a\0b", "\u{7f}", "\u{85}", too_long.as_str()] {
            assert!(text.parse::<Line>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_line_is_read_from_a_text_only() {
        assert_eq!(
            serde_json::to_string(&serde_json::from_str::<Line>(r#""a""#).expect("a line")).expect("JSON"),
            r#""a""#
        );
        for text in ["null", "1", r#""""#, r#""a\nb""#] {
            assert!(serde_json::from_str::<Line>(text).is_err(), "{text}");
        }
    }
}
