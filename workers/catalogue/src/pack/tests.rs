use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::format::{push_varint, take_varint};
use super::*;
use crate::definitions::Definitions;
use crate::import::{Imported, aws};

mod damage;

fn fixture() -> Imported {
    aws::operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")).unwrap()
}

fn write(imported: &Imported, folder: &Path, name: &str) -> (PathBuf, PackSummary) {
    let mut writer = PackWriter::new(&imported.provider);
    imported.services.iter().for_each(|service| writer.add(service, 0.5).unwrap());
    let path = folder.join(name);
    let summary = writer.finish(&path).unwrap();
    (path, summary)
}

/// The smallest real service, so that every byte can be tried.
fn tiny() -> Imported {
    let mut imported = fixture();
    imported.services.truncate(1);
    imported
}

#[test]
fn everything_that_went_in_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let imported = fixture();
    let (path, summary) = write(&imported, folder.path(), "aws.pack");
    let pack = Pack::open(&path).unwrap();
    pack.verify().unwrap();
    assert_eq!((pack.provider(), pack.len() as usize), ("aws", imported.len()));
    assert_eq!((pack.digest(), pack.len()), (summary.digest, summary.operations));
    assert_eq!(fs::metadata(&path).unwrap().len(), summary.bytes);
    for service in &imported.services {
        for expected in &service.operations {
            let index = pack.find(&service.name, &expected.name).unwrap();
            let operation = pack.operation(index).unwrap();
            assert_eq!(*operation.definitions, Definitions::from((*service.definitions).clone()));
            let bare = Operation { definitions: Arc::default(), ..(*operation).clone() };
            assert_eq!(&bare, expected);
            assert_eq!(pack.name(index), Some((service.name.as_str(), expected.name.as_str())));
        }
    }
}

#[test]
fn the_same_operations_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = write(&fixture(), folder.path(), "1.pack");
    let (second, _) = write(&fixture(), folder.path(), "2.pack");
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
}

#[test]
fn the_order_of_files_on_the_disk_does_not_show_in_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore");
    let mut services: Vec<PathBuf> = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path()).collect();
    services.sort();
    let digests = [false, true].map(|is_reversed| {
        services.reverse();
        let copy = folder.path().join(format!("copy-{is_reversed}"));
        for service in &services {
            copy_tree(service, &copy.join(service.file_name().unwrap()));
        }
        write(&aws::operations(&copy).unwrap(), folder.path(), "x.pack").1.digest
    });
    assert_eq!(digests[0], digests[1]);
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &place)
        } else {
            let _ = fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn operations_are_found_however_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let pack = Pack::open(write(&fixture(), folder.path(), "aws.pack").0).unwrap();
    let put = pack.find("dynamodb", "PutItem");
    assert!(put.is_some());
    assert_eq!(pack.find_loosely("DynamoDB", "put-item"), put);
    assert_eq!(pack.find_command(&["aws", "dynamodb", "put-item"]), put);
    assert_eq!(pack.find("dynamodb", "put-item"), None);
    assert_eq!(pack.find("dynamodb", "Old"), None);
}

#[test]
fn a_pack_cut_off_anywhere_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write(&tiny(), folder.path(), "aws.pack");
    let bytes = fs::read(&path).unwrap();
    let cut = folder.path().join("cut.pack");
    for length in 0..bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        let error = Pack::open(&cut).expect_err("a part of a pack is no pack");
        assert!(matches!(error, CatalogueError::PackDamaged { .. }), "{length}: {error}");
        assert!(error.to_string().contains("silverback catalogue build"), "{error}");
    }
}

#[test]
fn another_version_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write(&tiny(), folder.path(), "aws.pack");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 99;
    fs::write(&path, bytes).unwrap();
    let error = Pack::open(&path).unwrap_err();
    assert!(matches!(error, CatalogueError::PackVersionUnknown { found: 99, .. }), "{error}");
    assert_eq!(error.code(), silverback_proto::ErrorCode::VersionMismatch);
}

#[test]
fn a_missing_pack_and_a_foreign_file_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aws.pack");
    assert!(Pack::open(&path).unwrap_err().to_string().contains("silverback catalogue build"));
    fs::write(&path, "PK\u{3}\u{4} something else entirely").unwrap();
    assert!(Pack::open(&path).unwrap_err().to_string().contains("not a catalogue pack"));
}

#[test]
fn a_file_cut_off_under_a_reader_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, summary) = write(&tiny(), folder.path(), "aws.pack");
    let pack = Pack::open(&path).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(summary.bytes - 10).unwrap();
    assert!(matches!(pack.operation(0).unwrap_err(), CatalogueError::PackDamaged { .. }));
}

#[test]
fn an_opened_pack_gives_its_own_bytes_after_another_took_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, summary) = write(&tiny(), folder.path(), "aws.pack");
    let before = fs::read(&path).unwrap();
    let pack = Pack::open(&path).unwrap();
    write(&fixture(), folder.path(), "aws.pack");
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(pack.file_len(), summary.bytes);
    assert_eq!(pack.read_bytes(0..pack.file_len()).unwrap(), before);
    assert!(pack.read_bytes(1..pack.file_len() + 1).is_err());
}

#[test]
fn a_name_given_twice_is_refused() {
    let mut imported = tiny();
    let twice = imported.services[0].operations[0].clone();
    imported.services[0].operations.push(twice);
    let error = PackWriter::new("aws").add(&imported.services[0], 0.0).unwrap_err();
    assert!(error.to_string().contains("given twice"), "{error}");
}

#[test]
fn an_index_past_the_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pack = Pack::open(write(&tiny(), folder.path(), "aws.pack").0).unwrap();
    assert!(matches!(pack.operation(pack.len()).unwrap_err(), CatalogueError::OperationUnknown { .. }));
    assert_eq!(pack.name(u32::MAX), None);
}

#[test]
fn urls_meet_their_templates() {
    let template = format::http_template_key("get", "https://api.stripe.com/v1/customers/{customer}/sources/{id}");
    assert!(format::http_keys("GET", "/v1/customers/cus_1/sources/src_2?x=1").contains(&template));
    assert!(!format::http_keys("POST", "/v1/customers/cus_1/sources/src_2").contains(&template));
    assert_eq!(format::http_keys("GET", "/v1/balance")[0], format::http_template_key("GET", "https://x/v1/balance"));
}

proptest! {
    #[test]
    fn varints_come_back(values: Vec<u32>) {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| push_varint(&mut bytes, *value));
        let mut rest = &bytes[..];
        let read: Vec<u32> = std::iter::from_fn(|| take_varint(&mut rest)).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn postings_come_back(byte: u8) {
        prop_assert_eq!(Posting::from_byte(byte).to_byte(), byte);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pack");
        let mut file = b"SBKPACK\n\x01\0\0\0".to_vec();
        file.extend(bytes);
        fs::write(&path, file).unwrap();
        prop_assert!(Pack::open(&path).is_err());
    }
}
