//! Releasing: products, their releases from draft to publication, rollouts, and stops.
//!
//! Not here: the checks and reports of programs; see the area `field`.

pub mod guard_rollouts;
pub(in crate::services) mod loose_contents;
pub mod products;
pub mod publish_release;
pub mod rehearse_publication;
pub mod release;
pub mod roll_out;
pub mod steer_release;
pub mod store_artifact;
