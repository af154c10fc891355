//! `silverback catalogue`: built from a wheel with one small AWS service and from what the binary holds itself.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{Silverback, sha256, write_wheel};

struct Fixture {
    folder: tempfile::TempDir,
}

// === impl Fixture ===

impl Fixture {
    fn new() -> Self {
        let fixture = Fixture { folder: tempfile::tempdir().unwrap() };
        let service = json!({
            "metadata": { "apiVersion": "2020-01-01", "protocol": "json", "serviceFullName": "Tiny", "serviceId": "Tiny" },
            "operations": {
                "CreateThing": { "name": "CreateThing", "http": { "method": "POST", "requestUri": "/" },
                    "input": { "shape": "CreateThingRequest" }, "documentation": "<p>Makes a thing.</p>" },
                "DeleteThing": { "name": "DeleteThing", "http": { "method": "POST", "requestUri": "/" },
                    "input": { "shape": "DeleteThingRequest" }, "documentation": "<p>Removes a thing.</p>" },
            },
            "shapes": {
                "CreateThingRequest": { "type": "structure", "required": ["Name"], "members": {
                    "Name": { "shape": "Name", "documentation": "<p>What it is called.</p>" }, "Box": { "shape": "Box" } } },
                "DeleteThingRequest": { "type": "structure", "members": { "Name": { "shape": "Name" } } },
                "Name": { "type": "string" },
                "Box": { "type": "structure", "members": { "Inner": { "shape": "Box" } } },
            },
        });
        let member = "botocore/data/tiny/2020-01-01/service-2.json";
        let wheel = write_wheel(fixture.folder.path(), "tinycore", &[(member, service.to_string().as_bytes())]);
        let bytes = fs::read(wheel).unwrap();
        let manifest = format!(
            "[[model]]\nname = \"tinycore\"\nrole = \"source\"\ndefault = true\nlicence = \"MIT\"\n\
             [[model.file]]\nfile = \"tinycore.whl\"\nbytes = {}\nsha256 = \"{}\"\nsources = [ {{ wheel = \"tinycore==1.0\" }} ]\n",
            bytes.len(),
            sha256(&bytes)
        );
        fs::write(fixture.manifest(), manifest).unwrap();
        fixture
    }

    fn built() -> Self {
        let fixture = Fixture::new();
        let done = fixture.silverback(&["catalogue", "build"]).run();
        assert_eq!(done.code, 0, "{done:?}");
        fixture
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("models.toml")
    }

    fn pack(&self, provider: &str) -> PathBuf {
        self.folder.path().join("cache/packs").join(format!("{provider}.pack"))
    }

    fn silverback(&self, arguments: &[&str]) -> Silverback {
        Silverback::new(self.folder.path())
            .env("SILVERBACK_MANIFEST", self.manifest())
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.folder.path())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .arguments(arguments)
    }
}

#[test]
fn it_is_built_from_the_wheel_and_from_the_binary_and_is_the_same_every_time() {
    let fixture = Fixture::built();
    let packs = ["aws", "kubernetes", "openbb", "stripe"].map(|provider| fs::read(fixture.pack(provider)).unwrap());
    assert_eq!(fixture.silverback(&["catalogue", "build"]).run().code, 0);
    let again = ["aws", "kubernetes", "openbb", "stripe"].map(|provider| fs::read(fixture.pack(provider)).unwrap());
    assert!(packs == again, "a pack depends on its sources alone");
    let stats = fixture.silverback(&["catalogue", "stats", "--json"]).run();
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    assert_eq!(stats["packs"][0]["provider"], "aws");
    assert!(stats["packs"][3]["effects"]["keyed"].as_u64().unwrap() > 100, "{stats}");
    assert_eq!(stats["packs"][3]["known"]["keys"], stats["packs"][3]["effects"]["keyed"]);
    let operations = stats["packs"].as_array().unwrap().iter().map(|pack| pack["operations"].as_u64().unwrap());
    assert_eq!(stats["operations"].as_u64().unwrap(), operations.sum::<u64>());
}

#[test]
fn a_search_finds_operations_by_words() {
    let fixture = Fixture::built();
    let done = fixture.silverback(&["catalogue", "search", "make a thing", "--provider", "aws", "--json"]).run();
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(found[0]["operation"], "aws/tiny/CreateThing", "{found}");
    assert_eq!(found[0]["summary"], "Makes a thing.");
    let done = fixture.silverback(&["catalogue", "search", "qqqqzzzz"]).run();
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    let done = fixture.silverback(&["catalogue", "search", "x", "--provider", "azure"]).run();
    assert_eq!((done.code, done.last_hint()), (2, "there are aws, kubernetes, openbb, stripe"));
}

#[test]
fn an_operation_is_found_however_it_is_written() {
    let fixture = Fixture::built();
    for name in
        ["aws/tiny/CreateThing", "tiny/CreateThing", "aws tiny create-thing", "tiny create-thing", "creatething"]
    {
        let done = fixture.silverback(&["catalogue", "show", name]).run();
        assert_eq!(done.stdout.lines().next(), Some("aws/tiny/CreateThing"), "{name}: {done:?}");
    }
    let done = fixture.silverback(&["catalogue", "show", "kubectl", "rollout", "restart"]).run();
    assert_eq!(done.stdout.lines().next(), Some("kubernetes/kubectl/rollout restart"), "{done:?}");
}

#[test]
fn show_says_what_an_operation_needs_and_does() {
    let fixture = Fixture::built();
    let done = fixture.silverback(&["catalogue", "show", "CreateThing"]).run();
    assert!(done.stdout.contains("said as aws tiny create-thing\n"), "{done:?}");
    let words = |start: &str| {
        let line = done.stdout.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("effect"), "effect irreversible (unknown, so the most dangerous)", "{done:?}");
    assert_eq!(words("undone by"), "undone by DeleteThing: Name ← argument Name (rule made-and-unmade)", "{done:?}");
    let row = done.stdout.lines().find(|line| line.starts_with("  Name")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>().join(" "), "Name required string What it is called.");
    let done = fixture.silverback(&["catalogue", "show", "CreateThing", "--json"]).run();
    let shown: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(shown["key"], "aws/tiny/CreateThing");
    assert_eq!(shown["semantics"]["inverse"]["operation"], "DeleteThing", "{shown}");
    assert_eq!(shown["undo"], "DeleteThing");
    // A shape that contains itself is there once.
    assert!(shown["definitions"]["Box"].is_object(), "{shown}");
}

#[test]
fn an_unknown_operation_names_what_is_near() {
    let fixture = Fixture::built();
    let done = fixture.silverback(&["catalogue", "show", "aws tiny create-thin"]).run();
    assert_eq!(done.code, 2);
    assert!(done.last_hint().contains("aws/tiny/CreateThing"), "{}", done.stderr);
}

#[test]
fn without_a_catalogue_the_hint_builds_one() {
    let done = Fixture::new().silverback(&["catalogue", "search", "x"]).run();
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(done.last_hint(), "run `silverback catalogue build`");
}

#[test]
fn a_damaged_pack_is_named_and_the_hint_builds_it_anew() {
    let fixture = Fixture::built();
    let whole = fs::read(fixture.pack("stripe")).unwrap();
    fs::write(fixture.pack("stripe"), &whole[..whole.len() / 2]).unwrap();
    let done = fixture.silverback(&["catalogue", "list"]).run();
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.last_error().contains("stripe.pack"), "{}", done.stderr);
    assert_eq!(done.last_hint(), "run `silverback catalogue build`");
}

#[test]
fn list_walks_from_vendors_to_operations() {
    let fixture = Fixture::built();
    assert_eq!(fixture.silverback(&["catalogue", "list"]).run().stdout, "aws\nkubernetes\nopenbb\nstripe\n");
    let services = fixture.silverback(&["catalogue", "list", "aws"]).run();
    assert!(
        services.stdout.lines().any(|line| line.split_whitespace().eq(["tiny", "2", "Tiny"])),
        "{}",
        services.stdout
    );
    let operations = fixture.silverback(&["catalogue", "list", "aws/tiny"]).run();
    assert_eq!(operations.stdout, "aws/tiny/CreateThing\naws/tiny/DeleteThing\n");
}

/// A botocore data folder whose one service has lost an operation and makes one parameter required.
fn changed_data(fixture: &Fixture) -> PathBuf {
    let service = json!({
        "metadata": { "apiVersion": "2020-01-01", "protocol": "json", "serviceFullName": "Tiny", "serviceId": "Tiny" },
        "operations": { "CreateThing": { "name": "CreateThing", "http": { "method": "POST", "requestUri": "/" },
            "input": { "shape": "CreateThingRequest" }, "documentation": "<p>Makes a thing.</p>" } },
        "shapes": {
            "CreateThingRequest": { "type": "structure", "required": ["Name", "Box"], "members": {
                "Name": { "shape": "Name" }, "Box": { "shape": "Box" }, "Color": { "shape": "Name" } } },
            "Name": { "type": "string" },
            "Box": { "type": "structure", "members": { "Inner": { "shape": "Box" } } },
        },
    });
    let data = fixture.folder.path().join("data");
    fs::create_dir_all(data.join("tiny/2020-01-01")).unwrap();
    fs::write(data.join("tiny/2020-01-01/service-2.json"), service.to_string()).unwrap();
    data
}

#[test]
fn a_rebuild_keeps_the_old_pack_and_diff_says_what_changed() {
    let fixture = Fixture::built();
    let listed = fixture.silverback(&["catalogue", "list", "--all"]).run().stdout;
    let old =
        listed.lines().find(|line| line.starts_with("aws ")).unwrap().split_whitespace().last().unwrap().to_owned();
    let data = changed_data(&fixture);
    let built = fixture.silverback(&["catalogue", "build", "--botocore", data.to_str().unwrap()]).run();
    assert_eq!(built.code, 0, "{built:?}");
    let listed = fixture.silverback(&["catalogue", "list", "--all"]).run().stdout;
    assert_eq!(listed.lines().filter(|line| line.starts_with("aws ")).count(), 2, "{listed}");
    assert_eq!(listed.lines().filter(|line| line.contains("current")).count(), 4, "{listed}");
    let done = fixture.silverback(&["catalogue", "diff", &old[.."sha256:".len() + 10], "aws"]).run();
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<&str> = done.stdout.lines().map(str::trim).collect();
    let breaking = lines.iter().position(|line| *line == "breaking").unwrap();
    let expected = [
        "operation removed tiny/DeleteThing",
        "became required tiny/CreateThing Box",
        "",
        "not breaking",
        "parameter added tiny/CreateThing Color: string",
    ];
    assert_eq!(lines[breaking + 1..], expected);
    let done = fixture.silverback(&["catalogue", "diff", &old, "aws", "--json"]).run();
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&found["breaking"], &found["counts"]["parameter-added"]), (&json!(2), &json!(1)), "{found}");
}

#[test]
fn diff_says_what_it_can_compare() {
    let fixture = Fixture::built();
    let done = fixture.silverback(&["catalogue", "diff", "stripe", "stripe"]).run();
    assert!(done.code == 0 && done.stdout.ends_with("no difference\n"), "{done:?}");
    let done = fixture.silverback(&["catalogue", "diff", "azure", "aws"]).run();
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.last_hint().contains("list --all"), "{done:?}");
    let done = fixture.silverback(&["catalogue", "diff", "stripe", "aws"]).run();
    assert!(done.code == 2 && done.last_error().contains("one is of stripe, the other of aws"), "{done:?}");
}
