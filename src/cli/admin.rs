//! `sluice admin`: people, by whoever may use the machine.

use std::io::Read as _;

use clap::{Args, Subcommand};

use super::{Failure, open_store, operator, say};
use crate::{
    app::App,
    auth::password::{self, Passwords},
    config::Config,
    domain::role::Role,
    services::{Refusal, people::users::on_the_machine::Machine},
    signing::random,
};

/// Add people, and give them another password, on the machine itself.
///
/// Nobody has to be logged in: who may read the database may do all of it anyhow. A server may run meanwhile, and needs
/// not be told. Run it as the user that the server runs as, so that the files stay that user's.
#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Add somebody, and print their password, this once.
    Create {
        #[command(flatten)]
        person: Person,
        /// What they may do.
        #[arg(long, default_value = "owner", value_parser = ["owner", "release_manager", "support", "viewer"])]
        role: String,
    },
    /// Give somebody another password, and print it, this once. All of their sessions end.
    ResetPassword {
        #[command(flatten)]
        person: Person,
        /// Remove the second factor too, of somebody who lost the device and the recovery codes.
        #[arg(long)]
        remove_second_factor: bool,
    },
}

#[derive(Debug, Args)]
struct Person {
    /// What they log in with.
    #[arg(long)]
    email: String,
    /// Read the password from standard input, up to the end of the first line, instead of making one.
    #[arg(long)]
    password_stdin: bool,
}

/// Runs the command.
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
            say(format_args!("{} has another password; all of their sessions have ended", person.email));
            (person, password)
        }
    };
    if !person.password_stdin {
        say(format_args!("password: {password}"));
    }
    // Where a server runs, that is its own business.
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
    // No password is that long, and no input endless then.
    std::io::stdin().take(4096).read_to_string(&mut text).map_err(|error| Failure::failed(&error))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
