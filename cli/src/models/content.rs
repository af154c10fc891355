//! Computes the sha256 of files.

use std::{fmt::Write as _, fs::File, io, io::Read, path::Path};

use sha2::{Digest, Sha256};

/// Read at once; larger gains nothing measurable.
const CHUNK: usize = 1 << 20;

/// Length in bytes and lower case hexadecimal sha256 of a file; `seen` is told the length read so far.
pub fn digest(path: &Path, mut seen: impl FnMut(u64)) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((length, hexadecimal(&hasher.finalize())));
        }
        hasher.update(&buffer[..count]);
        length += count as u64;
        seen(length);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_digest_of_abc() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let (length, hex) = digest(file.path(), |_| ()).unwrap();
        assert_eq!(length, 3);
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
