//! For the vendor's pipelines, with an API token, and for staff, with a session.

pub mod artifacts;
pub mod exchange;
pub mod manifest;
pub mod rehearsal;
pub mod releases;
pub mod rollout;
pub mod stop;
