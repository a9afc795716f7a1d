//! What the vendor's pipelines do, with an API token; and staff, with a session.

pub mod artifacts;
pub mod exchange;
pub mod manifest;
pub mod rehearsal;
pub mod releases;
pub mod rollout;
pub mod stop;
