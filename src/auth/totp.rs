//! Second factors: six-digit codes that change every 30 seconds (TOTP, RFC 6238, with HMAC-SHA-1, as all authenticator
//! apps use it), and recovery codes for users who lost their device.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use jiff::Timestamp;

/// How long a code is valid, in seconds.
const STEP: i64 = 30;

/// The alphabet of base32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that server and device share: 160 bits, as RFC 4226 recommends.
#[derive(Clone)]
pub struct Secret(pub [u8; 20]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(hidden)")
    }
}

impl Secret {
    /// The secret as a user types it into a device.
    #[must_use]
    pub fn to_text(&self) -> String {
        base32(&self.0)
    }

    /// The secret as a device reads it from a QR code.
    #[must_use]
    pub fn to_uri(&self, email: &str) -> String {
        let account: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        let secret = self.to_text();
        format!("otpauth://totp/Sluice:{account}?secret={secret}&issuer=Sluice&algorithm=SHA1&digits=6&period={STEP}")
    }

    /// The time step of a code: the current one, or a neighbour to allow for clocks that differ. Steps up to `last` are
    /// used up: no code is valid twice (RFC 6238, section 5.2).
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp, last: Option<i64>) -> Option<i64> {
        let present = now.as_second().div_euclid(STEP);
        (present - 1..=present + 1)
            .filter(|step| last.is_none_or(|last| *step > last))
            .find(|step| verify_slices_are_equal(self.code(*step).as_bytes(), code.as_bytes()).is_ok())
    }

    fn code(&self, step: i64) -> String {
        format!("{:06}", self.number(step) % 1_000_000)
    }

    /// The number whose last digits are the code (RFC 4226, section 5.3).
    fn number(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
        let word = tag.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        u32::from_be_bytes(word) & 0x7fff_ffff
    }
}

/// A recovery code: 80 random bits, in four groups of four.
#[must_use]
pub fn recovery_code(random: &[u8; 10]) -> String {
    let text = base32(random).to_ascii_lowercase();
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// A recovery code as it is hashed, however it was typed.
#[must_use]
pub fn plain_recovery_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Base32 without padding; multiples of 5 bytes need none.
fn base32(bytes: &[u8]) -> String {
    let group = |chunk: &[u8]| {
        let number = chunk.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8_u32)
            .rev()
            .filter_map(|place| BASE32.get(usize::try_from(number >> (5 * place) & 31).ok()?).copied())
            .map(char::from)
            .collect::<String>()
    };
    bytes.chunks(5).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        let secret = Secret(*b"12345678901234567890");
        for (second, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000_i64, 65_353_130),
        ] {
            assert_eq!(secret.number(second / STEP) % 100_000_000, code, "at {second}");
        }
        assert_eq!(secret.to_text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = secret.to_uri("anna+office@example.com");
        assert!(uri.starts_with("otpauth://totp/Sluice:anna%2Boffice%40example.com?secret=GEZDGNB"), "{uri}");
    }

    #[test]
    fn a_code_is_good_once_and_one_step_early_or_late() {
        let secret = Secret(*b"12345678901234567890");
        let at = |second| Timestamp::from_second(second).expect("a time");
        let code = "287082";
        assert_eq!(secret.step_of(code, at(59), None), Some(1));
        assert_eq!(secret.step_of(code, at(29), None), Some(1));
        assert_eq!(secret.step_of(code, at(89), Some(0)), Some(1));
        assert_eq!(secret.step_of(code, at(90), None), None);
        assert_eq!(secret.step_of(code, at(59), Some(1)), None);
        for wrong in ["", "28708", "2870820", "287083", " 287082"] {
            assert_eq!(secret.step_of(wrong, at(59), None), None, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        assert_eq!(recovery_code(b"1234567890"), "gezd-gnbv-gy3t-qojq");
        assert_eq!(plain_recovery_code(" GEZD gnbv-gy3tqojq "), "gezdgnbvgy3tqojq");
    }
}
