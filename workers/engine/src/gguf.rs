//! A GGUF file as typed metadata and tensors. Every refusal names the file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, Value};

use crate::error::{Error, Result};

/// An open model file: its metadata, and its tensors on request.
pub(crate) struct GgufFile {
    path: PathBuf,
    content: Content,
    reader: BufReader<File>,
    len: u64,
}

// === impl GgufFile ===

impl GgufFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let open_failed = |source| Error::ModelOpenFailed { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(open_failed)?;
        let len = file.metadata().map_err(open_failed)?.len();
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let content = guard(path, || Content::read(&mut reader))?;
        Ok(Self { path: path.to_path_buf(), content, reader, len })
    }

    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::ModelDamaged { path: self.path.clone(), reason: reason.into() }
    }

    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Reads a tensor's bytes and how they are quantized, after checking its shape.
    pub(crate) fn bytes(&mut self, name: &str, shape: &[usize]) -> Result<(Vec<u8>, GgmlDType)> {
        let info = self.content.tensor_infos.get(name);
        let info = info.ok_or_else(|| self.damaged(format!("tensor {name} is missing")))?;
        let (found, dtype, offset) = (info.shape.dims(), info.ggml_dtype, info.offset);
        let row = shape.last().copied().unwrap_or(0);
        if found != shape || !row.is_multiple_of(dtype.block_size()) {
            return Err(
                self.damaged(format!("tensor {name} has shape {found:?} of {dtype:?} where {shape:?} is needed"))
            );
        }
        let len = shape.iter().product::<usize>() / dtype.block_size() * dtype.type_size();
        let from = self.content.tensor_data_offset.saturating_add(offset);
        if from.saturating_add(len as u64) > self.len {
            return Err(self.damaged(format!("tensor {name} ends behind the file's {} bytes", self.len)));
        }
        let mut bytes = vec![0; len];
        let read = self.reader.seek(SeekFrom::Start(from)).and_then(|_| self.reader.read_exact(&mut bytes));
        read.map_err(|why| self.damaged(format!("tensor {name} cannot be read: {why}")))?;
        Ok((bytes, dtype))
    }

    fn value(&self, key: &str) -> Result<&Value> {
        self.content.metadata.get(key).ok_or_else(|| self.damaged(format!("metadata {key} is missing")))
    }

    fn typed<'a, T>(&'a self, key: &str, read: impl Fn(&'a Value) -> candle_core::Result<T>) -> Result<T> {
        read(self.value(key)?).map_err(|why| self.damaged(format!("metadata {key}: {why}")))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.content.metadata.contains_key(key)
    }

    /// An unsigned number of at most 32 bits.
    pub(crate) fn number(&self, key: &str) -> Result<usize> {
        let value = self.typed(key, Value::to_u64)?;
        u32::try_from(value).map(|n| n as usize).map_err(|_| self.damaged(format!("metadata {key} is {value}")))
    }

    pub(crate) fn float(&self, key: &str) -> Result<f32> {
        self.typed(key, Value::to_f32)
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str> {
        self.typed(key, |value| value.to_string().map(String::as_str))
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&str>> {
        let items = self.typed(key, Value::to_vec)?;
        let texts: candle_core::Result<Vec<&str>> = items.iter().map(|v| v.to_string().map(String::as_str)).collect();
        texts.map_err(|why| self.damaged(format!("metadata {key}: {why}")))
    }

    /// An array of integers of any width.
    pub(crate) fn integers(&self, key: &str) -> Result<Vec<i64>> {
        let items = self.typed(key, Value::to_vec)?;
        let integer = |value: &Value| match value {
            Value::I8(v) => Some(i64::from(*v)),
            Value::I16(v) => Some(i64::from(*v)),
            Value::I32(v) => Some(i64::from(*v)),
            Value::I64(v) => Some(*v),
            other => other.to_u64().ok().and_then(|v| i64::try_from(v).ok()),
        };
        items
            .iter()
            .map(|v| integer(v).ok_or_else(|| self.damaged(format!("metadata {key} holds no integers"))))
            .collect()
    }
}

/// candle's reader returns errors for most damage and panics for the rest (a zero alignment, overflowing shapes).
fn guard<T>(path: &Path, read: impl FnOnce() -> candle_core::Result<T>) -> Result<T> {
    let damaged = |reason: String| Error::ModelDamaged { path: path.to_path_buf(), reason };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(why)) => Err(damaged(why.to_string())),
        Err(_) => Err(damaged("its header is not consistent".into())),
    }
}
