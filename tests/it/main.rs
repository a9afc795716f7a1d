//! Everything that is tested from outside the crate, in one binary: linking once is faster than linking often.

mod decisions;
