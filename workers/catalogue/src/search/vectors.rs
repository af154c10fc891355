//! Finds operations by meaning: products of a request's vector with every operation's.
//!
//! Brute force: 20,000 vectors of 384 bytes are 8 MB, read in under two milliseconds. An approximate index (HNSW) would save
//! one of them and cost recall, build time and reproducible bytes.

use std::ops::Range;

/// Longest name of an encoder in a pack.
const MAX_NAME: usize = 256;
/// Widest vector; nothing real comes near.
const MAX_WIDTH: usize = 8192;

/// Turns texts into vectors of length 1. The binary brings one: the catalogue knows no model.
pub trait Encoder {
    /// Name with which vectors are marked; only vectors of one name can be compared.
    fn model(&self) -> &str;

    /// One vector a text that describes an operation, in order.
    ///
    /// # Errors
    /// Whatever keeps the model from it.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>>;

    /// One vector a text in users' words, in order: as requests are encoded, which may be another way than descriptions are.
    ///
    /// # Errors
    /// Whatever keeps the model from it.
    fn encode_requests(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>> {
        self.encode(texts)
    }
}

/// Vectors of a pack's operations and of what users call them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    model: String,
    /// SHA-256 of the texts they stand for: the same texts need not be encoded again.
    texts: [u8; 32],
    operations: Rows,
    phrases: Rows,
    /// Operation of each phrase, never smaller than the one before.
    owners: Vec<u32>,
}

/// Vectors of one width, each number in one byte: `scale × value`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rows {
    width: usize,
    scales: Vec<f32>,
    values: Vec<i8>,
}

// === impl Vectors ===

impl Vectors {
    /// None yet, of an encoder, for texts with this digest.
    pub fn new(model: &str, texts: [u8; 32]) -> Self {
        Self { model: model.to_owned(), texts, ..Self::default() }
    }

    /// The encoder that made them.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Digest of the texts they stand for.
    pub fn texts(&self) -> [u8; 32] {
        self.texts
    }

    /// Numbers per vector.
    pub fn width(&self) -> usize {
        self.operations.width
    }

    /// How many operations have one.
    pub fn len(&self) -> usize {
        self.operations.scales.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many phrases of users there are.
    pub fn phrases(&self) -> usize {
        self.owners.len()
    }

    /// Appends the next operation's vector.
    ///
    /// # Errors
    /// Another width than the first one's, or numbers that are none.
    pub fn push(&mut self, vector: &[f32]) -> Result<(), String> {
        self.operations.push(vector)
    }

    /// Appends a phrase of an operation; operations in order.
    ///
    /// # Errors
    /// An operation before the last one or without a vector, another width, or numbers that are none.
    pub fn push_phrase(&mut self, operation: u32, vector: &[f32]) -> Result<(), String> {
        if operation as usize >= self.len() || self.owners.last().is_some_and(|last| *last > operation) {
            return Err(format!("a phrase of operation {operation} out of order"));
        }
        if vector.len() != self.width() {
            return Err(format!("a phrase of {} numbers where {} are expected", vector.len(), self.width()));
        }
        self.phrases.push(vector)?;
        self.owners.push(operation);
        Ok(())
    }

    /// Cosines of a request's vector with the operations of a range; empty when the widths differ.
    pub fn cosines(&self, vector: &[f32], range: Range<u32>) -> Vec<f32> {
        self.operations.cosines(vector, range.start as usize..range.end as usize)
    }

    /// Cosine with the nearest phrase of each operation of a range that has any, in order.
    pub(crate) fn phrase_cosines(&self, vector: &[f32], range: Range<u32>) -> Vec<(u32, f32)> {
        let place = |operation| self.owners.partition_point(|owner| *owner < operation);
        let rows = place(range.start)..place(range.end);
        let owners = &self.owners[rows.clone()];
        let mut best: Vec<(u32, f32)> = Vec::new();
        for (owner, cosine) in owners.iter().zip(self.phrases.cosines(vector, rows)) {
            match best.last_mut() {
                Some((last, most)) if last == owner => *most = most.max(cosine),
                _ => best.push((*owner, cosine)),
            }
        }
        best
    }

    /// Width, operations, phrases, length of the name; digest, name, owners; both kinds' scales and values. Little endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((self.len() + self.phrases()) * (self.width() + 8) + 128);
        for number in [self.width(), self.len(), self.phrases(), self.model.len()] {
            bytes.extend_from_slice(&(number as u32).to_le_bytes());
        }
        bytes.extend_from_slice(&self.texts);
        bytes.extend_from_slice(self.model.as_bytes());
        self.owners.iter().for_each(|owner| bytes.extend_from_slice(&owner.to_le_bytes()));
        self.operations.write_to(&mut bytes);
        self.phrases.write_to(&mut bytes);
        bytes
    }

    /// What [`Vectors::to_bytes`] wrote; `None` when it is not that.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(16)?;
        let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?) as usize);
        let (width, operations, phrases, name) = (number(0)?, number(4)?, number(8)?, number(12)?);
        if width > MAX_WIDTH || name > MAX_NAME {
            return None;
        }
        let (texts, rest) = rest.split_at_checked(32)?;
        let (model, rest) = rest.split_at_checked(name)?;
        let (owners, rest) = rest.split_at_checked(phrases.checked_mul(4)?)?;
        let owners: Vec<u32> = fours(owners).map(u32::from_le_bytes).collect();
        let (own, rest) = Rows::read(rest, operations, width)?;
        let (said, rest) = Rows::read(rest, phrases, width)?;
        let in_order = owners.is_sorted() && owners.last().is_none_or(|last| (*last as usize) < operations);
        (rest.is_empty() && in_order).then_some(Self {
            model: std::str::from_utf8(model).ok()?.to_owned(),
            texts: texts.try_into().ok()?,
            operations: own,
            phrases: said,
            owners,
        })
    }
}

// === impl Rows ===

impl Rows {
    fn push(&mut self, vector: &[f32]) -> Result<(), String> {
        let width = if self.scales.is_empty() { vector.len() } else { self.width };
        if vector.len() != width || width == 0 || width > MAX_WIDTH {
            return Err(format!("a vector of {} numbers where {width} are expected", vector.len()));
        }
        let (scale, values) = quantize(vector).ok_or("a vector holds what is no number")?;
        self.width = width;
        self.scales.push(scale);
        self.values.extend(values);
        Ok(())
    }

    fn cosines(&self, vector: &[f32], range: Range<usize>) -> Vec<f32> {
        let Some((scale, query)) = quantize(vector).filter(|_| vector.len() == self.width) else { return Vec::new() };
        let query: Vec<i16> = query.into_iter().map(i16::from).collect();
        let end = range.end.min(self.scales.len());
        let start = range.start.min(end);
        let rows = self.values[start * self.width..end * self.width].chunks_exact(self.width);
        rows.zip(&self.scales[start..end]).map(|(row, own)| product(row, &query) as f32 * own * scale).collect()
    }

    fn write_to(&self, bytes: &mut Vec<u8>) {
        self.scales.iter().for_each(|scale| bytes.extend_from_slice(&scale.to_le_bytes()));
        bytes.extend(self.values.iter().map(|value| value.to_le_bytes()[0]));
    }

    fn read(bytes: &[u8], count: usize, width: usize) -> Option<(Self, &[u8])> {
        let (scales, rest) = bytes.split_at_checked(count.checked_mul(4)?)?;
        let (values, rest) = rest.split_at_checked(count.checked_mul(width)?)?;
        let rows = Self {
            width: if count == 0 { 0 } else { width },
            scales: fours(scales).map(f32::from_le_bytes).collect(),
            values: values.iter().map(|byte| i8::from_le_bytes([*byte])).collect(),
        };
        Some((rows, rest))
    }
}

fn fours(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.chunks_exact(4).map(|four| [four[0], four[1], four[2], four[3]])
}

/// One scale a vector: its largest number becomes 127. Costs less than 0.01 of a cosine.
fn quantize(vector: &[f32]) -> Option<(f32, Vec<i8>)> {
    let largest = vector.iter().fold(0f32, |most, number| most.max(number.abs()));
    if !vector.iter().all(|number| number.is_finite()) {
        return None;
    }
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    Some((scale, vector.iter().map(|number| (number / scale).round() as i8).collect()))
}

/// Written so that the compiler makes multiply-and-add of 16-bit numbers of it.
fn product(row: &[i8], query: &[i16]) -> i32 {
    row.iter().zip(query).map(|(a, b)| i32::from(i16::from(*a)) * i32::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(numbers: &[f32]) -> Vec<f32> {
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        numbers.iter().map(|number| number / length).collect()
    }

    #[test]
    fn one_byte_a_number_keeps_cosines() {
        let rows: Vec<Vec<f32>> = (0..50)
            .map(|row| unit(&(0..384).map(|at| ((row * 37 + at * 11) as f32).sin()).collect::<Vec<_>>()))
            .collect();
        let mut vectors = Vectors::new("test", [7; 32]);
        rows.iter().for_each(|row| vectors.push(row).unwrap());
        let found = vectors.cosines(&rows[7], 0..50);
        for (row, cosine) in rows.iter().zip(&found) {
            let exact: f32 = row.iter().zip(&rows[7]).map(|(a, b)| a * b).sum();
            assert!((exact - cosine).abs() < 0.01, "{exact} {cosine}");
        }
        assert_eq!(vectors.cosines(&rows[7], 5..9), found[5..9]);
    }

    #[test]
    fn bytes_come_back_and_damage_is_seen() {
        let mut vectors = Vectors::new("test", [7; 32]);
        vectors.push(&[0.6, 0.8]).unwrap();
        vectors.push(&[1.0, 0.0]).unwrap();
        vectors.push_phrase(1, &[0.0, 1.0]).unwrap();
        let bytes = vectors.to_bytes();
        assert_eq!(Vectors::from_bytes(&bytes), Some(vectors.clone()));
        for end in 0..bytes.len() {
            assert_eq!(Vectors::from_bytes(&bytes[..end]), None, "{end}");
        }
        assert!(vectors.push(&[1.0]).is_err() && vectors.push(&[f32::NAN, 0.0]).is_err());
        assert!(vectors.cosines(&[1.0, 0.0, 0.0], 0..2).is_empty());
    }

    #[test]
    fn the_nearest_phrase_speaks_for_its_operation() {
        let mut vectors = Vectors::new("test", [0; 32]);
        (0..3).for_each(|_| vectors.push(&[1.0, 0.0]).unwrap());
        for (operation, phrase) in [(0, [0.6, 0.8]), (2, [0.0, 1.0]), (2, [1.0, 0.0])] {
            vectors.push_phrase(operation, &phrase).unwrap();
        }
        assert!(vectors.push_phrase(1, &[1.0, 0.0]).is_err(), "out of order");
        assert!(vectors.push_phrase(3, &[1.0, 0.0]).is_err(), "no such operation");
        let near: Vec<(u32, i32)> = vectors
            .phrase_cosines(&[0.0, 1.0], 0..3)
            .into_iter()
            .map(|(operation, cosine)| (operation, (cosine * 10.0).round() as i32))
            .collect();
        assert_eq!(near, [(0, 8), (2, 10)]);
        assert_eq!(vectors.phrase_cosines(&[0.0, 1.0], 1..2), []);
    }
}
