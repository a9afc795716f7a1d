//! Flow 2: a multi-user installation, where most of an update happens on the server program.
//!
//! ```sh
//! cargo run --example multi_user -- server --config server.toml
//! cargo run --example multi_user -- client --config client.toml
//! ```
//!
//! 1. [`client`] asks the vendor at start-up and learns that *its server* has an update. A person chooses when users are
//!    to be disconnected and who gets an e-mail; the client tells the server program.
//! 2. [`server`] downloads ahead of that time; then it saves the database, disconnects users, installs and migrates.
//! 3. At its next start [`client`] is brought to a version that the server accepts, if it has to be.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use updater::{
    command_line::{self, CommonArguments},
    ending,
};

mod client;
mod server;
#[path = "../stand_in/mod.rs"]
mod stand_in;
#[path = "../updater/mod.rs"]
#[expect(dead_code, reason = "the library is shared, and no flow uses all of it")]
mod updater;

/// Updates the programs of a multi-user installation.
#[derive(Parser)]
#[command(after_help = command_line::EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// The start of a client program.
    Client(client::ClientArguments),
    /// The server program's updater.
    Server(server::ServerArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    ending::finish(match &arguments.program {
        Program::Client(own) => client::run(&arguments.common, own),
        Program::Server(own) => server::run(&arguments.common, own),
    })
}
