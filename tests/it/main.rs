//! One binary for all integration tests: linking it once is three times faster than six.

mod decisions;
mod demo;
mod documentation;
mod openapi;
mod updaters;
