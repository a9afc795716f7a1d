//! Use cases: one file per thing that a person or a program wants done. They know the adapters and the domain, and
//! nothing of HTTP or the command line.

pub mod check_update;
pub mod context;
pub mod copy_database;
pub mod deliver;
pub mod download;
pub mod figures;
pub mod follow;
pub mod found_vendor;
pub mod guard_rollouts;
pub mod hosting_slots;
pub mod import_subscriptions;
pub mod journal;
pub mod known_problems;
pub mod log_in;
pub mod manage_customers;
pub mod manage_hosting_groups;
pub mod manage_known_problems;
pub mod manage_license_keys;
pub mod manage_mails;
pub mod manage_products;
pub mod manage_subscriptions;
pub mod manage_tokens;
pub mod manage_users;
pub mod manage_webhooks;
pub mod message;
pub mod move_contents;
pub mod outbox;
pub mod publish_release;
pub mod refusal;
pub mod rehearse_publication;
pub mod report_run;
pub mod roll_out;
pub mod second_factor;
pub mod share_keys;
pub mod slow_down;
pub mod start;
pub mod steer_release;
pub mod store_artifact;
pub mod sweep;
pub mod tell_endings;

pub use crate::domain::reach::Reach;
pub use context::{Context, Expected, Settings, Write};
pub use refusal::{Code, Fault, Faults, Refusal};
