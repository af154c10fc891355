//! The shipped encoder with its adapters, when `SILVERBACK_TEST_EMBEDDER` names the folder of all-MiniLM-L6-v2 (`make test` does).

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use silverback_workers::load_encoder;

fn folder() -> Option<PathBuf> {
    std::env::var_os("SILVERBACK_TEST_EMBEDDER").map(PathBuf::from)
}

#[test]
fn a_new_wish_begins_at_its_joining_word_and_details_begin_none() {
    let Some(folder) = folder() else { return };
    let encoder = load_encoder(&folder).unwrap();
    let beginnings = |text: &str| -> Vec<usize> {
        let words = encoder.split(text).unwrap().unwrap();
        words.into_iter().filter(|(at, probability)| *at > 0 && *probability >= 0.5).map(|(at, _)| at).collect()
    };
    let two = "stop i-0abc1234 and then scale the deployment web to 3";
    assert_eq!(beginnings(two), [two.find("and").unwrap()]);
    assert_eq!(beginnings("make a 200 GB gp3 volume in us-east-1b, encrypted, tagged team=ops"), Vec::<usize>::new());
}

#[test]
fn any_text_can_be_split() {
    let Some(folder) = folder() else { return };
    let encoder = load_encoder(&folder).unwrap();
    for text in ["", " \n", "日本語で三つの瓶を作る".repeat(300).as_str(), "x".repeat(16 << 10).as_str(), "a b "]
    {
        let words = encoder.split(text).unwrap().unwrap();
        assert!(words.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order, none twice");
        assert!(words.iter().all(|(at, probability)| text.is_char_boundary(*at) && (0.0..=1.0).contains(probability)));
    }
}
