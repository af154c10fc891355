//! The command line as people type it. Declares only; nothing happens here.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::TypedValueParser};

use crate::config::{DEFAULT_HTTP, DEFAULT_ROUTER, DEFAULT_SCALER, Flags};

const AFTER_HELP: &str = "\
Exit codes: 0 plan complete, 1 something unanswered, 2 usage, 3 unavailable, 130 interrupted.
Settings: file (config.toml) < environment (SILVERBACK_…) < flag.";

/// Say what you want done; get a checked plan of exact API calls.
#[derive(Debug, Parser)]
#[command(name = "silverback", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Arguments {
    /// Settings file in place of the usual one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for models and packs in place of the usual one
    #[arg(long, global = true, value_name = "DIR")]
    pub cache: Option<String>,
    /// List of models in place of the built-in one
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<String>,
    /// What to log to standard error: error, warn, info, debug, or target=level,…
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask in words, get a checked plan
    Ask(AskArguments),
    /// Ask every request of a file and hold the plans against what is right
    Eval(EvalArguments),
    /// Start a router and all workers in one process
    Up(UpArguments),
    /// Start a router; it finds its workers in the registry
    Router(RouterArguments),
    /// Start a worker; routers find it in the registry
    Worker(WorkerArguments),
    /// Start a scaler: tells KEDA how many workers of each capability are needed
    Scaler(ScalerArguments),
    /// Say which capabilities there should be, also while no worker serves them
    Declare(DeclareArguments),
    /// Show who is registered
    Workers(WorkersArguments),
    /// Fetch, list and verify model files
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Build the catalogue of operations and look into it
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
}

/// What to ask, and whom.
#[derive(Debug, Args)]
pub struct AskArguments {
    /// The request; `-` or nothing reads it from standard input
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Router to ask, HOST:PORT; without one, a router at 127.0.0.1:7411 or this process itself
    #[arg(long, value_name = "HOST:PORT")]
    pub router: Option<String>,
    /// Base model when this process does the work itself
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Print the plan document and nothing else on standard output
    #[arg(long)]
    pub json: bool,
    /// The date that "today" means
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub today: Option<String>,
}

/// What to evaluate, and whom.
#[derive(Debug, Args)]
pub struct EvalArguments {
    /// Files of cases, one JSON object a line
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Router to ask, HOST:PORT; without one, a router at 127.0.0.1:7411 or this process itself
    #[arg(long, value_name = "HOST:PORT")]
    pub router: Option<String>,
    /// Base model when this process does the work itself
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Measure only whether the right operation is found, by each source alone and by all together
    #[arg(long)]
    pub retrieval: bool,
    /// Leave parts of the way out, to measure what each brings
    #[arg(long, value_enum, value_name = "METHOD", conflicts_with_all = ["retrieval", "router"])]
    pub method: Option<EvalMethod>,
    /// Show what was won and lost against an earlier run, given as what its --json printed
    #[arg(long, value_name = "FILE", conflicts_with = "retrieval")]
    pub compare: Option<PathBuf>,
    /// With --retrieval: fit the weights on these files and write them here
    #[arg(long, value_name = "FILE", requires = "retrieval")]
    pub fit: Option<PathBuf>,
    /// With --retrieval: name the requests whose operation is not found first; never those of *.test.jsonl
    #[arg(long, requires = "retrieval")]
    pub misses: bool,
}

/// How a step becomes a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EvalMethod {
    /// Draft, then ground: what serves
    Ground,
    /// The free draft as it is
    Draft,
    /// The schema's grammar, values believed
    Grammar,
    /// Evidence without a draft
    Evidence,
}

/// All parts in one process.
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Where the router listens
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ROUTER)]
    pub listen: SocketAddr,
    /// Where it serves clients of OpenAI's API, below /v1
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_HTTP)]
    pub http: SocketAddr,
    /// Base model: a name from `models list`, or a GGUF file
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Serve metrics for Prometheus at this address, path /metrics; off when absent
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<SocketAddr>,
}

/// A router of its own.
#[derive(Debug, Args)]
pub struct RouterArguments {
    /// Where workers are registered: etcd://HOST:PORT[,HOST:PORT…]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Where it listens; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ROUTER)]
    pub listen: SocketAddr,
    /// Address that scalers reach it at, when it is not the one it listens on
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// Where it serves clients of OpenAI's API, below /v1
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_HTTP)]
    pub http: SocketAddr,
    /// Serve metrics for Prometheus at this address, path /metrics; off when absent
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<SocketAddr>,
}

/// A scaler for KEDA.
#[derive(Debug, Args)]
pub struct ScalerArguments {
    /// Where routers and workers are registered: etcd://HOST:PORT[,HOST:PORT…]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Where it listens for KEDA; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_SCALER)]
    pub listen: SocketAddr,
}

/// What should be there.
#[derive(Debug, Args)]
pub struct DeclareArguments {
    /// Capabilities: plan, tools, aws, kubernetes, finance, or what was added
    #[arg(value_name = "CAPABILITY", value_delimiter = ',', required = true)]
    pub capabilities: Vec<String>,
    /// Where to say so: etcd://HOST:PORT[,HOST:PORT…]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Take it back
    #[arg(long)]
    pub remove: bool,
}

/// A worker of its own.
#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// What it serves: plan, aws, kubernetes, finance, or what was added; several share one model
    #[arg(long = "capability", value_name = "NAME", value_delimiter = ',', required = true)]
    pub capabilities: Vec<String>,
    /// Where it registers: etcd://HOST:PORT[,HOST:PORT…]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Where it listens; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Address that routers reach it at, when it is not the one it listens on
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// Base model: a name from `models list`, or a GGUF file
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
}

/// Whose workers to show.
#[derive(Debug, Args)]
pub struct WorkersArguments {
    /// Router to ask, HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    pub router: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Models and the files they are made of.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Fetch what is missing or damaged; the default models when none is named
    Pull {
        /// Names from `models list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show what is known and what is here
    List {
        /// Names from `models list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Hash what is here; everything in the cache when none is named
    Verify {
        /// Names from `models list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// What to add, and under which name.
#[derive(Clone, Debug, Args)]
pub struct AddArguments {
    /// Name of the catalogue and of the capability: a-z, 0-9 and -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A file, a folder of botocore's form, or a URL; what it is shows in its content
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,
    /// One line about it
    #[arg(long, value_name = "LINE")]
    pub describe: Option<String>,
    /// A request that belongs to it; may be given several times
    #[arg(long = "example", value_name = "REQUEST")]
    pub examples: Vec<String>,
    /// Address of the API, in place of what the description says
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Believe what an MCP server says its tools do (read only, idempotent)
    #[arg(long)]
    pub trust_hints: bool,
    /// An MCP server to start: its command and arguments
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<String>,
}

/// The operations that exist.
#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// Compile the vendors' descriptions into packs; older packs stay beside them, by digest
    Build {
        /// Only AWS, from this botocore wheel or data folder
        #[arg(long, value_name = "WHEEL")]
        botocore: Option<PathBuf>,
        /// Only kubectl, from what `workers/catalogue/extract/kubectl.py` wrote of one
        #[arg(long, value_name = "FILE")]
        kubectl: Option<PathBuf>,
        /// Folder of the packs in place of the usual one
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Show what changed between two packs of one vendor, breaking changes first
    Diff {
        /// A file, a digest or its first digits, or a vendor (its current pack)
        #[arg(value_name = "OLD")]
        old: String,
        /// Likewise
        #[arg(value_name = "NEW")]
        new: String,
        /// How many changes to list
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: usize,
        /// Print JSON, with every change
        #[arg(long)]
        json: bool,
    },
    /// Add an API of your own: OpenAPI, GraphQL, MCP or a botocore model
    Add(AddArguments),
    /// Remove an API that was added
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Find operations by words
    Search {
        /// What it should do
        #[arg(value_name = "WORDS", required = true)]
        words: Vec<String>,
        /// Only this vendor: aws, kubernetes, stripe, openbb
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// How many at most
        #[arg(short, long = "limit", value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000).map(usize::from))]
        k: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one operation: aws/ec2/CreateVpc, `ec2 create-vpc`, CreateVpc
    Show {
        /// Its name
        #[arg(value_name = "OPERATION", required = true)]
        name: Vec<String>,
        /// Print JSON, with every shape it refers to
        #[arg(long)]
        json: bool,
    },
    /// List vendors, the services of one, or the operations of a service
    List {
        /// PROVIDER or PROVIDER/SERVICE
        #[arg(value_name = "PATH")]
        path: Option<String>,
        /// Every pack that is kept, also older ones
        #[arg(long, conflicts_with = "path")]
        all: bool,
    },
    /// Count what is there
    Stats {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

// === impl Arguments ===

impl Arguments {
    /// The settings that were given as flags.
    pub fn flags(&self) -> Flags {
        let given = [("cache", &self.cache), ("manifest", &self.manifest), ("log", &self.log)];
        let mut flags: Flags = given.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect();
        let mut add = |key, value: &Option<String>| flags.extend(value.clone().map(|value| (key, value)));
        match &self.command {
            Command::Ask(AskArguments { router, model, .. }) | Command::Eval(EvalArguments { router, model, .. }) => {
                add("router", router);
                add("model", model);
            }
            Command::Up(UpArguments { model, .. }) => add("model", model),
            Command::Router(RouterArguments { registry, .. })
            | Command::Scaler(ScalerArguments { registry, .. })
            | Command::Declare(DeclareArguments { registry, .. }) => add("registry", registry),
            Command::Worker(WorkerArguments { registry, model, .. }) => {
                add("registry", registry);
                add("model", model);
            }
            Command::Workers(WorkersArguments { router, .. }) => add("router", router),
            Command::Models(_) | Command::Catalogue(_) => {}
        }
        flags
    }
}

/// A calendar date, RFC 3339 `full-date`.
fn date(text: &str) -> Result<String, String> {
    let is_date = text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text);
    if is_date { Ok(text.to_owned()) } else { Err("not a date; write it as 2026-04-21".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn only_calendar_dates_pass() {
        for good in ["2026-04-21", "2024-02-29", "2000-02-29"] {
            assert!(date(good).is_ok(), "{good}");
        }
        for bad in ["", "2026-4-21", "2026-13-01", "2026-02-29", "1900-02-29", "2026-04-00", "21-04-2026", "today"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }
}
