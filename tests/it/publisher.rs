//! What the vendor's pipelines do.

mod manifest;
mod releases;
mod steering;
mod stops;
mod uploads;
