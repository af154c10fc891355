//! Turns kubectl's own help into operations: one for each command, its positionals typed, its flags by their long names.
//!
//! Two sources: `data/kubectl.json`, what `kubectl … --help` prints (rebuilt by `extract/kubectl.py`), and
//! `data/kubectl_commands.json`, our reading of each USAGE line (see [`command::Command`]), because those lines are irregular.
//! The kind of a resource is an enumeration of the kinds every cluster has; kinds of custom resources are not offered.
//! Start at [`operations`].

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::error::{CatalogueError, Result};
use crate::import::{Imported, ImportedService, kubernetes};
use crate::operation::{Invocation, Operation};

mod command;
mod flags;
mod positionals;
mod semantics;

use command::{Command, Help, Source};

/// Provider and service names of what is imported here.
pub const PROVIDER: &str = "kubernetes";
/// The one service of [`PROVIDER`].
pub const SERVICE: &str = "kubectl";

/// All commands of kubectl as operations of provider `kubernetes`, service `kubectl`.
pub fn operations() -> Result<Imported> {
    import(&Source::load()?)
}

/// The commands of another kubectl, from what `extract/kubectl.py` wrote of it.
///
/// # Errors
/// No such file, or a command that our table of usages does not know.
pub fn operations_of(file: &Path) -> Result<Imported> {
    let failed = |source| CatalogueError::SourceReadFailed { path: file.to_path_buf(), source };
    let help = std::fs::read_to_string(file).map_err(failed)?;
    import(&Source::of(&help, &file.display().to_string())?)
}

fn import(source: &Source) -> Result<Imported> {
    let operations = source.help.commands.iter().map(|help| operation(source, help)).collect::<Result<Vec<_>>>()?;
    let service = ImportedService {
        name: SERVICE.to_owned(),
        title: "Kubernetes cluster k8s".to_owned(),
        definitions: Arc::new(kubernetes::definitions()?),
        operations,
    };
    Ok(Imported { provider: PROVIDER.to_owned(), services: vec![service] })
}

/// All spellings of every command with the name of its operation, longest first: `("top po", "top pod")`.
pub(crate) fn spellings() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for help in &Source::load()?.help.commands {
        found.push((help.name.clone(), help.name.clone()));
        found.extend(help.aliases.iter().map(|alias| (alias.clone(), help.name.clone())));
    }
    found.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.split(' ').count()));
    Ok(found)
}

/// At most `limit` bytes of the first sentence of a help text, on one line.
pub(crate) fn brief(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_once(". ").map_or(line.as_str(), |(first, _)| first).trim_end_matches('.');
    if sentence.len() <= limit {
        return sentence.to_owned();
    }
    let mut end = limit - '…'.len_utf8();
    while !sentence.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &sentence[..end])
}

fn operation(source: &Source, help: &Help) -> Result<Operation> {
    let command = source.commands.get(&help.name).ok_or_else(|| CatalogueError::ImportFailed {
        origin: format!("data/kubectl_commands.json, command {:?}", help.name),
        reason: "kubectl has this command, the table has not: write an entry for it".to_owned(),
    })?;
    let mut words = vec!["kubectl".to_owned()];
    words.extend(help.name.split(' ').map(str::to_owned));
    words.extend(command.literal.clone());
    let semantics = semantics::of(help, command);
    Ok(Operation {
        provider: PROVIDER.to_owned(),
        service: SERVICE.to_owned(),
        name: help.name.clone(),
        summary: brief(&help.short, 300),
        words: search_words(help, command),
        effect: command.effect,
        undo: semantics.inverse.as_ref().map(|inverse| inverse.operation.clone()),
        invocation: Invocation::Command { words },
        parameters: parameters(source, help, command)?,
        result: result(command),
        semantics,
        definitions: Arc::default(),
    })
}

/// Users' words first, then the titles of the vendor's examples.
fn search_words(help: &Help, command: &Command) -> Vec<String> {
    let titles = help.examples.iter().map(|example| brief(&example.title, 120));
    command.words.iter().cloned().chain(help.aliases.iter().cloned()).chain(titles).collect()
}

fn parameters(source: &Source, help: &Help, command: &Command) -> Result<Value> {
    let mut properties = positionals::schemas(help, command)?;
    let mut required = positionals::required(command);
    for flag in help.flags.iter().chain(source.inherited(command)) {
        let name = command.flags.rename.get(&flag.name).unwrap_or(&flag.name);
        match properties.get_mut(name) {
            // `kubectl set env … A=1` and `--env A=1` say the same: one parameter, written as a positional.
            // Where a flag and a positional of one name differ, the table renames the flag.
            Some(same) => flags::mark(same, flag),
            None => {
                properties.insert(name.clone(), flags::schema(flag, command));
            }
        }
    }
    if let Some(file) = properties.get_mut("filename").filter(|_| sends_objects(&help.name)) {
        file["x-content"] = kubernetes::reference("Manifest");
    }
    if let Some(namespace) = properties.get_mut("namespace") {
        namespace["x-words"] = json!(["ns"]);
    }
    if let Some(columns) = properties.get_mut("label-columns") {
        // Names of labels: `app=web` selects and shows nothing.
        columns["items"]["pattern"] = json!("^[^=]+$");
    }
    // Parts of objects that are given as text: of the kind that is patched, or of what `run` and `expose` make.
    for (name, kind) in [("patch", json!(true)), ("overrides", made_by(&help.name))] {
        if let Some(text) = properties.get_mut(name).filter(|_| !kind.is_null()) {
            text["x-patch"] = kind;
        }
    }
    required.extend(command.required_flags().map(str::to_owned));
    add_alternatives(&mut properties, &required, command);
    let dependent = positionals::dependent(&properties, &required);
    let exclusive = exclusive(&properties, command);
    let mut schema =
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    if let Some(dependent) = dependent {
        schema["dependentRequired"] = dependent;
    }
    if !exclusive.is_empty() {
        schema["x-exclusive"] = json!(exclusive);
    }
    Ok(schema)
}

/// What a command makes whose `--overrides` change it.
fn made_by(command: &str) -> Value {
    match command {
        "run" => kubernetes::reference("Pod"),
        "expose" => kubernetes::reference("Service"),
        _ => Value::Null,
    }
}

/// Are the objects in `--filename` what the cluster is to hold? See [`crate::manifest`].
fn sends_objects(command: &str) -> bool {
    matches!(command, "apply" | "create" | "replace" | "diff" | "auth reconcile" | "apply set-last-applied")
}

/// A required parameter may be left out when one of its `x-instead` is given, e.g. NAME when there is a selector.
fn add_alternatives(properties: &mut Map<String, Value>, required: &[String], command: &Command) {
    for name in required {
        let usual: &[&str] = match name.as_str() {
            "resource" => &["filename", "kustomize", "raw"],
            "name" | "node" => &["filename", "kustomize", "selector", "field-selector", "all", "raw"],
            "pod" => &["resource", "filename", "selector"],
            "filename" => &["kustomize", "raw"],
            _ => &[],
        };
        let own = command.flags.instead.get(name).map_or("", String::as_str);
        let instead: Vec<&str> = usual
            .iter()
            .copied()
            .chain(own.split_whitespace())
            .filter(|other| properties.contains_key(*other))
            .collect();
        if let Some(schema) = properties.get_mut(name).filter(|_| !instead.is_empty()) {
            schema["x-instead"] = json!(instead);
        }
    }
}

/// Ways to say which objects are meant, of which kubectl takes one (its resource builder refuses the rest): names, a selector,
/// all, a file. Where the first positional is a new name (`create …`), `--selector` is another thing.
fn exclusive(properties: &Map<String, Value>, command: &Command) -> Vec<[&'static str; 2]> {
    const PAIRS: [[&str; 2]; 15] = [
        ["all", "selector"],
        ["all", "name"],
        ["all", "names"],
        ["all", "node"],
        ["selector", "name"],
        ["selector", "names"],
        ["selector", "node"],
        ["selector", "pod"],
        ["field-selector", "name"],
        ["field-selector", "names"],
        ["filename", "resource"],
        ["filename", "name"],
        ["filename", "names"],
        ["kustomize", "resource"],
        ["filename", "kustomize"],
    ];
    let first = command.positionals.split([' ', '|', '/']).next().unwrap_or_default();
    if !matches!(first, "resource" | "node" | "pod" | "name?") || properties.contains_key("service-name") {
        return Vec::new();
    }
    PAIRS.into_iter().filter(|pair| pair.iter().all(|name| properties.contains_key(*name))).collect()
}

/// What `-o json` prints: an object of the kind the table names, or of the kind that `resource` names.
fn result(command: &Command) -> Value {
    let Some(kind) = &command.result else { return Value::Null };
    let mut result = kubernetes::reference(kind);
    if kind == "Object" && command.positionals.starts_with("resource") {
        let kinds = positionals::kinds(command).into_iter().filter_map(kubernetes::kind);
        let cases = |list: &str| -> Map<String, Value> {
            kinds
                .clone()
                .map(|kind| (kind.name.clone(), kubernetes::reference(&format!("{}{list}", kind.kind))))
                .collect()
        };
        result["x-by"] = json!({"parameter": "resource", "one": cases("")});
        if command.positionals.contains("names") {
            result["x-by"]["many"] = Value::Object(cases("List"));
            result["x-by"]["named"] = json!(["name", "names"]);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Effect;

    fn all() -> Vec<Operation> {
        operations().expect("the committed extract imports").services.remove(0).operations
    }

    fn named(name: &str) -> Operation {
        all().into_iter().find(|operation| operation.name == name).expect(name)
    }

    fn required_of(operation: &Operation) -> Vec<String> {
        serde_json::from_value(operation.parameters["required"].clone()).expect("a list")
    }

    #[test]
    fn all_93_leaf_commands_and_the_3_that_also_have_subcommands_are_there() {
        let all = all();
        let is_group = |name: &str| all.iter().any(|other| other.name.starts_with(&format!("{name} ")));
        let (groups, leaves): (Vec<_>, Vec<_>) = all.iter().partition(|operation| is_group(&operation.name));
        assert_eq!(leaves.len(), 93);
        assert_eq!(
            groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(),
            ["create", "cluster-info", "apply"]
        );
        assert_eq!(
            Source::load().expect("loads").help.commands.iter().map(|help| help.flags.len()).sum::<usize>(),
            897
        );
    }

    #[test]
    fn the_table_and_the_help_name_the_same_commands_and_flags() {
        let source = Source::load().expect("loads");
        for (name, command) in &source.commands {
            let help = source.help.commands.iter().find(|help| help.name == *name).expect(name);
            let flags: Vec<&str> = help.flags.iter().map(|flag| flag.name.as_str()).collect();
            for flag in command.required_flags().chain(command.flags.rename.keys().map(String::as_str)) {
                assert!(flags.contains(&flag), "{name} has no flag {flag}");
            }
            for kind in command.kinds.split_whitespace() {
                assert_eq!(kubernetes::kind(kind).map(|found| found.name.as_str()), Some(kind), "{name}");
            }
            if let Some(undo) = &command.undo {
                assert!(source.commands.contains_key(undo), "{name} is undone by {undo}");
            }
        }
    }

    #[test]
    fn every_required_parameter_and_alternative_exists() {
        for operation in all() {
            for name in required_of(&operation) {
                let schema = operation.parameter(&name).unwrap_or_else(|| panic!("{} requires {name}", operation.name));
                for other in schema["x-instead"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    assert!(operation.parameter(other).is_some(), "{}: {other} instead of {name}", operation.name);
                }
            }
            assert!(!operation.summary.is_empty() && operation.summary.len() <= 300, "{}", operation.name);
        }
    }

    #[test]
    fn positionals_are_typed_and_required_as_kubectl_wants_them() {
        let all = all();
        let named = |name: &str| all.iter().find(|operation| operation.name == name).expect(name);
        let required = |name: &str| required_of(named(name));
        assert_eq!(required("scale"), ["resource", "name", "replicas"]);
        assert_eq!(required("rollout restart"), ["resource", "name"]);
        assert_eq!(required("logs"), ["pod"]);
        assert_eq!(required("exec"), ["pod", "command"]);
        assert_eq!(required("get"), ["resource"]);
        assert_eq!(required("create deployment"), ["name", "image"]);
        assert_eq!(required("cp"), ["source", "destination"]);
        assert!(required("api-resources").is_empty());
        let scale = named("scale");
        assert_eq!(
            scale.parameter("resource").expect("resource")["enum"],
            json!(["deployment", "replicaset", "replicationcontroller", "statefulset"])
        );
        assert_eq!(scale.parameter("replicas").expect("replicas")["type"], "integer");
        assert_eq!(named("rollout restart").parameter("name").expect("name")["x-join"], "/");
        assert_eq!(named("get").parameter("resource").expect("resource")["enum"].as_array().expect("kinds").len(), 58);
    }

    #[test]
    fn flags_are_typed_and_dry_run_is_never_offered() {
        let logs = named("logs");
        assert_eq!(logs.parameter("tail").expect("tail")["type"], "integer");
        assert_eq!(logs.parameter("since").expect("since")["x-kind"], "duration");
        assert_eq!(logs.parameter("follow").expect("follow")["x-short"], "f");
        assert_eq!(named("get").parameter("output").expect("output")["enum"][0], "json");
        assert_eq!(named("delete").parameter("dry-run").expect("dry-run")["x-never"], true);
        assert_eq!(named("patch").parameter("type").expect("type")["enum"], json!(["json", "merge", "strategic"]));
    }

    #[test]
    fn the_namespace_is_offered_where_there_is_one() {
        for (name, is_namespaced) in
            [("get", true), ("scale", true), ("logs", true), ("cordon", false), ("config view", false)]
        {
            assert_eq!(named(name).parameter("namespace").is_some(), is_namespaced, "{name}");
        }
        assert!(named("auth can-i").parameter("as").is_some());
        assert!(named("get").parameter("token").is_none());
    }

    #[test]
    fn effects_are_honest() {
        use Effect::{Idempotent, Irreversible, Read};
        let all = all();
        let named = |name: &str| all.iter().find(|operation| operation.name == name).expect(name);
        for (name, effect) in [
            ("get", Read),
            ("logs", Read),
            ("scale", Idempotent),
            ("apply", Idempotent),
            // Twice is a second restart, and a second undo is a redo.
            ("rollout restart", Irreversible),
            ("rollout undo", Irreversible),
            ("delete", Irreversible),
            ("exec", Irreversible),
        ] {
            assert_eq!(named(name).effect, effect, "{name}");
        }
        assert_eq!(named("cordon").undo.as_deref(), Some("uncordon"));
    }

    #[test]
    fn a_dry_run_reads_and_none_is_none() {
        for (name, effect) in
            [("apply", Effect::Idempotent), ("delete", Effect::Irreversible), ("scale", Effect::Idempotent)]
        {
            let operation = named(name);
            for (value, expected) in [("client", Effect::Read), ("server", Effect::Read), ("none", effect)] {
                assert_eq!(operation.effect_of(&json!({"dry-run": value})), expected, "{name} --dry-run={value}");
            }
        }
        assert_eq!(named("get").semantics.dry_run, None);
        // Every command that changes a cluster and has the flag can be asked.
        for operation in all().iter().filter(|operation| operation.effect != Effect::Read) {
            assert_eq!(
                operation.semantics.dry_run.is_some(),
                operation.parameter("dry-run").is_some(),
                "{}",
                operation.name
            );
        }
    }

    #[test]
    fn flags_that_delete_or_only_list_change_the_effect() {
        assert_eq!(named("apply").effect_of(&json!({"filename": ["x"], "prune": true})), Effect::Irreversible);
        assert_eq!(named("apply").effect_of(&json!({"force": true})), Effect::Irreversible);
        assert_eq!(named("set env").effect_of(&json!({"list": true})), Effect::Read);
        assert_eq!(named("set env").effect_of(&json!({"list": false})), Effect::Idempotent);
        for operation in all() {
            for variation in &operation.semantics.variations {
                assert!(operation.parameter(&variation.parameter).is_some(), "{}", operation.name);
            }
        }
    }

    #[test]
    fn what_is_created_is_deleted_by_the_kind_and_name_it_has() {
        let all = all();
        let find = |name: &str| all.iter().find(|operation| operation.name == name).expect(name);
        let inverse = find("create deployment").semantics.inverse.clone().expect("an inverse");
        let constant = crate::semantics::ArgumentSource::Constant(json!("deployment"));
        assert_eq!((inverse.operation.as_str(), &inverse.arguments[0].1), ("delete", &constant));
        for operation in all.iter().filter(|operation| operation.semantics.inverse.is_some()) {
            let inverse = operation.semantics.inverse.as_ref().expect("filtered");
            let target = find(&inverse.operation);
            for (name, source) in &inverse.arguments {
                assert!(target.parameter(name).is_some(), "{} {name}", operation.name);
                match source {
                    crate::semantics::ArgumentSource::Argument(name) => assert!(operation.parameter(name).is_some()),
                    crate::semantics::ArgumentSource::Result(path) => assert!(path.starts_with("metadata.")),
                    crate::semantics::ArgumentSource::Constant(_) => {}
                }
            }
            let names: Vec<&String> = inverse.arguments.iter().map(|(name, _)| name).collect();
            for required in required_of(target) {
                assert!(names.contains(&&required), "{}: {required}", operation.name);
            }
        }
    }
}
