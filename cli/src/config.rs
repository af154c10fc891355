//! Composes the settings of the binary: file < environment < flag. The only place here that reads the environment.
//!
//! Start at [`SETTINGS`]: one row a setting. All problems are reported together.

use std::{collections::BTreeMap, env, fs, io, path::PathBuf};

use silverback_engine::Device;
use thiserror::Error;

use crate::models::{Cache, Manifest, ModelError, SourceConfig};

/// Where a router is looked for when nobody says otherwise; where `up` listens.
pub const DEFAULT_ROUTER: &str = "127.0.0.1:7411";

/// Where `up` and `router` serve clients of OpenAI's API when nobody says otherwise.
pub const DEFAULT_HTTP: &str = "127.0.0.1:7480";

/// Where `scaler` listens for KEDA when nobody says otherwise.
pub const DEFAULT_SCALER: &str = "127.0.0.1:7413";

/// One thing that can be set.
struct Setting {
    /// In `config.toml`, and the name of the flag.
    key: &'static str,
    /// In the environment.
    variable: &'static str,
}

/// All settings that come from more than a flag.
const SETTINGS: &[Setting] = &[
    Setting { key: "cache", variable: "SILVERBACK_CACHE" },
    Setting { key: "manifest", variable: "SILVERBACK_MANIFEST" },
    Setting { key: "model", variable: "SILVERBACK_MODEL" },
    Setting { key: "device", variable: "SILVERBACK_DEVICE" },
    Setting { key: "refuse-below", variable: "SILVERBACK_REFUSE_BELOW" },
    Setting { key: "router", variable: "SILVERBACK_ROUTER" },
    Setting { key: "registry", variable: "SILVERBACK_REGISTRY" },
    Setting { key: "python", variable: "SILVERBACK_PYTHON" },
    Setting { key: "log", variable: "SILVERBACK_LOG" },
    // The name that the hub's own tools read.
    Setting { key: "hub-endpoint", variable: "HF_ENDPOINT" },
];

/// Values given as flags, by key.
pub type Flags = BTreeMap<&'static str, String>;

/// What the binary works with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Models, packs and pieces of downloads. A gigabyte and more.
    pub cache: Cache,
    /// A list of models in place of the built-in one.
    pub manifest: Option<PathBuf>,
    /// The base model; the manifest's default one when absent.
    pub model: Option<String>,
    /// Where models run: `cpu`, or `cuda:N` when built for it.
    pub device: Device,
    /// Probability of a fit below which a worker refuses a step.
    pub refuse_below: f32,
    /// The router to ask; when absent, the default address if something answers there.
    pub router: Option<String>,
    /// Where workers are registered: `memory:` or `etcd://…`.
    pub registry: Option<String>,
    /// How model files are fetched.
    pub sources: SourceConfig,
    /// A filter of tracing, such as `info` or `silverback_router=debug`.
    pub log: Option<String>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Error)]
#[error("{}", problems.join("; "))]
pub struct ConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// A value and who gave it.
struct Given {
    value: String,
    origin: String,
}

// === impl Config ===

impl Config {
    /// Reads the file and the environment; `flags` win. `file` is the path given as a flag, if any.
    pub fn load(file: Option<PathBuf>, flags: &Flags) -> Result<Self, ConfigError> {
        let environment = |name: &str| env::var_os(name);
        let mut problems = Vec::new();
        let variable = |name: &str, problems: &mut Vec<String>| {
            let value = environment(name).filter(|value| !value.is_empty())?;
            value.into_string().map_err(|_| problems.push(format!("{name} is not valid UTF-8"))).ok()
        };
        let mut folder = |specific: &str, below_home: &str| {
            let specific = variable(specific, &mut problems).map(PathBuf::from);
            specific.or_else(|| Some(env::home_dir()?.join(below_home))).map(|base| base.join("silverback"))
        };
        let default_cache = folder("XDG_CACHE_HOME", ".cache");
        let default_file = folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml"));
        let is_named = file.is_some();
        let mut given = match file.or(default_file) {
            Some(path) => read_file(&path, is_named, &mut problems),
            None => BTreeMap::new(),
        };
        for setting in SETTINGS {
            if let Some(value) = variable(setting.variable, &mut problems) {
                given.insert(setting.key, Given { value, origin: setting.variable.to_owned() });
            }
        }
        for (key, value) in flags {
            given.insert(key, Given { value: value.clone(), origin: format!("--{key}") });
        }
        compose(given, default_cache, problems)
    }

    /// The list of models to work with.
    pub fn manifest(&self) -> Result<Manifest, ModelError> {
        let Some(path) = &self.manifest else {
            return Ok(Manifest::built_in());
        };
        let text = fs::read_to_string(path).map_err(ModelError::at(path))?;
        Manifest::parse(&text, &path.display().to_string())
    }
}

fn compose(
    mut given: BTreeMap<&'static str, Given>,
    default_cache: Option<PathBuf>,
    mut problems: Vec<String>,
) -> Result<Config, ConfigError> {
    let mut take = |key: &str, check: fn(&str) -> Result<(), &'static str>| {
        let given = given.remove(key)?;
        match check(&given.value) {
            Ok(()) => Some(given.value),
            Err(wanted) => {
                problems.push(format!("{} is {:?}, but should be {wanted}", given.origin, given.value));
                None
            }
        }
    };
    let defaults = SourceConfig::default();
    let cache = take("cache", is_not_empty).map(PathBuf::from).or(default_cache);
    let mut config = Config {
        cache: Cache::new(PathBuf::new()),
        manifest: take("manifest", is_not_empty).map(PathBuf::from),
        model: take("model", is_not_empty),
        device: take("device", is_device).and_then(|name| device(&name)).unwrap_or_default(),
        refuse_below: take("refuse-below", is_probability)
            .and_then(|text| text.parse().ok())
            .unwrap_or(silverback_workers::REFUSE_BELOW),
        router: take("router", is_address),
        registry: take("registry", is_registry),
        sources: SourceConfig {
            hub_endpoint: take("hub-endpoint", is_http).unwrap_or(defaults.hub_endpoint),
            python: take("python", is_not_empty).unwrap_or(defaults.python),
        },
        log: take("log", is_filter),
    };
    match cache {
        Some(root) => config.cache = Cache::new(root),
        None => problems.push("there is no home folder: set SILVERBACK_CACHE".to_owned()),
    }
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

fn read_file(path: &PathBuf, is_named: bool, problems: &mut Vec<String>) -> BTreeMap<&'static str, Given> {
    let mut given = BTreeMap::new();
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        // The usual file may be absent; one that a person named may not.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => return given,
        Err(error) => {
            problems.push(format!("cannot read {shown}: {error}"));
            return given;
        }
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            problems.push(format!("{shown} is not TOML: {}", error.message()));
            return given;
        }
    };
    for (key, value) in table {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        match (setting, value) {
            (Some(setting), toml::Value::String(value)) => {
                given.insert(setting.key, Given { value, origin: format!("{key} in {shown}") });
            }
            (Some(_), _) => problems.push(format!("{key} in {shown} should be a string")),
            (None, _) => {
                let known = SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>().join(", ");
                problems.push(format!("{key} in {shown} is no setting (there are {known})"));
            }
        }
    }
    given
}

fn is_not_empty(value: &str) -> Result<(), &'static str> {
    if value.is_empty() { Err("something") } else { Ok(()) }
}

fn is_http(value: &str) -> Result<(), &'static str> {
    let address = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"));
    if address.is_some_and(|rest| !rest.is_empty()) { Ok(()) } else { Err("http://… or https://…") }
}

fn is_address(value: &str) -> Result<(), &'static str> {
    let address = value.strip_prefix("http://").unwrap_or(value);
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if matches!(port, Some(Ok(_))) { Ok(()) } else { Err("HOST:PORT") }
}

fn is_registry(value: &str) -> Result<(), &'static str> {
    let known = value == "memory:" || value.strip_prefix("etcd://").is_some_and(|rest| !rest.is_empty());
    if known { Ok(()) } else { Err("memory: or etcd://HOST:PORT[,HOST:PORT…]") }
}

fn device(name: &str) -> Option<Device> {
    match name {
        "cpu" => Some(Device::Cpu),
        "cuda" => Some(Device::Cuda(0)),
        _ => name.strip_prefix("cuda:")?.parse().ok().map(Device::Cuda),
    }
}

fn is_device(value: &str) -> Result<(), &'static str> {
    if device(value).is_some() { Ok(()) } else { Err("cpu, cuda or cuda:NUMBER") }
}

fn is_probability(value: &str) -> Result<(), &'static str> {
    let number = value.parse::<f32>().ok().filter(|number| (0.0..=1.0).contains(number));
    number.map(drop).ok_or("a number from 0 to 1")
}

fn is_filter(value: &str) -> Result<(), &'static str> {
    let parsed = value.parse::<tracing_subscriber::EnvFilter>();
    parsed.map(drop).map_err(|_| "a level such as info, or target=level,…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, Given> {
        let give = |value: &str| Given { value: value.to_owned(), origin: "here".to_owned() };
        pairs.iter().map(|(key, value)| (*key, give(value))).collect()
    }

    #[test]
    fn every_problem_is_reported_together() {
        let bad = given(&[("router", "nowhere"), ("registry", "redis://x"), ("hub-endpoint", "ftp://x")]);
        let error = compose(bad, Some("/c".into()), vec![]).unwrap_err();
        assert_eq!(error.problems.len(), 3, "{error}");
        assert!(error.to_string().contains("HOST:PORT"));
    }

    #[test]
    fn without_a_home_the_cache_must_be_named() {
        assert!(compose(given(&[]), None, vec![]).is_err());
        assert!(compose(given(&[("cache", "/c")]), None, vec![]).is_ok());
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "router = \"file:1\"\nlog = \"info\"\n").unwrap();
        let flags = Flags::from([("router", "flag:2".to_owned())]);
        let config = Config::load(Some(path), &flags).unwrap();
        assert_eq!(config.router.as_deref(), Some("flag:2"));
        assert_eq!(config.log.as_deref(), Some("info"));
    }

    #[test]
    fn an_unknown_key_names_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "colour = \"blue\"\nlog = 3\n").unwrap();
        let error = Config::load(Some(path), &Flags::new()).unwrap_err();
        assert_eq!(error.problems.len(), 2, "{error}");
        assert!(error.to_string().contains("hub-endpoint"));
    }

    #[test]
    fn a_named_file_must_exist() {
        assert!(Config::load(Some("/nonexistent/config.toml".into()), &Flags::new()).is_err());
    }
}
