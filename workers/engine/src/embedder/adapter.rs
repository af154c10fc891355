//! Adds a LoRA adapter (Hu et al. 2021) to an encoder's weights. Files as PEFT writes them: a directory's `adapter_config.json` and
//! `adapter_model.safetensors`.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use crate::error::{Error, Result};

/// What PEFT puts before the name of a module.
const PREFIX: &str = "base_model.model.";

/// The part of `adapter_config.json` that counts.
#[derive(Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    modules_to_save: Vec<String>,
}

/// Low-rank differences to some of a model's weights.
pub struct Adapter {
    scale: f64,
    /// By module: A `[rank, in]`, B `[out, rank]`.
    pairs: HashMap<String, [Tensor; 2]>,
    /// Modules that the model does not have, trained whole (PEFT: `modules_to_save`).
    own: HashMap<String, Vec<f32>>,
}

// === impl Adapter ===

impl Adapter {
    /// Reads an adapter from the bytes of its two files.
    ///
    /// # Errors
    /// [`Error::AdapterRefused`]: another kind of adapter, a half without the other, ranks that contradict the configuration.
    pub fn read(config: &[u8], weights: &[u8]) -> Result<Self> {
        let config: Config = serde_json::from_slice(config).map_err(|why| refused("its configuration", &why))?;
        if config.peft_type != "LORA" || config.r == 0 {
            return Err(refused("its configuration", &"it is no LoRA adapter with a rank"));
        }
        let tensors =
            candle_core::safetensors::load_buffer(weights, &Device::Cpu).map_err(|why| refused("its weights", &why))?;
        let (mut pairs, mut own) = (HashMap::new(), HashMap::new());
        for (name, a) in &tensors {
            let Some(module) = name.strip_suffix(".lora_A.weight") else {
                let module = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(".weight"));
                if let Some(module) = module.filter(|module| config.modules_to_save.iter().any(|own| own == module)) {
                    own.insert(module.to_owned(), a.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?);
                }
                continue;
            };
            let b = tensors.get(&format!("{module}.lora_B.weight")).ok_or_else(|| refused(module, &"it has no B"))?;
            let has_rank = a.dims().first() == Some(&config.r) && b.dims().get(1) == Some(&config.r);
            if !has_rank || a.rank() != 2 || b.rank() != 2 {
                return Err(refused(module, &format!("its shapes do not have rank {}", config.r)));
            }
            let pair = [a.to_dtype(DType::F32)?, b.to_dtype(DType::F32)?];
            pairs.insert(module.strip_prefix(PREFIX).unwrap_or(module).to_owned(), pair);
        }
        if pairs.len() * 2 + own.len() != tensors.len() {
            return Err(refused("its weights", &"they hold more than pairs of A and B"));
        }
        Ok(Self { scale: config.lora_alpha / config.r as f64, pairs, own })
    }

    /// The numbers of a module that it brings, `count` of them.
    pub(super) fn own(&self, module: &str, count: usize) -> Result<&[f32]> {
        let numbers = self.own.get(module).ok_or_else(|| refused(module, &"it does not bring this module"))?;
        if numbers.len() != count {
            return Err(refused(module, &format!("it has {} numbers, not {count}", numbers.len())));
        }
        Ok(numbers)
    }

    /// Adds the differences: `W + scale · B · A`.
    pub(super) fn merge(&self, weights: &mut HashMap<String, Tensor>) -> Result<()> {
        for (module, [a, b]) in &self.pairs {
            let name = format!("{module}.weight");
            let weight = weights.get_mut(&name).ok_or_else(|| refused(module, &"the model has no such module"))?;
            let difference = (b.matmul(a)? * self.scale)?;
            if weight.dims() != difference.dims() {
                let why = format!("{:?} where the model has {:?}", difference.dims(), weight.dims());
                return Err(refused(module, &why));
            }
            *weight = (&*weight + difference)?;
        }
        Ok(())
    }
}

fn refused(what: &str, why: &impl ToString) -> Error {
    Error::AdapterRefused { what: what.to_owned(), reason: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &[u8] = br#"{"peft_type": "LORA", "r": 1, "lora_alpha": 2}"#;

    fn file(tensors: &[(&str, Vec<f32>, (usize, usize))]) -> Vec<u8> {
        let tensors: HashMap<String, Tensor> = tensors
            .iter()
            .map(|(name, values, shape)| {
                ((*name).to_owned(), Tensor::from_vec(values.clone(), *shape, &Device::Cpu).unwrap())
            })
            .collect();
        let path = tempfile::NamedTempFile::new().unwrap();
        candle_core::safetensors::save(&tensors, path.path()).unwrap();
        std::fs::read(path.path()).unwrap()
    }

    fn pair() -> Vec<u8> {
        file(&[
            ("base_model.model.layer.lora_A.weight", vec![1.0, 2.0], (1, 2)),
            ("base_model.model.layer.lora_B.weight", vec![3.0, 4.0, 5.0], (3, 1)),
        ])
    }

    #[test]
    fn differences_are_added_scaled() {
        let adapter = Adapter::read(CONFIG, &pair()).unwrap();
        let weight = Tensor::ones((3, 2), DType::F32, &Device::Cpu).unwrap();
        let mut weights = HashMap::from([("layer.weight".to_owned(), weight)]);
        adapter.merge(&mut weights).unwrap();
        let merged: Vec<Vec<f32>> = weights["layer.weight"].to_vec2().unwrap();
        assert_eq!(merged, [[7.0, 13.0], [9.0, 17.0], [11.0, 21.0]]);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_name() {
        let reason = |result: Result<Adapter>| result.err().expect("refused").to_string();
        assert!(reason(Adapter::read(b"{}", &pair())).contains("configuration"));
        assert!(reason(Adapter::read(br#"{"peft_type": "IA3", "r": 1, "lora_alpha": 1}"#, &pair())).contains("LoRA"));
        assert!(reason(Adapter::read(CONFIG, b"cut")).contains("weights"));
        let half = file(&[("layer.lora_A.weight", vec![1.0, 2.0], (1, 2))]);
        assert!(reason(Adapter::read(CONFIG, &half)).contains("no B"));
        let adapter = Adapter::read(CONFIG, &pair()).unwrap();
        let other = Tensor::ones((2, 2), DType::F32, &Device::Cpu).unwrap();
        let mut weights = HashMap::from([("layer.weight".to_owned(), other)]);
        assert!(adapter.merge(&mut weights).unwrap_err().to_string().contains("layer"));
        assert!(adapter.merge(&mut HashMap::new()).is_err());
    }
}
