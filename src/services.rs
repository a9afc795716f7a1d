//! Use cases, by area: one file per thing that a person or a program wants done. They know the adapters and the domain,
//! and nothing of HTTP or the command line.

pub mod approving;
pub mod desk;
pub mod field;
pub mod people;
pub mod releasing;
pub mod running;
pub mod second_person;
pub mod selling;
pub mod telling;

pub use desk::{Code, Context, Expected, Fault, Faults, Reach, Refusal, Settings, Write};
