//! API tokens: `slk_`, 32 random letters and digits (190 bits), and a checksum of 6, by which scanners for leaked
//! secrets recognise a token without asking the server.

use super::letters;

const PREFIX: &str = "slk_";
const RANDOM: usize = 32;

/// Makes a token from random bytes. It takes more bytes than needed, because some are skipped.
#[must_use]
pub fn make(random: &[u8; 64]) -> Option<String> {
    let body: String = letters(random.iter().copied()).chars().take(RANDOM).collect();
    (body.len() == RANDOM).then(|| format!("{PREFIX}{body}{}", checksum(&body)))
}

/// Whether a text has the form of a token. Other texts need no look-up.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .filter(|rest| rest.len() == RANDOM + 6 && rest.is_ascii())
        .and_then(|rest| rest.split_at_checked(RANDOM))
        .is_some_and(|(body, sum)| checksum(body) == sum)
}

/// CRC-32 in six digits of base 62.
fn checksum(body: &str) -> String {
    let mut number = crc32fast::hash(body.as_bytes());
    let digits: Vec<u8> = std::iter::repeat_with(|| {
        let digit = u8::try_from(number % 62).unwrap_or(0);
        number /= 62;
        digit
    })
    .take(6)
    .collect();
    letters(digits.into_iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_and_a_mistyped_one_is_not() {
        let token = make(&std::array::from_fn(|index| u8::try_from(index * 3).expect("small"))).expect("a token");
        assert!(is_well_formed(&token), "{token}");
        assert!(!is_well_formed(&token.replace('_', "-")));
        assert!(!is_well_formed(&format!("{}x", &token[..token.len() - 1])));
        assert!(!is_well_formed("slk_ä"));
    }
}
