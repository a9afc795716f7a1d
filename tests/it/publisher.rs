//! What the vendor's pipelines do.

mod approvals;
mod halts;
mod lint;
mod manifest;
mod releases;
mod rollouts;
mod steering;
mod stops;
mod trusted;
mod uploads;
