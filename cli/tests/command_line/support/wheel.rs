//! Writes Python wheels that the real pip takes.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

/// The smallest thing that pip takes for version 1.0 of `name`, and these members more.
pub fn write_wheel(folder: &Path, name: &str, members: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join(format!("{name}-1.0-py3-none-any.whl"));
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    let info = format!("{name}-1.0.dist-info");
    let mut add = |path: &str, content: &[u8]| {
        archive.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    };
    add(&format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n").as_bytes());
    add(&format!("{info}/WHEEL"), b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    add(&format!("{info}/RECORD"), b"");
    for (path, content) in members {
        add(path, content);
    }
    archive.finish().unwrap();
    path
}
