//! A pack with any bytes changed or cut off opens with an error or is read without a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use silverback_catalogue::Pack;
use silverback_catalogue::build::build_imported;
use silverback_catalogue::import::openbb;

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let built = build_imported(&openbb::operations().expect("the committed extract imports"), folder.path());
    std::fs::read(built.expect("it builds").path).expect("it was just written")
});

fuzz_target!(|edits: (u32, Vec<(u32, u8)>)| {
    let (kept, changes) = edits;
    let mut bytes = SOUND.clone();
    for (at, byte) in changes {
        let at = at as usize % bytes.len();
        bytes[at] = byte;
    }
    if kept % 4 == 0 {
        bytes.truncate(kept as usize / 4 % (bytes.len() + 1));
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &bytes).expect("it is written");
    let Ok(pack) = Pack::open(file.path()) else { return };
    pack.search("price of apple", 10);
    pack.find("equity", "equity.price.quote");
    for index in 0..pack.len().min(200) {
        pack.name(index);
        drop(pack.operation(index));
    }
    drop(pack.verify());
});
