//! Passwords: argon2id, in PHC format. Hashing takes time on purpose: call it off the async threads.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

/// Hashes and checks passwords at a set cost.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A hash of no password, checked when there is no such user, so that both answers take as long.
    nobody: String,
}

impl Passwords {
    /// At this cost: memory in KiB, and passes over it.
    ///
    /// # Errors
    /// When argon2 does not allow the cost.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, argon2::password_hash::Error> {
        let params = Params::new(memory_kib, passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(b"nobody")?.to_string();
        Ok(Self { argon2, nobody })
    }

    /// The hash to keep.
    ///
    /// # Errors
    /// When argon2 fails, which it does not for passwords of sane lengths.
    pub fn hash(&self, password: &str) -> Result<String, argon2::password_hash::Error> {
        Ok(self.argon2.hash_password(password.as_bytes())?.to_string())
    }

    /// Whether the password is the one that was hashed; always `false` for `None`, after as much work.
    #[must_use]
    pub fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let matches = PasswordHash::new(hash.unwrap_or(&self.nobody))
            .is_ok_and(|known| self.argon2.verify_password(password.as_bytes(), &known).is_ok());
        matches && hash.is_some()
    }
}
