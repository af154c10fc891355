//! Makes arguments for real operations from their schemas: nasty texts, numbers at their bounds, everything nested.
//!
//! Deterministic by seed. Not proptest strategies: building one for each of 20,000 recursive schemas costs more than all tests.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use silverback_catalogue::{Invocation, Operation};

/// Structures within each other.
const MAX_DEPTH: usize = 4;

/// Words that shells, command lines, shorthand and forms could trip over.
const NASTY: &[&str] = &[
    "",
    " ",
    "web",
    "it's",
    "say \"hi\"",
    "two  blanks",
    "-x",
    "--flag",
    "--",
    "-",
    "a=b",
    "a=b,c=d",
    "Key=a,Value=b",
    "a,b",
    ",",
    "[1,2]",
    "[",
    "{\"a\":1}",
    "{",
    "}",
    "]",
    "$HOME",
    "$(id)",
    "`id`",
    "a;b",
    "a&&b",
    "a|b",
    "<x>",
    ">out",
    "#no",
    "\\",
    "a\\,b",
    "tab\there",
    "line\nbreak",
    "ünïcödé",
    "日本語",
    "🦍",
    "true",
    "false",
    "null",
    "5",
    "-7",
    "1.5",
    "1e3",
    "0x1f",
    "file://x.json",
    "fileb://x",
    "https://example.com/a?b=c&d=e#f",
    "100%",
    "%41",
    "a+b@c.d",
    "a/b",
    "a?b",
    "..",
    "[0]",
    "a[b]",
    "~",
    "!x",
    "*",
    "@x",
    "c:\\dir",
    "$ref",
    "${HOME}",
    "\u{1}",
    "\r\n",
];

/// What to leave out because the way of saying it cannot tell it apart; each has its reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// A form says the empty list, the empty structure and the empty text in one way, and has no names without a character.
    pub is_form: bool,
    /// Flags are repeated for each element: the empty list is no flag at all.
    pub is_repeated: bool,
    /// Names and kinds must look like those of Kubernetes to be told from other positionals.
    pub is_kubectl: bool,
}

/// Makes values from one seed.
pub struct Generator {
    random: StdRng,
    limits: Limits,
    has_references: bool,
}

// === impl Generator ===

impl Generator {
    pub fn new(seed: u64, operation: &Operation) -> Self {
        let is_form = matches!(&operation.invocation, Invocation::Http { .. });
        let is_kubectl = operation.provider == "kubernetes";
        let is_s3 = matches!(&operation.invocation, Invocation::Command { words } if words[..2] == ["aws", "s3"]);
        Self {
            random: StdRng::seed_from_u64(seed),
            limits: Limits { is_form, is_repeated: is_kubectl || is_s3, is_kubectl },
            has_references: true,
        }
    }

    /// Only values: for readers that know no references.
    #[allow(dead_code, reason = "for those who generate for a vendor's own parser")]
    pub fn without_references(mut self) -> Self {
        self.has_references = false;
        self
    }

    /// Arguments of a call: everything required, some of the rest.
    pub fn arguments(&mut self, operation: &Operation) -> Value {
        let mut given = Map::new();
        for (name, schema) in operation.properties() {
            if operation.is_required(name) || self.random.random_bool(0.3) {
                given.insert(name.to_owned(), self.value(operation, schema, 0));
            }
        }
        if self.limits.is_kubectl {
            drop_unsayable(operation, &mut given);
        }
        given.into()
    }

    fn value(&mut self, operation: &Operation, schema: &Value, depth: usize) -> Value {
        let schema = operation.resolve(schema);
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        // Alone, a reference is read as a kind, not as the path that may stand in its place.
        if self.has_references && schema["pattern"] != "^/" && self.random.random_bool(0.03) {
            return self.reference();
        }
        if let Some(choices) = schema["enum"].as_array() {
            return self.pick(choices).clone();
        }
        if let Some(branches) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            let branch = self.pick(branches).clone();
            return self.value(operation, &branch, depth);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(operation, schema, depth),
            Some("array") => self.list(operation, schema, depth),
            Some("integer") => self.integer(schema),
            Some("number") => self.number(),
            Some("boolean") => self.random.random_bool(0.5).into(),
            Some(_) => self.text(schema).into(),
            None => self.anything(),
        }
    }

    fn object(&mut self, operation: &Operation, schema: &Value, depth: usize) -> Value {
        let mut fields = Map::new();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let chance = if depth >= MAX_DEPTH { 0.0 } else { 0.4 };
            if (required.contains(&name.as_str()) && depth < 2 * MAX_DEPTH) || self.random.random_bool(chance) {
                fields.insert(name.clone(), self.value(operation, field, depth + 1));
            }
        }
        if let Some(further) = schema.get("additionalProperties").filter(|further| further.is_object()) {
            for _ in 0..self.count(depth) {
                let name = self.text(&json!({"minLength": u64::from(self.limits.is_form)}));
                if name != "$ref" {
                    fields.insert(name, self.value(operation, further, depth + 1));
                }
            }
        }
        if fields.is_empty() && self.limits.is_form {
            return self.reference();
        }
        fields.into()
    }

    fn list(&mut self, operation: &Operation, schema: &Value, depth: usize) -> Value {
        let least = usize::from(self.limits.is_form || self.limits.is_repeated);
        let count = self.count(depth).max(least);
        (0..count).map(|_| self.value(operation, &schema["items"], depth + 1)).collect()
    }

    fn count(&mut self, depth: usize) -> usize {
        if depth >= MAX_DEPTH { 0 } else { self.random.random_range(0..4) }
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let bound = |key: &str, default: i64| schema.get(key).and_then(Value::as_i64).unwrap_or(default);
        let (least, most) = (bound("minimum", i64::MIN), bound("maximum", i64::MAX));
        match self.random.random_range(0..4) {
            0 => least.into(),
            1 => most.into(),
            2 => 0.clamp(least.min(most), most.max(least)).into(),
            _ => self.random.random_range(-1000..1000_i64).into(),
        }
    }

    fn number(&mut self) -> Value {
        self.pick(&[
            json!(0.5),
            json!(-0.25),
            json!(3),
            json!(-7),
            json!(1e300),
            json!(1e-9),
            json!(25.0),
            json!(i64::MAX),
        ])
        .clone()
    }

    /// Any JSON, for what has no type.
    fn anything(&mut self) -> Value {
        if self.limits.is_form {
            // Without a type everything in a form is text.
            return self.pick(&[json!({"a": ["1", {"b": "c"}]}), json!(["x", "5"]), json!("k")]).clone();
        }
        self.pick(&[json!({"a": [1, "2", {"b": null}]}), json!(["x", 5, true]), json!({}), json!({"k": "v"})]).clone()
    }

    fn text(&mut self, schema: &Value) -> String {
        let pattern = schema["pattern"].as_str();
        if let Some(text) = pattern.filter(|_| self.limits.is_kubectl).and_then(|pattern| self.matching(pattern)) {
            return text;
        }
        if schema["format"] == "date-time" && self.random.random_bool(0.8) {
            let times = ["2024-01-01T00:00:00Z", "1700000000", "2024-01-01", "1970-01-01T00:00:00.000+09:00"];
            return (*self.pick(&times)).to_owned();
        }
        if schema["x-kind"] == "kubernetes-name" {
            return self.matching("[a-z]([a-z0-9-]{0,8}[a-z0-9])?").expect("it is a plain pattern");
        }
        let mut text = (*self.pick(NASTY)).to_owned();
        if self.random.random_bool(0.3) {
            let more = *self.pick(NASTY);
            text += more;
        }
        let least = schema["minLength"].as_u64().unwrap_or(0).min(64);
        // In a path these would lead elsewhere: the check refuses them.
        if schema["x-in"] == "path" && matches!(text.as_str(), "" | "." | "..") {
            text.push('x');
        }
        while (text.chars().count() as u64) < least {
            text.push('x');
        }
        text
    }

    fn matching(&mut self, pattern: &str) -> Option<String> {
        use proptest::strategy::{Strategy, ValueTree};
        use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
        let bare =
            pattern.trim_start_matches('^').trim_end_matches('$').replace("$|^", "|").replace(".*", "[a-z.]{0,9}");
        let strategy = proptest::string::string_regex(&bare).ok()?;
        let seed: [u8; 32] = std::array::from_fn(|_| self.random.random());
        let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        Some(strategy.new_tree(&mut runner).ok()?.current())
    }

    fn reference(&mut self) -> Value {
        let path = *self.pick(&["Vpc.VpcId", "Instances[0].InstanceId", "id", "A.B[2].C"]);
        let call = *self.pick(&["c1", "c12"]);
        json!({"$ref": call, "path": path})
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.choose(&mut self.random).expect("it is not empty")
    }
}

/// Of positionals that stand for each other only one can be said, nor any after a gap, nor what depends on what is not given.
fn drop_unsayable(operation: &Operation, given: &mut Map<String, Value>) {
    let mut is_open = false;
    for position in 0..8_u64 {
        let here = || {
            let is_here = move |(_, schema): &(&str, &Value)| {
                schema["x-position"] == position && schema["x-after-dashes"] != true
            };
            operation.properties().filter(is_here)
        };
        let mut alone = here().filter(|(name, schema)| schema.get("x-join").is_none() && given.contains_key(*name));
        let kept = alone
            .next()
            .filter(|_| !is_open)
            .map(|(name, schema)| (name.to_owned(), schema["x-kind"] == "kubernetes-kind"));
        let takes_joined = kept.as_ref().is_some_and(|(_, is_kind)| *is_kind || here().count() == 2);
        let goes = |(name, schema): &(&str, &Value)| match schema.get("x-join") {
            Some(_) => !takes_joined,
            None => kept.as_ref().is_none_or(|(kept, _)| kept != name),
        };
        let gone: Vec<&str> = here().filter(goes).map(|(name, _)| name).collect();
        gone.iter().for_each(|name| drop(given.shift_remove(*name)));
        is_open |= kept.is_none();
    }
    let dependent = operation.parameters["dependentRequired"].as_object().into_iter().flatten();
    for (name, needed) in dependent {
        let is_missing = needed
            .as_array()
            .into_iter()
            .flatten()
            .any(|other| !given.contains_key(other.as_str().unwrap_or_default()));
        if is_missing {
            given.shift_remove(name);
        }
    }
}
