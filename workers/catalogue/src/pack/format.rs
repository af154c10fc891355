//! The bytes of a pack file.
//!
//! ```text
//! header   magic 8 · format u32 · header length u32 · file length u64 · SHA-256 of all after the header 32
//!          · 8 sections: offset u64, length u64, CRC-32 u32, 0 u32 · CRC-32 of the header u32
//! sections Directory (JSON) · Names (operation names) · Documents · Keys (fst) · Terms (fst) · Postings · Blocks (zstd) · Vectors (may be empty)
//! ```
//! Little endian throughout. The same operations in the same order give the same bytes: no time, no path, no hash order.

use std::ops::Range;
use std::path::Path;

use crate::error::{CatalogueError, Result};

/// Changes whenever an older reader would misread the file.
pub const FORMAT_VERSION: u32 = 3;
pub(super) const MAGIC: &[u8; 8] = b"SBKPACK\n";
pub(super) const HEADER_LEN: u32 = 56 + SECTIONS as u32 * 24 + 4;
pub(super) const SECTIONS: usize = 8;
/// Nothing real comes near; a file that says more is not ours.
const MAX_FILE_LEN: u64 = 4 << 30;

/// The parts of a pack in file order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Directory,
    Names,
    Documents,
    Keys,
    Terms,
    Postings,
    Blocks,
    Vectors,
}

impl Section {
    pub const ALL: [Self; SECTIONS] = [
        Self::Directory,
        Self::Names,
        Self::Documents,
        Self::Keys,
        Self::Terms,
        Self::Postings,
        Self::Blocks,
        Self::Vectors,
    ];
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SectionEntry {
    pub offset: u64,
    pub len: u64,
    pub crc: u32,
}

#[derive(Debug)]
pub(super) struct Header {
    pub file_len: u64,
    pub digest: [u8; 32],
    sections: [SectionEntry; SECTIONS],
}

// === impl SectionEntry ===

impl SectionEntry {
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.len
    }
}

// === impl Header ===

impl Header {
    /// Lays the sections one after the other behind the header.
    pub fn lay_out(sections: [&[u8]; SECTIONS], digest: [u8; 32]) -> Self {
        let mut offset = u64::from(HEADER_LEN);
        let sections = sections.map(|bytes| {
            let entry = SectionEntry { offset, len: bytes.len() as u64, crc: crc32fast::hash(bytes) };
            offset += entry.len;
            entry
        });
        Self { file_len: offset, digest, sections }
    }

    pub fn section(&self, section: Section) -> SectionEntry {
        self.sections[section as usize]
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN as usize);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&HEADER_LEN.to_le_bytes());
        bytes.extend_from_slice(&self.file_len.to_le_bytes());
        bytes.extend_from_slice(&self.digest);
        for section in &self.sections {
            bytes.extend_from_slice(&section.offset.to_le_bytes());
            bytes.extend_from_slice(&section.len.to_le_bytes());
            bytes.extend_from_slice(&section.crc.to_le_bytes());
            bytes.extend_from_slice(&0u32.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Checks magic, version, checksum, length and that the sections follow each other.
    pub fn parse(bytes: &[u8], file_len: u64, path: &Path) -> Result<Self> {
        if !bytes.starts_with(MAGIC) {
            let reason = if MAGIC.starts_with(bytes) { "it is cut off" } else { "it is not a catalogue pack" };
            return Err(damaged(path, reason.to_owned()));
        }
        let found = le_u32(bytes, 8).ok_or_else(|| damaged(path, "it is cut off".to_owned()))?;
        // Before the checksum: another version may have another header.
        if found != FORMAT_VERSION {
            return Err(CatalogueError::PackVersionUnknown {
                path: path.to_path_buf(),
                found,
                expected: FORMAT_VERSION,
            });
        }
        let header = Self::parse_fields(bytes).ok_or_else(|| damaged(path, "it is cut off".to_owned()))?;
        let body = &bytes[..HEADER_LEN as usize - 4];
        if le_u32(bytes, HEADER_LEN as usize - 4) != Some(crc32fast::hash(body)) {
            return Err(damaged(path, "checksum of its header differs".to_owned()));
        }
        if header.file_len != file_len || file_len > MAX_FILE_LEN {
            let reason = format!("it is cut off or grown: {file_len} bytes instead of {}", header.file_len);
            return Err(damaged(path, reason));
        }
        if !header.sections_follow() {
            return Err(damaged(path, "its sections do not follow each other".to_owned()));
        }
        Ok(header)
    }

    fn parse_fields(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_LEN as usize)?;
        let mut sections = [SectionEntry::default(); SECTIONS];
        for (number, section) in sections.iter_mut().enumerate() {
            let at = 56 + number * 24;
            *section =
                SectionEntry { offset: le_u64(bytes, at)?, len: le_u64(bytes, at + 8)?, crc: le_u32(bytes, at + 16)? };
        }
        Some(Self { file_len: le_u64(bytes, 16)?, digest: bytes.get(24..56)?.try_into().ok()?, sections })
    }

    fn sections_follow(&self) -> bool {
        let mut expected = u64::from(HEADER_LEN);
        for section in &self.sections {
            if section.offset != expected {
                return false;
            }
            let Some(end) = expected.checked_add(section.len) else { return false };
            expected = end;
        }
        expected == self.file_len
    }
}

pub(super) fn damaged(path: &Path, reason: String) -> CatalogueError {
    CatalogueError::PackDamaged { path: path.to_path_buf(), reason }
}

pub(crate) fn digest_name(digest: &[u8]) -> String {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

pub(super) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Appends an unsigned integer in 7-bit groups, least significant first.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Reads what [`push_varint`] wrote and advances; `None` past the end or past 32 bits.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

pub(super) fn exact_key(service: &str, name: &str) -> String {
    format!("n{service}\0{name}")
}

pub(super) fn loose_key(service: &str, name: &str) -> String {
    format!("q{}\0{}", squash(service), squash(name))
}

pub(super) fn command_key(words: &[&str]) -> String {
    format!("c{}", words.join(" "))
}

/// Keys under which a path may be stored: as it is, and with ever more segments from the right as placeholders.
pub(super) fn http_keys(method: &str, path: &str) -> Vec<String> {
    let path = strip_origin(path);
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).take(12).collect();
    // Placeholder sets in order of how few they replace: a literal segment beats a placeholder.
    let mut masks: Vec<u32> = (0..1u32 << segments.len()).filter(|mask| mask.count_ones() <= 3).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    masks.iter().map(|mask| masked_http_key(method, &segments, *mask)).collect()
}

/// Key of an operation's own URL, `{name}` counting as a placeholder.
pub(super) fn http_template_key(method: &str, url: &str) -> String {
    let segments: Vec<&str> = strip_origin(url).split('/').filter(|segment| !segment.is_empty()).collect();
    let mask = segments.iter().enumerate().take(32).filter(|(_, segment)| segment.starts_with('{'));
    let mask = mask.fold(0, |mask, (at, _)| mask | 1 << at);
    masked_http_key(method, &segments, mask)
}

fn masked_http_key(method: &str, segments: &[&str], mask: u32) -> String {
    let mut key = format!("h{} ", method.to_ascii_uppercase());
    for (at, segment) in segments.iter().enumerate() {
        key.push('/');
        key.push_str(if at < 32 && mask >> at & 1 == 1 { "{}" } else { segment });
    }
    key
}

fn strip_origin(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url,
    }
}

/// Letters and digits only, lower case: `StopInstances`, `stop-instances` and `stop instances` are one.
pub(crate) fn squash(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
