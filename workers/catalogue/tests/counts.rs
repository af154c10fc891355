//! The packs hold what the vendors' descriptions hold: counted in the descriptions themselves, past the importers.
//!
//! The count of AWS needs a botocore wheel: set `SILVERBACK_TEST_BOTOCORE`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use silverback_catalogue::build::{BuildSources, build_packs};
use silverback_catalogue::import::kubernetes;
use silverback_catalogue::{Catalogue, Pack};
use zip::ZipArchive;

fn pack<'a>(catalogue: &'a Catalogue, provider: &str) -> &'a Pack {
    catalogue.packs().iter().find(|pack| pack.provider() == provider).unwrap()
}

fn embedded() -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    let built = build_packs(&BuildSources { botocore: None, embedded: true }, folder.path()).unwrap();
    let catalogue = Catalogue::open(&built.iter().map(|pack| &pack.path).collect::<Vec<_>>()).unwrap();
    (folder, catalogue)
}

fn data(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)).unwrap()
}

fn unpacked(name: &str) -> Value {
    serde_json::from_slice(&zstd::decode_all(&data(name)[..]).unwrap()).unwrap()
}

#[test]
fn every_command_and_flag_of_kubectl_is_a_call() {
    let (_folder, catalogue) = embedded();
    let help: Value = serde_json::from_slice(&data("kubectl.json")).unwrap();
    let commands = help["commands"].as_array().unwrap();
    let pack = pack(&catalogue, "kubernetes");
    assert_eq!((pack.len() as usize, commands.len()), (commands.len(), 96));
    for command in commands {
        let name = command["name"].as_str().unwrap();
        let operation = pack.operation(pack.find("kubectl", name).expect(name)).unwrap();
        for flag in command["flags"].as_array().unwrap() {
            let flag = flag["name"].as_str().unwrap();
            let is_said =
                operation.properties().any(|(_, schema)| schema.get("x-flag").is_some_and(|said| said == flag));
            assert!(is_said, "{name} --{flag}");
        }
    }
}

#[test]
fn every_kind_of_the_kubernetes_schemas_has_its_fields_in_the_pack() {
    let (_folder, catalogue) = embedded();
    let schemas = unpacked("kubernetes_schemas.json.zst");
    let kinds = schemas["kinds"].as_array().unwrap();
    assert_eq!((kinds.len(), schemas["shapes"].as_object().unwrap().len()), (325, 862));
    assert_eq!(kubernetes::versioned_kinds().unwrap().len(), kinds.len());
    let pack = pack(&catalogue, "kubernetes");
    let apply = pack.operation(pack.find("kubectl", "apply").unwrap()).unwrap();
    for kind in kinds {
        let manifest = serde_json::json!({"apiVersion": kind["api"], "kind": kind["kind"]});
        let schema = silverback_catalogue::manifest::manifest_schema(&apply, &manifest);
        assert!(schema.is_some_and(|schema| schema.get("properties").is_some()), "{kind}");
    }
}

#[test]
fn every_endpoint_of_stripe_and_every_path_of_market_data_is_a_call() {
    let (_folder, catalogue) = embedded();
    let stripe = unpacked("stripe.json.zst");
    let endpoints = stripe["operations"].as_array().unwrap();
    assert_eq!((pack(&catalogue, "stripe").len() as usize, endpoints.len()), (endpoints.len(), 452));
    let market: Value = serde_json::from_slice(&data("openbb.json")).unwrap();
    let paths = market["paths"].as_array().unwrap();
    let pack = pack(&catalogue, "openbb");
    assert_eq!((pack.len() as usize, paths.len()), (paths.len(), 131));
    for index in 0..pack.len() {
        let operation = pack.operation(index).unwrap();
        assert!(silverback_catalogue::result_path_exists(&operation, "results[0]").is_some(), "{}", operation.name);
    }
}

#[test]
fn every_operation_of_botocore_is_a_call() {
    let Some(wheel) = std::env::var_os("SILVERBACK_TEST_BOTOCORE") else {
        println!("skipped: SILVERBACK_TEST_BOTOCORE names no botocore wheel");
        return;
    };
    let mut archive = ZipArchive::new(File::open(&wheel).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut newest: BTreeMap<String, String> = BTreeMap::new();
    for name in names.iter().filter(|name| name.ends_with("/service-2.json.gz")) {
        // Sorted by date within a service: the last one stays.
        let service = name.split('/').nth(2).unwrap().to_owned();
        let kept = newest.entry(service).or_default();
        if name > kept {
            kept.clone_from(name);
        }
    }
    let mut expected = 0;
    for name in newest.values() {
        let mut text = String::new();
        GzDecoder::new(archive.by_name(name).unwrap()).read_to_string(&mut text).unwrap();
        let model: Value = serde_json::from_str(&text).unwrap();
        expected += model["operations"].as_object().unwrap().len();
    }
    let folder = tempfile::tempdir().unwrap();
    let sources = BuildSources { botocore: Some(wheel.into()), embedded: false };
    let built = build_packs(&sources, folder.path()).unwrap().remove(0);
    println!("{expected} operations of {} services, {} bytes", newest.len(), built.bytes);
    let pack = Pack::open(&built.path).unwrap();
    let is_api = |index: &u32| pack.name(*index).unwrap().1.starts_with(char::is_uppercase);
    assert_eq!((0..pack.len()).filter(is_api).count(), expected);
    assert_eq!(pack.services().len(), newest.len());
    assert!(built.bytes < 60 << 20, "{} bytes", built.bytes);
}
