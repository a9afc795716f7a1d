//! Approving: requests for a second person, decided and carried out.
//!
//! Not here: asking for a second person. Each area that does something which takes two asks by itself.

mod carry_out;
pub mod requests;
