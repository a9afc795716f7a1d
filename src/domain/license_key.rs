//! License keys: their two forms, and how typed keys are read.

use std::{fmt, sync::LazyLock};

use jiff::Timestamp;

use super::{
    InvalidValue,
    id::{LicenseKeyId, SubscriptionId},
};

/// The symbols of Crockford's base 32, then the five that only a check symbol can be.
const SYMBOLS: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// The digit and symbol of each byte that a person may type. A table, because every check reads a key.
static TYPED: LazyLock<[Option<(u8, u8)>; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let symbol = match u8::try_from(byte).ok()?.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let digit = SYMBOLS.iter().position(|known| *known == symbol)?;
        Some((u8::try_from(digit).ok()?, symbol))
    })
});

/// The symbols of the random part: 24 × 5 = 120 bits.
const RANDOM_SYMBOLS: usize = 24;

/// A key of Sluice's own form, `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`: 24 random symbols and Crockford's check symbol (the
/// value modulo 37). Stored without dashes, in the alphabet's own letters.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenseKey([u8; RANDOM_SYMBOLS + 1]);

/// The result of reading a text as a key of Sluice's form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reading {
    /// A key with a valid check symbol.
    Key(LicenseKey),
    /// A key with a wrong check symbol, so a typing error.
    Mistyped,
    /// Another form.
    Foreign,
}

impl LicenseKey {
    /// Makes a key from random bytes, using five bits of each. `None` if the check symbol would be hard to dictate or
    /// to type (`* ~ $ = U`, 5 of 37 times): then draw again.
    #[must_use]
    pub fn from_random(random: &[u8; RANDOM_SYMBOLS]) -> Option<Self> {
        let mut symbols = [b'0'; RANDOM_SYMBOLS + 1];
        let mut value = 0;
        for (symbol, byte) in symbols.iter_mut().zip(random) {
            let digit = byte & 31;
            *symbol = SYMBOLS.get(usize::from(digit)).copied()?;
            value = check(value, digit);
        }
        *symbols.last_mut()? = SYMBOLS.get(usize::from(value)).copied().filter(|_| value < 32)?;
        Some(Self(symbols))
    }

    /// Reads a typed key: case, dashes and spaces do not matter, nor O for 0, nor I or L for 1.
    #[must_use]
    pub fn read(text: &str) -> Reading {
        let mut symbols = [b'0'; RANDOM_SYMBOLS + 1];
        let mut value = 0;
        let mut count = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let read = TYPED.get(usize::from(byte)).copied().flatten();
            let (Some((digit, symbol)), Some(place)) = (read, symbols.get_mut(count)) else {
                return Reading::Foreign;
            };
            *place = symbol;
            if count < RANDOM_SYMBOLS {
                if digit >= 32 {
                    return Reading::Foreign;
                }
                value = check(value, digit);
            } else if digit != value {
                value = u8::MAX;
            }
            count += 1;
        }
        match (count, value) {
            (25, u8::MAX) => Reading::Mistyped,
            (25, _) => Reading::Key(Self(symbols)),
            _ => Reading::Foreign,
        }
    }

    /// The symbols without dashes, which are hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One step of the check value, modulo 37.
fn check(value: u8, digit: u8) -> u8 {
    u8::try_from((u16::from(value) * 32 + u16::from(digit)) % 37).unwrap_or(0)
}

impl fmt::Display for LicenseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, symbol) in self.0.iter().enumerate() {
            if index > 0 && index % 5 == 0 {
                formatter.write_str("-")?;
            }
            write!(formatter, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for LicenseKey {
    /// Does not show the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LicenseKey(hidden)")
    }
}

/// The stored data of a license key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub id: LicenseKeyId,
    pub subscription: SubscriptionId,
    /// HMAC-SHA-256 of the key under the server's license secret.
    pub fingerprint: [u8; 32],
    /// Whether the vendor imported it.
    pub imported: bool,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// Checks a key that the vendor has issued elsewhere: 16 to 128 characters 0x21–0x7E.
///
/// # Errors
/// The error does not contain the key, which is a secret.
pub fn check_imported(text: &str) -> Result<(), InvalidValue> {
    if (16..=128).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        Ok(())
    } else {
        Err(InvalidValue::new("license key", "(hidden)", "16 to 128 visible ASCII characters without spaces"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_key() -> LicenseKey {
        (0_u8..=255)
            .find_map(|seed| {
                LicenseKey::from_random(&std::array::from_fn(|index| {
                    seed.wrapping_mul(31).wrapping_add(u8::try_from(index * 7).expect("small"))
                }))
            })
            .expect("a key")
    }

    #[test]
    fn a_key_is_read_however_it_was_typed() {
        let key = some_key();
        let written = key.to_string();
        assert_eq!(written.len(), 29);
        for typed in [
            written.clone(),
            written.to_lowercase(),
            written.replace('-', ""),
            written.replace('-', " "),
            written.replace('0', "o"),
            written.replace('1', "L"),
            written.replace('1', "i"),
        ] {
            assert_eq!(LicenseKey::read(&typed), Reading::Key(key.clone()), "{typed}");
        }
    }

    #[test]
    fn every_wrong_symbol_and_every_swap_of_neighbours_is_found() {
        let written = some_key().to_string().replace('-', "");
        let letters: Vec<char> = written.chars().collect();
        for place in 0..letters.len() {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars().filter(|other| *other != letters[place]) {
                let mut typed = letters.clone();
                typed[place] = other;
                assert_eq!(LicenseKey::read(&typed.iter().collect::<String>()), Reading::Mistyped);
            }
            if place + 1 < letters.len() && letters[place] != letters[place + 1] {
                let mut typed = letters.clone();
                typed.swap(place, place + 1);
                assert_eq!(LicenseKey::read(&typed.iter().collect::<String>()), Reading::Mistyped);
            }
        }
    }

    #[test]
    fn other_texts_are_not_of_this_form() {
        for foreign in [
            "",
            "-",
            "ABC",
            "00000-00000-00000-00000-0000",
            "00000-00000-00000-00000-00000-0",
            "UUUUU-00000-00000-00000-00000",
            "ÄÄÄÄÄ-00000-00000-00000-00000",
        ] {
            assert_eq!(LicenseKey::read(foreign), Reading::Foreign, "{foreign}");
        }
    }
}
