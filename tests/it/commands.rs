//! The program's commands against a running server, as CI and support use them.

mod admin;
mod database;
mod keys;
mod linked;
mod publish;
