//! The server among operators: health, starting under bad conditions, a full disk, kills.

mod crash;
mod full_disk;
mod health;
mod start;
