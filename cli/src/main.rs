//! The one binary `silverback`.
//!
//! Reads the command line, composes the settings, runs one command and turns its outcome into an exit code. Start at
//! [`run`]; each command has a module of its name.

mod args;
mod ask;
mod catalogue;
mod config;
mod declare;
mod error;
mod eval;
mod log;
mod metrics;
mod models;
mod parts;
mod prepare;
mod router;
mod scaler;
mod stop;
mod terminal;
mod up;
mod worker;
mod workers;

use std::panic::{self, AssertUnwindSafe};

use clap::Parser;

use args::{Arguments, Command};
use config::Config;
use error::{CliError, Exit};
use log::Chatter;
use stop::until_interrupted;

fn main() {
    panic::set_hook(Box::new(|defect| {
        terminal::say(&format!("error: a defect in silverback: {}", terminal::one_line(&defect.to_string())));
        terminal::say("hint: please report this line and what you typed");
    }));
    let arguments = Arguments::parse();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| start(&arguments)));
    let exit = match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            error.report();
            error.exit()
        }
        Err(_) => Exit::Defect,
    };
    // At once: a thread that still hashes or downloads must not hold up Ctrl-C.
    std::process::exit(exit.code());
}

fn start(arguments: &Arguments) -> Result<Exit, CliError> {
    let config = Config::load(arguments.config.clone(), &arguments.flags())?;
    let is_server =
        matches!(arguments.command, Command::Up(_) | Command::Router(_) | Command::Worker(_) | Command::Scaler(_));
    log::start(&config, if is_server { Chatter::Server } else { Chatter::Command });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    let outcome = runtime.block_on(run(arguments, &config));
    runtime.shutdown_background();
    outcome
}

async fn run(arguments: &Arguments, config: &Config) -> Result<Exit, CliError> {
    match &arguments.command {
        Command::Ask(arguments) => until_interrupted(ask::run(arguments, config)).await,
        Command::Eval(arguments) => until_interrupted(eval::run(arguments, config)).await,
        Command::Up(arguments) => up::run(arguments, config).await,
        Command::Router(arguments) => router::run(arguments, config).await,
        Command::Worker(arguments) => worker::run(arguments, config).await,
        Command::Scaler(arguments) => scaler::run(arguments, config).await,
        Command::Declare(arguments) => until_interrupted(declare::run(arguments, config)).await,
        Command::Workers(arguments) => until_interrupted(workers::run(arguments, config)).await,
        Command::Models(command) => until_interrupted(models::command::run(command, config)).await,
        Command::Catalogue(command) => until_interrupted(catalogue::run(command, config)).await,
    }
}
