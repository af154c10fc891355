use std::path::Path;

use crate::build::build_imported;
use crate::import::{aws, kubectl};
use crate::{Catalogue, Scope};

/// The cut AWS models and all of kubectl.
fn catalogue(folder: &Path) -> Catalogue {
    let aws = aws::operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")).unwrap();
    let built = [aws, kubectl::operations().unwrap()].map(|imported| build_imported(&imported, folder).unwrap().path);
    Catalogue::open(&built).unwrap()
}

fn first(catalogue: &Catalogue, scope: Scope<'_>, text: &str) -> String {
    let hits = catalogue.search_in(scope, text, 5);
    hits.first().and_then(|hit| catalogue.name(hit.operation)).map_or_else(String::new, |(_, _, name)| name.to_owned())
}

#[test]
fn users_words_find_the_vendors_operations() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    let (aws, kubernetes) = (Scope::of_capability("aws"), Scope::of_capability("kubernetes"));
    for (scope, text, name) in [
        (aws, "create a bucket called logs-eu", "CreateBucket"),
        (aws, "mirror ./site into s3://www", "sync"),
        (aws, "turn on versioning for the bucket photos", "PutBucketVersioning"),
        (aws, "throw away the table Users", "DeleteTable"),
        (aws, "what tables are in DynamoDB?", "ListTables"),
        (kubernetes, "restart the checkout deployment", "rollout restart"),
        (kubernetes, "scale web to 5 replicas", "scale"),
        (kubernetes, "roll back the deployment web", "rollout undo"),
    ] {
        assert_eq!(first(&catalogue, scope, text), name, "{text}");
    }
}

#[test]
fn a_scope_holds() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    let names = |capability: &'static str| -> Vec<(String, String)> {
        let hits = catalogue.search_in(Scope::of_capability(capability), "delete the table or bucket", 50);
        let named = hits.iter().filter_map(|hit| catalogue.name(hit.operation));
        named.map(|(provider, service, _)| (provider.to_owned(), service.to_owned())).collect()
    };
    assert!(!names("aws/s3").is_empty() && names("aws/s3").iter().all(|(_, service)| service == "s3"));
    assert!(
        !names("kubernetes").is_empty() && names("kubernetes").iter().all(|(provider, _)| provider == "kubernetes")
    );
    assert!(names("gcp").is_empty() && names("aws/nothing").is_empty());
}

#[test]
fn odd_requests_find_nothing_and_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    for text in ["", "   ", "\u{0}\u{1}", "🦍🦍🦍", "the of and", &"x".repeat(1 << 20)] {
        assert!(catalogue.search(text, 5).is_empty(), "{:.20}", text);
    }
    assert!(catalogue.search("create bucket", 0).is_empty());
    assert_eq!(catalogue.search("create bucket", 3).len(), 3);
}

#[test]
fn equal_searches_give_equal_answers() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    let ask = || catalogue.search("delete the bucket in s3 and the table", 20);
    assert_eq!(ask(), ask());
    let hits = ask();
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
}

#[test]
fn a_vendor_may_be_given_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = build_imported(&kubectl::operations().unwrap(), folder.path()).unwrap().path;
    assert!(Catalogue::open(&[&path, &path]).is_err());
}
