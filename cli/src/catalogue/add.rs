//! `silverback catalogue add|remove`: an API of the user's own becomes a pack and a specialty.
//!
//! Reads the source ▶ imports ▶ writes the pack ▶ writes the specialty beside it. Both by renaming a finished file: what was
//! there stays until then, and on every error. Running workers see the new files and serve them.

mod examples;
mod fetch;
mod mcp;

use std::{
    fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use silverback_catalogue::{
    Pack,
    build::{self, BuiltPack},
    import::{
        Imported, aws,
        brought::{self, Source},
        document,
    },
    pack::archive,
};
use silverback_registry::Card;
use silverback_workers::{DraftPrompt, PLAN, Routing, Specialty, built_in_specialties};

use super::encode;
use crate::{
    args::AddArguments,
    config::Config,
    error::CliError,
    models::{Progress, Puller},
    terminal,
};

/// Longest name.
const MAX_NAME_BYTES: usize = 40;

/// What a source gave.
enum Brought {
    /// One document, and the address it came from.
    Document { bytes: Vec<u8>, fetched_from: Option<String> },
    /// A folder of service models.
    Models(PathBuf),
}

/// Adds a catalogue; the text says what came of it.
pub async fn add(arguments: &AddArguments, config: &Config, progress: &Progress) -> Result<String, CliError> {
    let name = arguments.name.clone();
    check_name(&name)?;
    let given = read_source(arguments).await?;
    let (packs, arguments) = (config.cache.packs(), arguments.clone());
    let puller = Puller::new(config.cache.clone(), config.sources.clone(), progress.clone());
    let (encoder, progress) = (encode::find(config, &puller, progress).await, progress.clone());
    let adding = tokio::task::spawn_blocking(move || {
        let imported = import(given, &arguments)?;
        let specialty = specialty(&arguments, &imported)?;
        let earlier: Vec<Pack> = Pack::open(packs.join(format!("{}.pack", arguments.name))).into_iter().collect();
        let built = build::build_imported(&imported, &packs)?;
        let built = encode::finish(vec![built], &earlier, encoder, &progress)?.remove(0);
        write_specialty(&specialty, &packs)?;
        Ok::<_, CliError>((built, specialty))
    });
    let (built, specialty) = adding.await.map_err(|error| CliError::Defect(error.to_string()))??;
    Ok(told(&built, &specialty))
}

/// Removes an added catalogue.
pub fn remove(name: &str, config: &Config) -> Result<String, CliError> {
    check_name(name)?;
    let packs = config.cache.packs();
    let mut found = false;
    // The specialty first: a pack without one is served by nobody.
    for ending in ["toml", "pack"] {
        let path = packs.join(format!("{name}.{ending}"));
        match fs::remove_file(&path) {
            Ok(()) => found = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unwritable(&path, error)),
        }
    }
    archive::forget(&packs, name);
    if !found {
        return Err(CliError::usage(
            format!("no catalogue named {name:?} was added"),
            "`silverback catalogue list` shows what there is",
        ));
    }
    Ok(format!("removed {name}; running workers let go of it within seconds\n"))
}

/// A name becomes a file, a capability and a provider.
fn check_name(name: &str) -> Result<(), CliError> {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_plain || name.len() > MAX_NAME_BYTES {
        let hint = format!("use a-z, 0-9 and -, a letter first, at most {MAX_NAME_BYTES}: petstore, my-api");
        return Err(CliError::usage(format!("{name:?} cannot be the name of a catalogue"), hint));
    }
    let shipped = built_in_specialties().into_iter().flat_map(|specialty| {
        let mut names = specialty.providers;
        names.push(specialty.capability);
        names
    });
    if shipped.into_iter().any(|own| own == name) || matches!(name, PLAN | "none" | "executor") {
        return Err(CliError::usage(format!("{name:?} is a name of silverback's own"), "choose another one"));
    }
    Ok(())
}

async fn read_source(arguments: &AddArguments) -> Result<Brought, CliError> {
    if let Some(server) = arguments.server.as_deref() {
        fetch::check_address(server)?;
    }
    match (&arguments.source, &arguments.command[..]) {
        (None, [_, ..]) => {
            let answer = mcp::over_stdio(&arguments.command).await?;
            Ok(Brought::Document { bytes: answer, fetched_from: None })
        }
        (Some(source), []) if source.contains("://") => {
            let (bytes, address) = fetch::description(source).await?;
            Ok(Brought::Document { bytes, fetched_from: Some(address) })
        }
        (Some(source), []) => read_path(Path::new(source)),
        _ => {
            let hint = "`silverback catalogue add NAME FILE`, `… NAME URL`, or `… NAME -- COMMAND ARGUMENT…` for an MCP server";
            Err(CliError::usage("a catalogue needs one source", hint))
        }
    }
}

fn read_path(path: &Path) -> Result<Brought, CliError> {
    let failed = |error: io::Error| {
        CliError::usage(
            format!("cannot read {}: {error}", path.display()),
            "give a file, a folder of botocore's form, or a URL",
        )
    };
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Ok(Brought::Models(path.to_owned()));
    }
    // Not by its length: a device says 0 and never ends.
    let mut bytes = Vec::new();
    let mut file = fs::File::open(path).map_err(failed)?.take(document::MAX_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Brought::Document { bytes, fetched_from: None })
}

fn import(given: Brought, arguments: &AddArguments) -> Result<Imported, CliError> {
    match given {
        Brought::Models(folder) => {
            let mut imported = aws::operations(&folder)?;
            imported.belong_to(&arguments.name)?;
            Ok(imported)
        }
        Brought::Document { bytes, fetched_from } => {
            let origin = arguments.source.clone().unwrap_or_else(|| arguments.command.join(" "));
            let source = Source {
                name: arguments.name.clone(),
                origin: terminal::one_line(&origin),
                server: arguments.server.clone(),
                fetched_from,
                trusts_hints: arguments.trust_hints,
            };
            Ok(brought::operations_from(&bytes, &source)?)
        }
    }
}

fn specialty(arguments: &AddArguments, imported: &Imported) -> Result<Specialty, CliError> {
    let name = &arguments.name;
    let title = imported.services.first().map(|service| service.title.as_str()).unwrap_or_default();
    let given = arguments.describe.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let description = given.map_or_else(|| examples::line(&format!("{name}: {title}")), str::to_owned);
    let is_line = |text: &str| text.chars().count() <= Card::MAX_LINE_CHARS && !text.chars().any(char::is_control);
    if let Some(bad) =
        arguments.examples.iter().chain([&description]).find(|text| !is_line(text) || text.trim().is_empty())
    {
        let shown = terminal::one_line(&bad.chars().take(60).collect::<String>());
        let hint = format!("one line of at most {} letters each for --describe and --example", Card::MAX_LINE_CHARS);
        return Err(CliError::usage(format!("\"{shown}\" cannot be used"), hint));
    }
    Ok(Specialty {
        capability: name.clone(),
        description,
        providers: vec![name.clone()],
        // No opener, no draft: the model does not know the language of an API that it never saw.
        draft: DraftPrompt::default(),
        routing: Routing { examples: examples::of(imported, &arguments.examples) },
    })
}

fn write_specialty(specialty: &Specialty, packs: &Path) -> Result<(), CliError> {
    let path = packs.join(format!("{}.toml", specialty.capability));
    let text = toml::to_string_pretty(specialty).map_err(|error| CliError::Defect(error.to_string()))?;
    let head = "# Written by `silverback catalogue add`; the examples decide which requests come here. Edit them as you like.\n";
    let fresh = packs.join(format!(".{}.{}.tmp", specialty.capability, std::process::id()));
    let written = fs::File::create(&fresh).and_then(|mut file| {
        file.write_all(head.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&fresh, &path)).map_err(|error| {
        let _ = fs::remove_file(&fresh);
        unwritable(&path, error)
    })
}

fn unwritable(path: &Path, error: io::Error) -> CliError {
    CliError::SourceFailed {
        message: format!("cannot write {}: {error}", path.display()),
        hint: "free some space there, or set SILVERBACK_CACHE to another folder".to_owned(),
    }
}

fn told(built: &BuiltPack, specialty: &Specialty) -> String {
    let name = &built.provider;
    format!(
        "added {name}: {} operations, {}, {}\nrouted to by {} examples in {}\n`silverback ask` and a running `silverback up` serve it; \
         look into it with `silverback catalogue list {name}`\n",
        built.operations,
        indicatif::HumanBytes(built.bytes),
        built.digest,
        specialty.routing.examples.len(),
        built.path.with_extension("toml").display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_that_are_not_taken_pass() {
        for good in ["petstore", "my-api2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Pet",
            "2x",
            "../x",
            "a/b",
            "a\u{1b}",
            "-a",
            "aws",
            "stripe",
            "finance",
            "plan",
            "none",
            &"x".repeat(41),
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
