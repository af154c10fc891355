//! The forward pass with candle's own products, as on processors for which we have no kernels. One test a file: the switch is for the process.
#![allow(clippy::unwrap_used)]

use std::fs::File;

use candle_core::quantized::gguf_file;
use candle_core::{Device as CandleDevice, Tensor};
use candle_transformers::models::quantized_qwen2::ModelWeights;
use silverback_engine::testing::{switch_kernels_off, write_tiny_model};
use silverback_engine::{Device, Model, Rows};
use tokio_util::sync::CancellationToken;

#[test]
fn without_our_kernels_the_logits_are_candles() {
    switch_kernels_off();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    write_tiny_model(&path, 3).unwrap();
    let model = Model::load(&path, Device::Cpu).unwrap();
    let mut file = File::open(&path).unwrap();
    let content = gguf_file::Content::read(&mut file).unwrap();
    let mut stock = ModelWeights::from_gguf(content, &mut file, &CandleDevice::Cpu).unwrap();
    let mut sequence = model.sequence();
    let mut at = 0;
    for len in [90, 1, 1, 7, 300, 1] {
        let tokens: Vec<u32> = (at as u32..at as u32 + len).map(|i| i * 37 % 300).collect();
        let ours = model.forward(&mut sequence, &tokens, Rows::Last(1), &CancellationToken::new()).unwrap();
        let ids = Tensor::new(tokens.as_slice(), &CandleDevice::Cpu).unwrap().unsqueeze(0).unwrap();
        let theirs: Vec<f32> = stock.forward(&ids, at).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let distance = ours.row(0).iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(distance < 1e-3, "off by {distance} after {at} + {len} tokens");
        at += tokens.len();
    }
}
