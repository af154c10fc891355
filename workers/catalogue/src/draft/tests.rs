use std::path::Path;

use super::*;
use crate::build::build_imported;
use crate::import::{aws, kubectl, openbb, stripe};

fn catalogue(folder: &Path) -> Catalogue {
    let aws = aws::operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")).unwrap();
    let all = [aws, kubectl::operations().unwrap(), stripe::operations().unwrap(), openbb::operations().unwrap()];
    Catalogue::open(&all.map(|imported| build_imported(&imported, folder).unwrap().path)).unwrap()
}

fn best(catalogue: &Catalogue, capability: &str, text: &str) -> (String, f32) {
    let hits = match_draft(catalogue, Scope::of_capability(capability), text, 5);
    let Some(hit) = hits.first() else { return (String::new(), 0.0) };
    (catalogue.name(hit.operation).unwrap().2.to_owned(), hit.score)
}

#[test]
fn a_right_draft_is_exact_in_every_tongue() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    for (text, name) in [
        ("aws dynamodb delete-table --table-name Users", "DeleteTable"),
        ("aws dynamodb DeleteTable --table-name Users", "DeleteTable"),
        ("aws s3api create-bucket --bucket logs", "CreateBucket"),
        ("aws s3 cp s3://raw s3://clean --recursive", "cp"),
        ("```bash\n$ kubectl rollout restart deployment/web -n prod\n```", "rollout restart"),
        ("kubectl get pods -n kube-system", "get"),
        ("curl https://api.stripe.com/v1/charges -d amount=2500", "PostCharges"),
        ("curl https://api.stripe.com/v1/customers/cus_1", "GetCustomersCustomer"),
        ("stripe charges create --amount=2500", "PostCharges"),
        ("obb.equity.price.historical(symbol=\"META\")", "equity.price.historical"),
    ] {
        assert_eq!(best(&catalogue, "", text), (name.to_owned(), 1.0), "{text}");
    }
}

#[test]
fn a_draft_behind_a_prompt_needs_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    assert_eq!(best(&catalogue, "aws", " dynamodb delete-table --table-name Users").0, "DeleteTable");
    assert_eq!(best(&catalogue, "kubernetes", " rollout restart deployment/web").0, "rollout restart");
    assert_eq!(best(&catalogue, "openbb", ".equity.price.historical(symbol=\"META\")").0, "equity.price.historical");
}

#[test]
fn nearly_right_names_find_their_operation() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    for (text, name) in [
        ("aws dynamodb delete_table --table-name Users", "DeleteTable"),
        ("aws dynamodb remove-table --table-name Users", "DeleteTable"),
        ("aws dynamodb get-tables", "ListTables"),
        ("aws dynamo put-item --table-name Users", "PutItem"),
        ("aws s3 set-bucket-versioning --bucket photos", "PutBucketVersioning"),
        ("aws s3 create-bucket --bucket photos", "CreateBucket"),
        ("kubectl restart deployment web", "rollout restart"),
        ("kubectl undo rollout deployment/web", "rollout undo"),
    ] {
        let (found, score) = best(&catalogue, "", text);
        assert_eq!(found, name, "{text}");
        assert!(score < 1.0 && score > 0.25, "{text}: {score}");
    }
}

#[test]
fn another_vendors_draft_names_nothing_in_scope() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    assert!(match_draft(&catalogue, Scope::of_capability("aws"), "kubectl get pods", 5).is_empty());
    let in_service = match_draft(&catalogue, Scope::of_capability("aws/s3"), "aws dynamodb delete-table", 5);
    assert!(in_service.iter().all(|hit| catalogue.name(hit.operation).unwrap().1 == "s3"));
}

#[test]
fn nonsense_is_not_certain_and_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(folder.path());
    for text in ["", "\u{0}", "--", "aws", "I cannot do that.", "aws s3 \"unclosed", &"aws ".repeat(100_000)] {
        let (_, score) = best(&catalogue, "", text);
        assert!(score < LOOSE, "{:.30}: {score}", text);
    }
}
