//! The reference updaters of `examples/`: their library, and each flow end to end.
//!
//! `library` tests the parts, `kills` and `faults` play the single-user flow against a scripted server that misbehaves
//! in ways a real one cannot be made to, and `flows` plays all three against a really started one. `fleet` plays the
//! simulator, 500 sites at once.

mod faults;
mod fleet;
mod flows;
mod kills;
mod library;
mod proxy;
mod scripted_server;
pub mod site;
mod talks;
mod vendor;

#[path = "../../examples/updater/mod.rs"]
#[expect(dead_code, reason = "the library of the examples; the flows use the rest")]
mod updater;
