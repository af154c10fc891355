//! Snapshots of 10,000 workers: how long a reader's lookup takes, and how long until a change is visible.
//!
//! `cargo bench -p silverback-registry`. Prints what was compared, how often, and the spread. Needs etcd on the PATH.
#![allow(clippy::print_stdout, reason = "a benchmark reports")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use silverback_registry::{
    Capability, Card, CardKind, Digest, Limits, Registry, RegistryConfig, SnapshotHandle, WorkerRecord, keys,
    store::{EtcdStore, MemoryStore, Store},
    testing::EtcdProcess,
};

const WORKERS: usize = 10_000;
const CHANGES: usize = 300;
const LOOKUPS: u32 = 1_000_000;

#[tokio::main]
async fn main() {
    for capabilities in [1, 100] {
        let store = Arc::new(MemoryStore::new());
        measure("memory", store, capabilities).await;
    }
    let etcd = EtcdProcess::start().await;
    let store = EtcdStore::connect(&[etcd.endpoint()], Duration::from_secs(10)).await.expect("etcd has just answered");
    measure("etcd", Arc::new(store), 100).await;
}

/// Fills a store, follows it, changes one worker after another.
async fn measure(name: &str, store: Arc<dyn Store>, capabilities: usize) {
    let card = card();
    put(&*store, keys::card(&card.digest()), card.to_json()).await;
    let records: Vec<_> = (0..WORKERS).map(|number| record(number, capabilities, &card)).collect();
    for records in records.chunks(200) {
        futures::future::join_all(records.iter().map(|record| put_record(&*store, record))).await;
    }
    let registry = Registry::on_store(store.clone(), RegistryConfig::default()).expect("the default is valid");
    let start = Instant::now();
    let mut handle = registry.follow();
    handle.wait_until(|snapshot| snapshot.workers().count() == WORKERS).await;
    println!("{name}, {WORKERS} workers in {capabilities} capabilities");
    println!("  first listing            {:>10.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let visible = measure_changes(&*store, &mut handle, records).await;
    print_spread("change until visible", visible, 1e3, "ms");
    measure_lookups(&handle, capabilities);
}

async fn measure_changes(store: &dyn Store, handle: &mut SnapshotHandle, records: Vec<WorkerRecord>) -> Vec<Duration> {
    let mut visible = Vec::new();
    for (number, mut record) in records.into_iter().step_by(WORKERS / CHANGES).enumerate() {
        record.started += number as u64 + 1;
        let start = Instant::now();
        put_record(store, &record).await;
        handle
            .wait_until(|snapshot| {
                let workers = snapshot.workers_for(&record.capability);
                let place = workers.binary_search_by(|worker| worker.record.id.cmp(&record.id));
                place.is_ok_and(|place| workers[place].record.started == record.started)
            })
            .await;
        visible.push(start.elapsed());
    }
    visible
}

fn measure_lookups(handle: &SnapshotHandle, capabilities: usize) {
    let wanted: Vec<Capability> = (0..capabilities).map(|number| capability(number, capabilities)).collect();
    let snapshot = handle.load();
    let held = per_lookup(|round| snapshot.workers_for(&wanted[round % wanted.len()]).len());
    print_spread("lookup in a snapshot", held, 1e9, "ns");
    let loaded = per_lookup(|round| handle.load().workers_for(&wanted[round % wanted.len()]).len());
    print_spread("load and lookup", loaded, 1e9, "ns");
}

/// Mean time of a lookup in each of ten rounds.
fn per_lookup(mut lookup: impl FnMut(usize) -> usize) -> Vec<Duration> {
    let rounds = (0..10).map(|_| {
        let start = Instant::now();
        for round in 0..LOOKUPS {
            black_box(lookup(black_box(round as usize)));
        }
        start.elapsed() / LOOKUPS
    });
    rounds.collect()
}

fn print_spread(what: &str, mut times: Vec<Duration>, per_second: f64, unit: &str) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * per_second;
    let (median, p99, worst) = (at(0.5), at(0.99), at(1.0));
    println!("  {what:<24} {median:>10.3} {unit} median, {p99:.3} p99, {worst:.3} worst of {}", times.len());
}

async fn put(store: &dyn Store, key: String, value: String) {
    store.put(&key, value.as_bytes(), None).await.expect("the store answers");
}

async fn put_record(store: &dyn Store, record: &WorkerRecord) {
    let json = serde_json::to_string(record).expect("a record is JSON");
    put(store, keys::worker(&record.capability, &record.id), json).await;
}

fn capability(number: usize, capabilities: usize) -> Capability {
    Capability::new(format!("vendor-{}/service", number % capabilities)).expect("the name is valid")
}

fn record(number: usize, capabilities: usize, card: &Card) -> WorkerRecord {
    let id = format!("worker-{number:05}").parse().expect("the id is valid");
    WorkerRecord::new(id, capability(number, capabilities), format!("http://10.0.0.1:{}", 1 + number), card)
}

fn card() -> Card {
    Card {
        model: "bench".to_owned(),
        model_digest: Digest::of(b"model"),
        adapter: None,
        catalogue: Some(Digest::of(b"pack")),
        catalogue_name: Some("bench".to_owned()),
        grammar_version: "1".to_owned(),
        limits: Limits { max_concurrent: 4, max_prompt_tokens: 4096 },
        kind: CardKind::Specialist,
        description: "A specialist".to_owned(),
        examples: vec![],
    }
}
