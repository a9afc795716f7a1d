//! The program's commands against a running server, as CI and support use them.

mod database;
mod publish;
