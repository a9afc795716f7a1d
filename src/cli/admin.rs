//! `sluice admin`: users, managed by someone with access to the machine.

use std::io::Read as _;

use clap::{Args, Subcommand};

use super::{
    failure::Failure,
    machine::{open_store, operator, say},
};
use crate::{
    app::App,
    auth::password::{self, Passwords},
    config::Config,
    domain::role::Role,
    services::{Refusal, people::users::on_the_machine::Machine},
    signing::random,
};

/// Add users and reset passwords on the server's machine.
///
/// No login is needed: someone who can write the database could do all of it anyway. The server may be running; it
/// notices the change by itself. Run this as the user that runs the server, so that the files stay that user's.
#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Add a user, and print their password once
    Create {
        #[command(flatten)]
        person: Person,
        /// The user's role
        #[arg(long, default_value = "owner", value_parser = ["owner", "release_manager", "support", "viewer"])]
        role: String,
    },
    /// Reset a user's password, and print the new one once. All of their sessions end
    ResetPassword {
        #[command(flatten)]
        person: Person,
        /// Also remove the second factor, for a user who lost both the device and the recovery codes
        #[arg(long)]
        remove_second_factor: bool,
    },
}

#[derive(Debug, Args)]
struct Person {
    /// The e-mail address that the user logs in with
    #[arg(long)]
    email: String,
    /// Read the password from the first line of standard input instead of generating one
    #[arg(long)]
    password_stdin: bool,
}

/// Runs `sluice admin`.
pub fn run(arguments: &AdminArgs, config: &Config) -> Result<(), Failure> {
    let (store, folder) = open_store(config)?;
    let keys = App::keys_or_new(config, &store).map_err(|error| Failure::failed(&error))?;
    let auth = &config.auth;
    let passwords = Passwords::new(auth.password_memory_kib, auth.password_passes)
        .map_err(|error| Failure::failed(&format!("auth.password_memory_kib and auth.password_passes: {error}")))?;
    let machine = Machine { operator: operator(&store, &keys), passwords: &passwords };
    let failed = |refusal: Refusal| Failure::failed(&refusal.detail);
    let (person, password) = match &arguments.command {
        AdminCommand::Create { person, role } => {
            let role: Role = role.parse().map_err(|error| Failure::failed(&error))?;
            let password = password_for(person)?;
            machine.add(&person.email, &password, role).map_err(failed)?;
            say(format_args!("added {} as {role}", person.email));
            (person, password)
        }
        AdminCommand::ResetPassword { person, remove_second_factor } => {
            let password = password_for(person)?;
            machine.reset_password(&person.email, &password, *remove_second_factor).map_err(failed)?;
            say(format_args!("{} has a new password; all of their sessions have ended", person.email));
            (person, password)
        }
    };
    if !person.password_stdin {
        say(format_args!("password: {password}"));
    }
    // A running server is responsible for its own write-ahead log.
    if folder.is_some() {
        store.settle().map_err(|error| Failure::failed(&error))?;
    }
    Ok(())
}

fn password_for(person: &Person) -> Result<String, Failure> {
    if !person.password_stdin {
        return Ok(password::make(&random()));
    }
    let mut text = String::new();
    // Longer than any password, and an end for endless input.
    std::io::stdin().take(4096).read_to_string(&mut text).map_err(|error| Failure::failed(&error))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
