//! Resident memory of opened packs, and the time to read an operation with every shape it leads to, cold and warm.
//!
//! `cargo bench -p silverback-catalogue --bench memory -- FOLDER_WITH_PACKS [WHEEL | SERVICE]`: with a botocore wheel the packs are
//! built into the folder and the build is timed, nothing else; with the name of a service its operations alone are read.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use silverback_catalogue::build::{BuildSources, build_packs};
use silverback_catalogue::{Catalogue, Operation, OperationRef, check, result_paths};

const SERVICES: usize = 100;
const OPERATIONS: usize = 500;
const RANDOM: usize = 2000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let Some(folder) = arguments.next() else { return println!("skipped: give a folder with packs") };
    let second = arguments.next();
    if let Some(wheel) = second.clone().filter(|second| second.exists()) {
        return build(wheel, &folder);
    }
    let resting = resident();
    println!("resident, before anything {:>28} MB", megabytes(resting));
    let paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().filter_map(|entry| Some(entry.ok()?.path())).collect();
    let paths: Vec<&PathBuf> = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "pack")).collect();
    let started = Instant::now();
    let catalogue = Catalogue::open(&paths).unwrap();
    let opened = started.elapsed();
    for pack in catalogue.packs() {
        println!("{:>12}: {} bytes on disk", pack.provider(), fs::metadata(pack.path()).unwrap().len());
    }
    println!("{} operations opened in {opened:?}; resident {} MB", catalogue.len(), megabytes(resident()));
    if let Some(name) = second {
        return one_service(&catalogue, &name.display().to_string());
    }
    let spread = over_services(&catalogue);
    let (cold, warm) = read_all(&catalogue, &spread);
    report(&format!("{} operations over {SERVICES} services", spread.len()), cold, warm);
    let random = at_random(&catalogue);
    let (cold, warm) = read_all(&catalogue, &random);
    report(&format!("{} random operations", random.len()), cold, warm);
    let every = catalogue.packs().iter().zip(0u32..);
    let every: Vec<OperationRef> = every
        .flat_map(|(pack, number)| (0..pack.len()).map(move |index| OperationRef { pack: number, index }))
        .collect();
    let (cold, warm) = read_all(&catalogue, &every);
    report(&format!("all {} operations in order", every.len()), cold, warm);
    println!("resident at the highest {:>30} MB", megabytes(high_water()));
}

/// The memory of one operation, then of all of its service.
fn one_service(catalogue: &Catalogue, name: &str) {
    let (pack, number) = catalogue.packs().iter().zip(0u32..).find(|(pack, _)| pack.service(name).is_some()).unwrap();
    let service = pack.service(name).unwrap();
    let all: Vec<OperationRef> =
        (service.first..service.first + service.count).map(|index| OperationRef { pack: number, index }).collect();
    let (cold, warm) = read_all(catalogue, &all[..1]);
    report(&format!("{name}: one operation"), cold, warm);
    let (cold, warm) = read_all(catalogue, &all);
    report(&format!("{name}: all {} operations", all.len()), cold, warm);
    println!("resident at the highest {:>30} MB", megabytes(high_water()));
}

fn build(wheel: PathBuf, folder: &Path) {
    let started = Instant::now();
    let built = build_packs(&BuildSources { botocore: Some(wheel), embedded: true }, folder).unwrap();
    let took = started.elapsed();
    for pack in built {
        println!("{:>12}: {} operations, {} bytes, {}", pack.provider, pack.operations, pack.bytes, pack.digest);
    }
    println!("built in {took:?}; resident at the highest {} MB", megabytes(high_water()));
}

/// The first few operations of a hundred services, EC2 among them, spread evenly over all vendors.
fn over_services(catalogue: &Catalogue) -> Vec<OperationRef> {
    let mut services = Vec::new();
    for (pack, number) in catalogue.packs().iter().zip(0u32..) {
        services.extend(pack.services().iter().map(|service| (number, service.first, service.count, &service.name)));
    }
    let step = (services.len() / SERVICES).max(1);
    let chosen = services.iter().enumerate().filter(|(at, service)| at % step == 0 || service.3 == "ec2");
    let mut found = Vec::new();
    for (_, (pack, first, count, _)) in chosen.take(SERVICES) {
        let each = (OPERATIONS / SERVICES) as u32;
        let stride = (count / each).max(1);
        let indexes = (0..*count).step_by(stride as usize).take(each as usize).map(|offset| first + offset);
        found.extend(indexes.map(|index| OperationRef { pack: *pack, index }));
    }
    found
}

fn at_random(catalogue: &Catalogue) -> Vec<OperationRef> {
    // xorshift64: the same operations on every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let all = catalogue.packs().iter().zip(0u32..);
    let all: Vec<OperationRef> =
        all.flat_map(|(pack, number)| (0..pack.len()).map(move |index| OperationRef { pack: number, index })).collect();
    (0..RANDOM).map(|_| all[next() % all.len()]).collect()
}

/// Times of the first reading and of the same again at once.
fn read_all(catalogue: &Catalogue, operations: &[OperationRef]) -> (Vec<Duration>, Vec<Duration>) {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for at in operations {
        for times in [&mut cold, &mut warm] {
            let started = Instant::now();
            use_up(&catalogue.operation(*at).unwrap());
            times.push(started.elapsed());
        }
    }
    (cold, warm)
}

/// What a step does with a candidate: looks at its parameters, lists what its result offers, checks arguments.
fn use_up(operation: &Operation) {
    for (_, schema) in operation.properties() {
        black_box(operation.resolve(schema));
    }
    black_box(result_paths(operation));
    black_box(check(operation, &json!({"Nothing": Value::Null})));
}

fn report(what: &str, mut cold: Vec<Duration>, mut warm: Vec<Duration>) {
    println!("{what}; resident {} MB", megabytes(resident()));
    for (name, times) in [("cold", &mut cold), ("warm", &mut warm)] {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        println!("  {name}: p50 {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
    }
}

fn resident() -> u64 {
    status("VmRSS:")
}

fn high_water() -> u64 {
    status("VmHWM:")
}

/// A line of /proc/self/status, in kB.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn megabytes(kilobytes: u64) -> u64 {
    kilobytes / 1024
}
