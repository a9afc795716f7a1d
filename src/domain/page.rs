//! Which part of a list is read at once.

/// One page of a list: at most `limit` rows that come after a given one.
#[derive(Clone, Copy, Debug)]
pub struct Page<T> {
    /// The last row of the page before.
    pub after: Option<T>,
    /// How many rows at most.
    pub limit: i64,
}

impl<T> Page<T> {
    /// The first rows of a list in memory that begins after `after`.
    pub fn first_of<R>(&self, rows: impl Iterator<Item = R>) -> Vec<R> {
        rows.take(usize::try_from(self.limit).unwrap_or(0)).collect()
    }
}
