//! Any service model of botocore's form is imported and packed, or refused, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_catalogue::build::build_imported;
use silverback_catalogue::import::aws;

fuzz_target!(|model: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let version = folder.path().join("x/2020-01-01");
    std::fs::create_dir_all(&version).expect("it is made");
    std::fs::write(version.join("service-2.json"), model).expect("it is written");
    if let Ok(imported) = aws::operations(folder.path()) {
        drop(build_imported(&imported, folder.path()));
    }
});
