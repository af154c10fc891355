//! Where the arithmetic runs.

use crate::error::{Error, Result};

/// A compute device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU by its number; needs the `cuda` feature.
    Cuda(usize),
}

// === impl Device ===

impl Device {
    pub(crate) fn open(self) -> Result<candle_core::Device> {
        let Device::Cuda(number) = self else {
            return Ok(candle_core::Device::Cpu);
        };
        let device = format!("cuda:{number}");
        if !cfg!(feature = "cuda") {
            let reason = "this binary was built without the `cuda` feature; use cpu".into();
            return Err(Error::DeviceOpenFailed { device, reason });
        }
        candle_core::Device::new_cuda(number).map_err(|why| Error::DeviceOpenFailed { device, reason: why.to_string() })
    }
}
