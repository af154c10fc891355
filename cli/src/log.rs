//! Sends what the parts log to standard error.

use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// How much is logged when nobody says.
#[derive(Clone, Copy, Debug)]
pub enum Chatter {
    /// A command that answers: only what is wrong, the rest would tear its display.
    Command,
    /// A server: what a person watching it wants to see.
    Server,
}

/// Begins to log. Call once.
pub fn start(config: &Config, chatter: Chatter) {
    let usual = match chatter {
        Chatter::Command => "error",
        Chatter::Server => "info",
    };
    let filter = config.log.as_deref().unwrap_or(usual);
    let filter = EnvFilter::try_new(filter).expect("the settings were checked");
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(console::colors_enabled_stderr())
        .with_writer(std::io::stderr)
        .init();
}
