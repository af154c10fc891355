//! Counts what the catalogue holds and how much is known of it.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use serde_json::{Map, Value, json};
use silverback_catalogue::{Catalogue, CatalogueError, Operation, Pack};

use crate::terminal;

/// What is counted of an operation beside its effect, by the name it is shown under.
type Question = (&'static str, fn(&Operation) -> bool);

const QUESTIONS: [Question; 6] = [
    ("typed results", |operation| !operation.result.is_null()),
    ("inverses", |operation| operation.semantics.inverse.is_some()),
    ("keys", |operation| operation.semantics.key.is_some()),
    ("dry runs", |operation| operation.semantics.dry_run.is_some()),
    ("paged", |operation| operation.semantics.paging.is_some()),
    ("waiters", |operation| !operation.semantics.waiters.is_empty()),
];

/// What one pack holds.
struct Counted {
    effects: BTreeMap<&'static str, u32>,
    /// In the order of [`QUESTIONS`].
    known: [u32; QUESTIONS.len()],
    bytes: u64,
}

/// The catalogue in numbers, for people or as JSON.
pub fn stats(catalogue: &Catalogue, json: bool) -> Result<String, CatalogueError> {
    let counted = catalogue.packs().iter().map(|pack| Ok((pack, count(pack)?)));
    let counted: Vec<(&Pack, Counted)> = counted.collect::<Result<_, CatalogueError>>()?;
    if json {
        let packs: Vec<Value> = counted.iter().map(|(pack, counted)| document(pack, counted)).collect();
        let all = json!({"digest": catalogue.digest(), "operations": catalogue.len(), "packs": packs});
        return Ok(serde_json::to_string_pretty(&all).expect("it is plain data") + "\n");
    }
    let mut rows = vec![["PROVIDER", "SERVICES", "OPERATIONS", "EFFECTS", "SIZE", "DIGEST"].map(str::to_owned)];
    rows.extend(counted.iter().map(|(pack, counted)| row(pack, counted)));
    let mut text = terminal::table(&rows);
    let mut known =
        vec![std::iter::once("PROVIDER".to_owned()).chain(QUESTIONS.map(|(name, _)| name.to_uppercase())).collect()];
    known.extend(counted.iter().map(|(pack, counted)| {
        let numbers = counted.known.iter().map(u32::to_string);
        std::iter::once(pack.provider().to_owned()).chain(numbers).collect::<Vec<_>>()
    }));
    text += "\n";
    text += &terminal::table(&known.into_iter().map(seven).collect::<Vec<_>>());
    Ok(text + &format!("\n{} operations, catalogue {}\n", catalogue.len(), catalogue.digest()))
}

fn count(pack: &Pack) -> Result<Counted, CatalogueError> {
    let bytes = std::fs::metadata(pack.path()).map_or(0, |metadata| metadata.len());
    let mut counted = Counted { effects: BTreeMap::new(), known: [0; QUESTIONS.len()], bytes };
    for index in 0..pack.len() {
        let operation = pack.operation(index)?;
        *counted.effects.entry(operation.effect.name()).or_default() += 1;
        for (count, (_, holds)) in counted.known.iter_mut().zip(QUESTIONS) {
            *count += u32::from(holds(&operation));
        }
    }
    Ok(counted)
}

fn document(pack: &Pack, counted: &Counted) -> Value {
    let known = counted.known.iter().zip(QUESTIONS).map(|(count, (name, _))| (name.replace(' ', "_"), json!(count)));
    json!({
        "provider": pack.provider(), "services": pack.services().len(), "operations": pack.len(),
        "effects": counted.effects, "known": Map::from_iter(known), "bytes": counted.bytes, "digest": pack.digest(),
    })
}

fn row(pack: &Pack, counted: &Counted) -> [String; 6] {
    let effects = counted.effects.iter().map(|(effect, count)| format!("{count} {effect}")).collect::<Vec<_>>();
    [
        pack.provider().to_owned(),
        pack.services().len().to_string(),
        pack.len().to_string(),
        effects.join(", "),
        HumanBytes(counted.bytes).to_string(),
        pack.digest().chars().take("sha256:".len() + 12).collect(),
    ]
}

fn seven(cells: Vec<String>) -> [String; QUESTIONS.len() + 1] {
    cells.try_into().expect("a provider and a number for each question")
}
