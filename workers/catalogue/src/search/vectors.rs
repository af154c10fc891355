//! Finds operations by meaning: products of a request's vector with every operation's.
//!
//! Brute force: 20,000 vectors of 384 bytes are 8 MB, read in under two milliseconds. An approximate index (HNSW) would save
//! one of them and cost recall, build time and reproducible bytes.

/// Longest name of an encoder in a pack.
const MAX_NAME: usize = 256;
/// Widest vector; nothing real comes near.
const MAX_WIDTH: usize = 8192;

/// Turns texts into vectors of length 1. The binary brings one: the catalogue knows no model.
pub trait Encoder {
    /// Name with which vectors are marked; only vectors of one name can be compared.
    fn model(&self) -> &str;

    /// One vector a text, in order.
    ///
    /// # Errors
    /// Whatever keeps the model from it.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>>;
}

/// Vectors of a pack's operations, each number in one byte: `scale × value`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    model: String,
    width: usize,
    scales: Vec<f32>,
    values: Vec<i8>,
}

// === impl Vectors ===

impl Vectors {
    /// None yet, of an encoder.
    pub fn new(model: &str) -> Self {
        Self { model: model.to_owned(), ..Self::default() }
    }

    /// The encoder that made them.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Numbers per vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Appends the next operation's vector.
    ///
    /// # Errors
    /// Another width than the first one's, or numbers that are none.
    pub fn push(&mut self, vector: &[f32]) -> Result<(), String> {
        let width = if self.is_empty() { vector.len() } else { self.width };
        if vector.len() != width || width == 0 || width > MAX_WIDTH {
            return Err(format!("a vector of {} numbers where {width} are expected", vector.len()));
        }
        let (scale, values) = quantize(vector).ok_or("a vector holds what is no number")?;
        self.width = width;
        self.scales.push(scale);
        self.values.extend(values);
        Ok(())
    }

    /// Cosines of a request's vector with the operations of a range; empty when the widths differ.
    pub(crate) fn cosines(&self, vector: &[f32], range: std::ops::Range<u32>) -> Vec<f32> {
        let Some((scale, query)) = quantize(vector).filter(|_| vector.len() == self.width) else { return Vec::new() };
        let query: Vec<i16> = query.into_iter().map(i16::from).collect();
        let (start, end) = (range.start as usize, (range.end as usize).min(self.len()));
        let rows = self.values[start.min(end) * self.width..end * self.width].chunks_exact(self.width);
        let scales = &self.scales[start.min(end)..end];
        rows.zip(scales).map(|(row, own)| product(row, &query) as f32 * own * scale).collect()
    }

    /// Width, count, name, scales, values; little endian.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.values.len() + self.len() * 4 + 64);
        for number in [self.width, self.len(), self.model.len()] {
            bytes.extend_from_slice(&(number as u32).to_le_bytes());
        }
        bytes.extend_from_slice(self.model.as_bytes());
        self.scales.iter().for_each(|scale| bytes.extend_from_slice(&scale.to_le_bytes()));
        bytes.extend(self.values.iter().map(|value| value.to_le_bytes()[0]));
        bytes
    }

    /// What [`Vectors::to_bytes`] wrote; `None` when it is not that.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(12)?;
        let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?) as usize);
        let (width, count, name) = (number(0)?, number(4)?, number(8)?);
        if width > MAX_WIDTH || name > MAX_NAME {
            return None;
        }
        let (model, rest) = rest.split_at_checked(name)?;
        let (scales, values) = rest.split_at_checked(count.checked_mul(4)?)?;
        if values.len() != count.checked_mul(width)? {
            return None;
        }
        let scales = scales.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        Some(Self {
            model: std::str::from_utf8(model).ok()?.to_owned(),
            width,
            scales: scales.collect(),
            values: values.iter().map(|byte| i8::from_le_bytes([*byte])).collect(),
        })
    }
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
        let mut vectors = Vectors::new("test");
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
        let mut vectors = Vectors::new("test");
        vectors.push(&[0.6, 0.8]).unwrap();
        vectors.push(&[1.0, 0.0]).unwrap();
        let bytes = vectors.to_bytes();
        assert_eq!(Vectors::from_bytes(&bytes), Some(vectors.clone()));
        for end in 0..bytes.len() {
            assert_eq!(Vectors::from_bytes(&bytes[..end]), None, "{end}");
        }
        assert!(vectors.push(&[1.0]).is_err() && vectors.push(&[f32::NAN, 0.0]).is_err());
        assert!(vectors.cosines(&[1.0, 0.0, 0.0], 0..2).is_empty());
    }
}
