//! Passwords: argon2id, in PHC format. Hashing takes time on purpose: call it off the async threads.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

/// The salt and hash of a password that does not exist: 16 and 32 zero bytes, in the alphabet of PHC strings.
const NOBODYS_SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const NOBODYS_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A one-time password: 20 letters and digits (119 bits).
#[must_use]
pub fn make(random: &[u8; 64]) -> String {
    super::letters(random.iter().copied()).chars().take(20).collect()
}

/// Hashes and verifies passwords at a fixed cost.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Verified when a user does not exist, so that both answers take equally long.
    nobody: String,
}

impl Passwords {
    /// The cost: memory in KiB, and passes over it.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, argon2::password_hash::Error> {
        let params = Params::new(memory_kib, passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // A constant: nothing ever matches it, and computing a hash would slow down every start.
        let nobody = format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${NOBODYS_SALT}${NOBODYS_HASH}");
        Ok(Self { argon2, nobody })
    }

    /// The hash to store.
    pub fn hash(&self, password: &str) -> Result<String, argon2::password_hash::Error> {
        Ok(self.argon2.hash_password(password.as_bytes())?.to_string())
    }

    /// Whether a hash cost less than a new one would.
    #[must_use]
    pub fn is_weaker(&self, hash: &str) -> bool {
        let Ok(made) = PasswordHash::new(hash).map_err(drop).and_then(|hash| Params::try_from(&hash).map_err(drop))
        else {
            return false;
        };
        let wanted = self.argon2.params();
        made.m_cost() < wanted.m_cost() || made.t_cost() < wanted.t_cost()
    }

    /// Whether the password matches the hash; always `false` for `None`, after the same work.
    #[must_use]
    pub fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let matches = PasswordHash::new(hash.unwrap_or(&self.nobody))
            .is_ok_and(|known| self.argon2.verify_password(password.as_bytes(), &known).is_ok());
        matches && hash.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_weaker_where_it_took_less_memory_or_fewer_passes() {
        let at = |memory_kib, passes| Passwords::new(memory_kib, passes).expect("a cost");
        let hash = at(64, 2).hash("correct").expect("a hash");
        assert!(at(65, 2).is_weaker(&hash) && at(64, 3).is_weaker(&hash));
        assert!(!at(64, 2).is_weaker(&hash) && !at(32, 1).is_weaker(&hash));
        assert!(!at(64, 2).is_weaker("no hash"));
        assert!(at(128, 1).verify("correct", Some(&hash)), "what it was made with is written in it");
    }

    #[test]
    fn nobody_has_a_password_and_checking_it_is_as_much_work() {
        let passwords = Passwords::new(64, 1).expect("a cost");
        let hash = passwords.hash("correct").expect("a hash");
        assert!(passwords.verify("correct", Some(&hash)));
        assert!(!passwords.verify("wrong", Some(&hash)));
        assert!(!passwords.verify("correct", None));
        let nobody = PasswordHash::new(&passwords.nobody).expect("a PHC string");
        let made = PasswordHash::new(&hash).expect("a PHC string");
        assert_eq!(nobody.params, made.params);
        assert_eq!(
            passwords.argon2.verify_password(b"correct", &nobody),
            Err(argon2::password_hash::Error::PasswordInvalid),
            "it is hashed and compared, not refused before"
        );
    }
}
