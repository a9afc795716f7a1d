//! What keeps the server safe from those who ask too much of it, and those who use it from what it hands out.

mod fuzz;
mod headers;
mod limits;
mod memory;
mod paths;
mod reach;
mod secrets;
mod slow;
mod withdrawn;
