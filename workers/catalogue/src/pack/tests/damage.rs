//! Packs that chance or malice has changed: an error or the same content, never a panic and never something else.

use std::sync::LazyLock;

use serde_json::Value;

use super::*;
use crate::definitions::is_unreadable;
use crate::pack::blocks::{Packed, unpack};

/// A pack of several services: its bytes and what is in it.
struct Sound {
    bytes: Vec<u8>,
    operations: Vec<Operation>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write(&fixture(), folder.path(), "aws.pack");
    let pack = Pack::open(&path).unwrap();
    let operations = (0..pack.len()).map(|index| (*pack.operation(index).unwrap()).clone()).collect();
    Sound { bytes: fs::read(&path).unwrap(), operations }
});

fn placed(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pack");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Everything that can be read of an operation is as it was, or says that it cannot be read.
fn is_same_or_unreadable(found: &Operation, expected: &Operation) -> bool {
    let names = expected.definitions.names();
    let shapes_are = names.iter().all(|name| match found.definitions.get(name) {
        Some(shape) => is_unreadable(shape) || Some(shape) == expected.definitions.get(name),
        None => false,
    });
    let bare = |operation: &Operation| Operation { definitions: Arc::default(), ..operation.clone() };
    shapes_are && bare(found) == bare(expected)
}

/// Uses a pack in every way; what comes of it does not matter.
fn use_up(pack: &Pack) {
    let _ = pack.verify();
    pack.search("put an item into the table", 5);
    pack.find("dynamodb", "PutItem");
    pack.find_command(&["aws", "dynamodb", "put-item"]);
    for index in 0..pack.len().min(64) {
        pack.name(index);
        let Ok(operation) = pack.operation(index) else { continue };
        for name in operation.definitions.names() {
            operation.definitions.get(name);
        }
        crate::check(&operation, &serde_json::json!({"TableName": {"a": [1]}}));
        crate::result_paths(&operation);
    }
}

/// Writes the checksums and the digest anew, as somebody would who means it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let header = format::HEADER_LEN as usize;
    let length = |at: usize, bytes: &[u8]| format::le_u64(bytes, at).unwrap() as usize;
    for section in 0..7 {
        let at = 56 + section * 24;
        let (start, len) = (length(at, &bytes), length(at + 8, &bytes));
        let Some(content) = start.checked_add(len).and_then(|end| bytes.get(start..end)) else { continue };
        let crc = crc32fast::hash(content);
        bytes[at + 16..at + 20].copy_from_slice(&crc.to_le_bytes());
    }
    let digest = Sha256::digest(&bytes[header..]);
    bytes[24..56].copy_from_slice(&digest);
    let crc = crc32fast::hash(&bytes[..header - 4]);
    bytes[header - 4..header].copy_from_slice(&crc.to_le_bytes());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_flipped_byte_is_an_error_or_changes_nothing(at: prop::sample::Index, mask in 1u8..) {
        let mut bytes = SOUND.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let (_folder, path) = placed(&bytes);
        let Ok(pack) = Pack::open(&path) else { return Ok(()) };
        prop_assert!(pack.verify().is_err(), "byte {} was changed and nobody noticed", at);
        prop_assert_eq!(pack.len() as usize, SOUND.operations.len());
        for (expected, index) in SOUND.operations.iter().zip(0..) {
            let Ok(found) = pack.operation(index) else { continue };
            prop_assert!(is_same_or_unreadable(&found, expected), "byte {}: {} is another", at, expected.name);
        }
    }

    #[test]
    fn a_pack_made_to_deceive_makes_nobody_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_index: bool,
    ) {
        let mut bytes = SOUND.bytes.clone();
        let blocks = format::le_u64(&bytes, 56 + 6 * 24).unwrap() as usize;
        let start = format::HEADER_LEN as usize;
        let end = if in_index { blocks } else { bytes.len() };
        for (at, value) in changes {
            bytes[start + at.index(end - start)] = value;
        }
        let (_folder, path) = placed(&sealed(bytes));
        if let Ok(pack) = Pack::open(&path) {
            use_up(&pack);
        }
    }

    #[test]
    fn any_header_makes_nobody_panic(at in 0usize..56 + 7 * 24, value: u64) {
        let mut bytes = SOUND.bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let header = format::HEADER_LEN as usize;
        let crc = crc32fast::hash(&bytes[..header - 4]);
        bytes[header - 4..header].copy_from_slice(&crc.to_le_bytes());
        let (_folder, path) = placed(&bytes);
        if let Ok(pack) = Pack::open(&path) {
            use_up(&pack);
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let bomb = zstd::bulk::compress(&vec![b' '; 12 << 20], 3).unwrap();
    let entry = |raw_len| Packed { offset: 0, len: bomb.len() as u32, raw_len, crc: crc32fast::hash(&bomb) };
    for (raw_len, reason) in [(12 << 20, "larger than any"), (u32::MAX, "larger than any"), (1 << 10, "decompress")] {
        let error = unpack(&bomb, &entry(raw_len), Path::new("x.pack")).unwrap_err();
        assert!(error.to_string().contains(reason), "{raw_len}: {error}");
    }
}

#[test]
fn a_file_full_of_holes_is_refused_before_it_fills_the_memory() {
    let mut bytes = SOUND.bytes[..format::HEADER_LEN as usize].to_vec();
    let huge: u64 = 3 << 30;
    let mut offset = u64::from(format::HEADER_LEN);
    for section in 0..7 {
        let (at, len) = (56 + section * 24, if section == 0 { huge } else { 0 });
        bytes[at..at + 8].copy_from_slice(&offset.to_le_bytes());
        bytes[at + 8..at + 16].copy_from_slice(&len.to_le_bytes());
        offset += len;
    }
    bytes[16..24].copy_from_slice(&offset.to_le_bytes());
    let (_folder, path) = placed(&sealed(bytes));
    File::options().write(true).open(&path).unwrap().set_len(offset).unwrap();
    let error = Pack::open(&path).unwrap_err();
    assert!(error.to_string().contains("its index is larger than"), "{error}");
}

#[test]
fn what_cannot_be_read_any_more_lets_no_call_pass() {
    let (_folder, path) = placed(&SOUND.bytes);
    let pack = Pack::open(&path).unwrap();
    let put = pack.operation(pack.find("dynamodb", "PutItem").unwrap()).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(u64::from(format::HEADER_LEN)).unwrap();
    // Its part is still unpacked; another service's is not.
    let other = pack.operation(pack.services()[0].first);
    assert!(matches!(other.unwrap_err(), CatalogueError::PackDamaged { .. }));
    let item = serde_json::json!({"TableName": "t", "Item": {"id": {"S": "1"}}});
    let found = crate::check(&put, &item);
    assert!(found.iter().all(|found| found.code == "unreadable"), "{found:?}");
    assert!(matches!(put.resolve(put.parameter("TableName").unwrap()), Value::Object(_)));
}
