//! The checksum of a table, to compare copies.

use aws_lc_rs::digest::{Context, SHA256};

use super::Rows;
use crate::{domain::artifact::Sha256, store::bulk::Cell};

/// SHA-256 over the rows of a table: over each value in turn, with its kind and its length. Both databases give the
/// same checksum for the same rows.
pub struct Checksum {
    digest: Context,
    rows: u64,
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Checksum").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self { digest: Context::new(&SHA256), rows: 0 }
    }
}

impl Checksum {
    /// Adds rows. They follow the rows that were added before.
    pub fn add(&mut self, rows: &Rows) {
        self.rows += rows.count();
        for cell in rows.0.iter().flat_map(|row| &row.0) {
            match cell {
                Cell::MaybeText(None) | Cell::MaybeBytes(None) | Cell::MaybeNumber(None) => self.value(b'-', &[]),
                Cell::MaybeText(Some(text)) | Cell::Text(text) => self.value(b't', text.as_bytes()),
                Cell::MaybeBytes(Some(bytes)) | Cell::Bytes(bytes) => self.value(b'b', bytes),
                Cell::MaybeNumber(Some(number)) | Cell::Number(number) => self.value(b'n', &number.to_be_bytes()),
                Cell::Flag(flag) => self.value(b'f', &[u8::from(*flag)]),
            }
        }
    }

    fn value(&mut self, kind: u8, bytes: &[u8]) {
        self.digest.update(&[kind]);
        self.digest.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.digest.update(bytes);
    }

    /// The number of rows, and their checksum in hexadecimal.
    #[must_use]
    pub fn finish(self) -> (u64, String) {
        let digest = self.digest.finish().as_ref().try_into().unwrap_or_default();
        (self.rows, Sha256(digest).to_string())
    }
}
