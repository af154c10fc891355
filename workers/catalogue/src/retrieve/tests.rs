use std::path::Path;

use super::*;
use crate::build::build_imported;
use crate::import::{aws, kubectl};
use crate::pack::Pack;
use crate::search::{Encoder, split_name};

/// Counts letter pairs: texts that share words are near. Deterministic, and enough to prove the way through pack and search.
struct Letters;

impl Encoder for Letters {
    fn model(&self) -> &str {
        "letters"
    }

    fn encode(&self, texts: &[&str]) -> std::result::Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(texts.iter().map(|text| letters(text)).collect())
    }
}

fn letters(text: &str) -> Vec<f32> {
    let mut counts = vec![0f32; 128];
    let text = split_name(text).join(" ");
    for pair in text.as_bytes().windows(2) {
        counts[(usize::from(pair[0]) * 31 + usize::from(pair[1])) % 128] += 1.0;
    }
    let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt().max(1.0);
    counts.iter().map(|count| count / length).collect()
}

fn packs(folder: &Path) -> Vec<std::path::PathBuf> {
    let aws = aws::operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")).unwrap();
    [aws, kubectl::operations().unwrap()].map(|imported| build_imported(&imported, folder).unwrap().path).to_vec()
}

fn with_vectors(folder: &Path) -> Catalogue {
    let paths = packs(folder);
    for path in &paths {
        Pack::open(path).unwrap().write_with_vectors(&Letters, path).unwrap();
    }
    Catalogue::open(&paths).unwrap()
}

fn names(catalogue: &Catalogue, retrieved: &Retrieved) -> Vec<String> {
    retrieved.candidates.iter().map(|found| catalogue.name(found.operation).unwrap().2.to_owned()).collect()
}

const AWS: Scope<'_> = Scope { provider: Some("aws"), service: None };

#[test]
fn a_nonsense_draft_does_not_hide_what_words_find() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = with_vectors(folder.path());
    for draft in [
        "aws",
        "aws frobnicate wibble-wobble --now",
        "aws aws aws aws",
        "I am sorry, but I cannot help with that.",
        "aws zzz qqq-xxx",
    ] {
        for (text, name) in [
            ("turn on versioning for the bucket photos", "PutBucketVersioning"),
            ("throw away the table Users", "DeleteTable"),
            ("create a bucket called logs-eu", "CreateBucket"),
        ] {
            let vector = letters(text);
            let wish = Wish { text, vector: Some(&vector), draft };
            let found = names(&catalogue, &retrieve(&catalogue, AWS, &wish, 3));
            assert!(found.iter().any(|found| found == name), "{text} with {draft:?}: {found:?}");
        }
    }
}

#[test]
fn an_exact_draft_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = with_vectors(folder.path());
    let wish = Wish { text: "get rid of Users", vector: None, draft: "aws dynamodb delete-table --table-name Users" };
    assert_eq!(names(&catalogue, &retrieve(&catalogue, AWS, &wish, 5))[0], "DeleteTable");
}

#[test]
fn shares_of_belief_add_up_to_one_and_order_the_candidates() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = with_vectors(folder.path());
    let vector = letters("delete the bucket");
    let wish = Wish { text: "delete the bucket", vector: Some(&vector), draft: "aws s3api delete-bucket" };
    let all = retrieve(&catalogue, Scope::default(), &wish, usize::MAX);
    let sum: f32 = all.candidates.iter().map(|candidate| candidate.score).sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    assert!(all.candidates.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!((0.0..=1.0).contains(&all.fits));
}

#[test]
fn a_pack_without_vectors_is_searched_by_words_alone() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(&packs(folder.path())).unwrap();
    assert_eq!(catalogue.vector_model(), None);
    let vector = letters("delete the table");
    let wish = Wish { text: "delete the table", vector: Some(&vector), draft: "" };
    let found = retrieve(&catalogue, AWS, &wish, 5);
    assert_eq!(names(&catalogue, &found)[0], "DeleteTable");
    assert!(found.candidates.iter().all(|candidate| !candidate.sources.meaning));
}

#[test]
fn vectors_make_the_same_bytes_again_and_a_new_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = &packs(folder.path())[0];
    let plain = Pack::open(path).unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let summary = plain.write_with_vectors(&Letters, &one).unwrap();
    plain.write_with_vectors(&Letters, &two).unwrap();
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let opened = Pack::open(&one).unwrap();
    opened.verify().unwrap();
    assert_eq!(opened.digest(), summary.digest);
    assert_ne!(opened.digest(), plain.digest());
    assert_eq!(opened.vectors().unwrap().len(), plain.len() as usize);
}

#[test]
fn earlier_vectors_serve_again_while_all_else_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let [aws, kubernetes] = &packs(folder.path())[..] else { unreachable!("two packs are built") };
    let plain = Pack::open(aws).unwrap();
    let encoded = folder.path().join("encoded");
    let summary = plain.write_with_vectors(&Letters, &encoded).unwrap();
    let earlier = Pack::open(&encoded).unwrap();
    let again = folder.path().join("again");
    let taken = plain.write_with_vectors_of(&earlier, "letters", &again).unwrap();
    assert_eq!(taken, Some(summary));
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&encoded).unwrap());
    let none = folder.path().join("none");
    let other = Pack::open(kubernetes).unwrap();
    assert_eq!(other.write_with_vectors_of(&earlier, "letters", &none).unwrap(), None);
    assert_eq!(plain.write_with_vectors_of(&earlier, "other model", &none).unwrap(), None);
    assert_eq!(plain.write_with_vectors_of(&plain, "letters", &none).unwrap(), None);
    assert!(!none.exists());
}

#[test]
fn an_encoder_that_fails_leaves_the_old_pack() {
    struct Broken;
    impl Encoder for Broken {
        fn model(&self) -> &str {
            "broken"
        }
        fn encode(&self, _: &[&str]) -> std::result::Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(vec![vec![f32::NAN]])
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = &packs(folder.path())[0];
    let before = std::fs::read(path).unwrap();
    assert!(Pack::open(path).unwrap().write_with_vectors(&Broken, path).is_err());
    assert_eq!(std::fs::read(path).unwrap(), before);
}
