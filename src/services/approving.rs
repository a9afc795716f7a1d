//! Approving: requests for a second person are decided and carried out here.
//!
//! Not here: asking for a second person. Each area whose actions take two people asks for itself.

mod carry_out;
pub mod requests;
