//! `silverback catalogue add|remove`: files, addresses and real servers become catalogues; nothing half-made is left.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    thread,
};

use serde_json::{Value, json};

use crate::support::Silverback;

struct Home {
    folder: tempfile::TempDir,
}

// === impl Home ===

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn silverback(&self, arguments: &[&str]) -> Silverback {
        Silverback::new(self.folder.path()).arguments(arguments)
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn packs(&self) -> PathBuf {
        self.folder.path().join("cache/packs")
    }

    /// Files of the packs' folder itself; older packs lie in a folder below it.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.packs()).into_iter().flatten().flatten().filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workers/catalogue/tests/fixtures/brought").join(name);
    path.to_str().unwrap().to_owned()
}

/// Answers every request with what `answer` says to method and body, until the test ends.
fn serve(answer: impl Fn(&str, &str) -> (u16, &'static str, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = reader.read_exact(&mut body);
            let method = head.split(' ').next().unwrap_or_default();
            let (status, kind, body) = answer(method, &String::from_utf8_lossy(&body));
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nmcp-session-id: s1\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = reader.get_mut().write_all((head + &body).as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn an_openapi_file_becomes_a_catalogue_that_is_listed_searched_shown_and_removed() {
    let home = Home::new();
    let done = home
        .silverback(&[
            "catalogue",
            "add",
            "comics",
            &fixture("xkcd.com.json"),
            "--describe",
            "web comics",
            "--example",
            "show me comic 614",
        ])
        .run();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.starts_with("added comics: 2 operations, "), "{done:?}");
    assert_eq!(home.files(), ["comics.pack", "comics.toml"]);
    let specialty = fs::read_to_string(home.packs().join("comics.toml")).unwrap();
    assert!(
        specialty.contains("description = \"web comics\"") && specialty.contains("show me comic 614"),
        "{specialty}"
    );
    assert_eq!(home.silverback(&["catalogue", "list"]).run().stdout, "comics\n");
    let found = home.silverback(&["catalogue", "search", "current comic", "--json"]).run();
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found[0]["operation"], "comics/info-0-json/get_info_0_json", "{found}");
    let shown = home.silverback(&["catalogue", "show", "get_comicId_info_0_json"]).run();
    assert!(shown.stdout.contains("said as GET http://xkcd.com/{comicId}/info.0.json"), "{shown:?}");
    assert_eq!(home.silverback(&["catalogue", "remove", "comics"]).run().code, 0);
    assert_eq!(home.files(), Vec::<String>::new());
    assert_eq!(fs::read_dir(home.packs().join("by-digest")).unwrap().count(), 0, "nothing of it is kept");
    assert_eq!(home.silverback(&["catalogue", "remove", "comics"]).run().code, 2);
}

#[test]
fn a_bad_source_leaves_the_old_pack_and_says_where_it_is_wrong() {
    let home = Home::new();
    assert_eq!(home.silverback(&["catalogue", "add", "comics", &fixture("xkcd.com.json")]).run().code, 0);
    let before = fs::read(home.packs().join("comics.pack")).unwrap();
    let twice = json!({"openapi": "3.0.0", "servers": [{"url": "https://x.example"}], "paths": {
        "/a": {"get": {"operationId": "same"}}, "/b": {"get": {"operationId": "same"}}}});
    let cases = [
        (home.put("cut.json", "{\"openapi\": \"3.0.0\", \"paths\": {"), "line 1 column"),
        (home.put("deep.json", &"[".repeat(100_000)), "nested deeper than 127 levels"),
        (home.put("twice.json", &twice.to_string()), "#/paths/~1b/get: the operation \"same\" is already at #/paths/~1a/get"),
        (home.put("loop.yaml", "openapi: 3.0.0\nservers: [{url: 'https://x.example'}]\npaths:\n  /a:\n    get:\n      parameters: [{$ref: '#/paths/~1a/get/parameters/0'}]\n"), "leads in a circle"),
        (home.put("name.json", "{\"tools\": [{\"name\": \"a\\u001b[2J\", \"inputSchema\": {}}]}"), "U+001B"),
        (home.put("page.html", "<html>"), "HTML"),
    ];
    for (source, wanted) in cases {
        let done = home.silverback(&["catalogue", "add", "comics", &source]).run();
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.contains(wanted) && !done.stderr.contains('\u{1b}'), "{source}: {}", done.stderr);
        assert_eq!(fs::read(home.packs().join("comics.pack")).unwrap(), before, "{source}");
        assert_eq!(home.files(), ["comics.pack", "comics.toml"], "nothing half-written");
    }
}

#[test]
fn names_that_are_taken_or_lead_elsewhere_are_refused_before_anything_is_read() {
    let home = Home::new();
    for name in ["aws", "finance", "../up", "Comics", "plan"] {
        let done = home.silverback(&["catalogue", "add", name, "/nowhere.json"]).run();
        assert_eq!(done.code, 2, "{name}: {done:?}");
        assert!(done.stderr.contains("name"), "{name}: {}", done.stderr);
    }
}

#[test]
fn an_address_is_asked_what_it_is() {
    let home = Home::new();
    let openapi = fs::read_to_string(fixture("xkcd.com.json")).unwrap().replace("http://xkcd.com/", "/v2");
    let at = serve(move |_, _| (200, "application/json", openapi.clone()));
    let done = home.silverback(&["catalogue", "add", "comics", &format!("{at}/docs/openapi.json")]).run();
    assert_eq!(done.code, 0, "{done:?}");
    let shown = home.silverback(&["catalogue", "show", "get_info_0_json"]).run();
    assert!(shown.stdout.contains(&format!("said as GET {at}/v2/info.0.json")), "a relative server: {shown:?}");

    let schema = fs::read_to_string(fixture("graphql-library.json")).unwrap();
    let at = serve(move |method, body| match (method, body.contains("__schema")) {
        ("POST", true) => (200, "application/json", schema.clone()),
        _ => (405, "text/plain", String::new()),
    });
    let done = home.silverback(&["catalogue", "add", "library", &format!("{at}/api")]).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.starts_with("added library: "), "{done:?}");

    let at = serve(|_, _| (404, "text/plain", "no".to_owned()));
    let done = home.silverback(&["catalogue", "add", "nothing", &at]).run();
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stderr.contains("GET: 404") && done.stderr.contains("MCP: 404"), "{}", done.stderr);
    let done = home.silverback(&["catalogue", "add", "nothing", "http://user:secret@127.0.0.1/"]).run();
    assert!(done.code == 2 && !done.stderr.contains("secret"), "{}", done.stderr);
}

#[test]
fn an_mcp_server_at_an_address_is_asked_for_every_page_of_its_tools() {
    let home = Home::new();
    let at = serve(|method, body| {
        let asked: Value = serde_json::from_str(body).unwrap_or_default();
        let tool = |name: &str| json!({"name": name, "description": "Does it.", "inputSchema": {"type": "object"}});
        let result = match (asked["method"].as_str(), asked["params"]["cursor"].as_str()) {
            (Some("initialize"), _) => {
                json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "two", "version": "1"}})
            }
            (Some("notifications/initialized"), _) => return (202, "text/plain", String::new()),
            (Some("tools/list"), None) => json!({"tools": [tool("first")], "nextCursor": "2"}),
            (Some("tools/list"), Some("2")) => json!({"tools": [tool("second")]}),
            _ => return (if method == "GET" { 405 } else { 400 }, "text/plain", String::new()),
        };
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
        // One as JSON, the others as events: both are allowed.
        if asked["method"] == "initialize" {
            return (200, "application/json", answer.to_string());
        }
        (200, "text/event-stream", format!("event: message\r\ndata: {answer}\r\n\r\n"))
    });
    let done = home.silverback(&["catalogue", "add", "two", &at]).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        home.silverback(&["catalogue", "list", "two/tools"]).run().stdout,
        "two/tools/first\ntwo/tools/second\n"
    );
}

#[test]
fn a_command_that_is_no_mcp_server_is_an_error_with_what_it_said() {
    let home = Home::new();
    let done = home.silverback(&["catalogue", "add", "shell", "--", "sh", "-c", "echo broken >&2; exit 3"]).run();
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stderr.contains("it said: broken"), "{}", done.stderr);
    let done = home.silverback(&["catalogue", "add", "shell", "--", "/no/such/program"]).run();
    assert!(done.code == 3 && done.stderr.contains("cannot start"), "{}", done.stderr);
}

/// The real server is installed by `deploy/test.sh`; without it this test says so and passes.
#[test]
fn a_real_mcp_server_is_started_and_its_tools_become_operations() {
    let Some(server) = std::env::var_os("SILVERBACK_TEST_MCP_SERVER") else {
        eprintln!("skipped: SILVERBACK_TEST_MCP_SERVER names no server; `make test` installs one");
        return;
    };
    let home = Home::new();
    let done = home.silverback(&["catalogue", "add", "git", "--", server.to_str().unwrap()]).run();
    assert_eq!(done.code, 0, "{done:?}");
    let stats = home.silverback(&["catalogue", "stats", "--json"]).run();
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    let count = stats["packs"][0]["operations"].as_u64().unwrap();
    assert!(count >= 10, "{stats}");
    assert_eq!(stats["packs"][0]["effects"]["irreversible"].as_u64(), Some(count), "its hints are not believed");
    let done = home.silverback(&["catalogue", "add", "git", "--trust-hints", "--", server.to_str().unwrap()]).run();
    assert_eq!(done.code, 0, "{done:?}");
    let stats = home.silverback(&["catalogue", "stats", "--json"]).run();
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    assert!(stats["packs"][0]["effects"]["read"].as_u64() >= Some(5), "{stats}");
    let shown = home.silverback(&["catalogue", "show", "git_log"]).run();
    assert!(shown.stdout.contains("said as mcp git git_log"), "{shown:?}");
}
