//! Log lines that wait for the commit of the write that they describe.

/// Log lines that are written after a transaction is committed, and dropped when it is rolled back.
#[derive(Default)]
pub struct LogLines(Vec<Box<dyn FnOnce() + Send>>);

impl std::fmt::Debug for LogLines {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("LogLines").field(&self.0.len()).finish()
    }
}

impl LogLines {
    /// Adds a line; `line` calls one of the macros of `tracing`.
    pub fn add(&mut self, line: impl FnOnce() + Send + 'static) {
        self.0.push(Box::new(line));
    }

    /// Adds the lines of another step of the transaction at the end.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Writes the lines; to be called after the commit.
    pub fn write(self) {
        for line in self.0 {
            line();
        }
    }
}
