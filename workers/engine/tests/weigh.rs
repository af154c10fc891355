//! Likelihoods of texts, on the tiny random-weight model.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use silverback_engine::testing::write_tiny_model;
use silverback_engine::{Device, Engine, EngineConfig, Error, Model, Rows, Weighing};
use tokio_util::sync::CancellationToken;

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    write_tiny_model(&path, 11).unwrap();
    Arc::new(Model::load(&path, Device::Cpu).unwrap())
});

fn weigh(prompt: &[u32], texts: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
    let engine = Engine::start(MODEL.clone(), EngineConfig::default());
    let weighing = Weighing { prompt: prompt.to_vec(), texts: texts.to_vec(), cancel: CancellationToken::new() };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(engine.weigh(weighing))
}

/// Each text computed by itself, token after token.
fn alone(prompt: &[u32], text: &[u32]) -> f32 {
    let mut sequence = MODEL.sequence();
    let whole = [prompt, &text[..text.len() - 1]].concat();
    let logits = MODEL.forward(&mut sequence, &whole, Rows::Last(text.len()), &CancellationToken::new()).unwrap();
    let one = |(index, token): (usize, &u32)| {
        let row = logits.row(index);
        let most = row.iter().copied().fold(f32::MIN, f32::max);
        row[*token as usize] - most - row.iter().map(|logit| (logit - most).exp()).sum::<f32>().ln()
    };
    text.iter().enumerate().map(one).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Over an alphabet of three, so that texts share beginnings, contain each other and come twice.
    #[test]
    fn texts_are_weighed_as_if_each_were_alone(
        prompt in proptest::collection::vec(0u32..256, 1..40),
        texts in proptest::collection::vec(proptest::collection::vec(0u32..3, 1..6), 1..8),
    ) {
        let likelihoods = weigh(&prompt, &texts).unwrap();
        prop_assert_eq!(likelihoods.len(), texts.len());
        for (likelihood, text) in likelihoods.iter().zip(&texts) {
            let expected = alone(&prompt, text);
            prop_assert!((likelihood - expected).abs() < 1e-3, "{likelihood} is not {expected}");
        }
    }
}

#[test]
fn what_cannot_be_weighed_is_refused() {
    assert!(matches!(weigh(&[], &[vec![1]]), Err(Error::PromptEmpty)));
    assert!(matches!(weigh(&[1], &[vec![]]), Err(Error::PromptEmpty)));
    assert!(matches!(weigh(&[1], &[vec![u32::MAX]]), Err(Error::TokenUnknown { .. })));
    assert!(matches!(weigh(&[1], &[vec![1; 100_000]]), Err(Error::PromptTooLong { .. })));
    assert_eq!(weigh(&[1], &[]).unwrap(), Vec::<f32>::new());
}
