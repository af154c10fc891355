//! Random walks and counted orders: the mask admits what was offered and nothing else.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use silverback_catalogue::operation::Operation;

use super::*;
use crate::matcher::{GrammarFactory, Matcher};
use crate::offer::{Form, ParamOffer};
use crate::testing::{EOS, byte_table, merged_table, operation};
use crate::vocabulary::TokenTable;

fn one_of(values: &[Value]) -> Form {
    Form::OneOf(values.to_vec())
}

fn offer(name: &str, required: bool, form: Form) -> ParamOffer {
    ParamOffer { name: name.into(), required, form }
}

fn compile(table: TokenTable, offers: &Offers, style: CallStyle) -> (GrammarFactory, Matcher) {
    let operation = operation("aws/ec2/Do \"it\"", json!({}));
    let grammar = Grammar::for_call(&[(&operation, offers)], style).expect("an operation is offered");
    let factory = GrammarFactory::new(table).expect("a factory");
    let matcher = factory.compile(&grammar).unwrap_or_else(|error| panic!("{error}\n{}", grammar.text()));
    (factory, matcher)
}

/// Does the grammar hold exactly this text?
fn holds(offers: &Offers, arguments: &str) -> bool {
    let (factory, mut matcher) = compile(byte_table(), offers, CallStyle::Spaced);
    let text = format!("{{\"operation\": \"aws/ec2/Do \\\"it\\\"\", \"arguments\": {arguments}}}");
    let tokens = factory.table().tokenize(text.as_bytes());
    tokens.into_iter().all(|token| matcher.accept(token).is_ok()) && matcher.is_complete()
}

fn three() -> Offers {
    let parameters = vec![
        offer("a", true, one_of(&[json!("x\n\"y"), json!("z")])),
        offer("b", false, one_of(&[json!(5), json!(50), json!(true)])),
        offer(
            "c",
            true,
            Form::List { element: Box::new(one_of(&[json!("p"), json!("q"), json!("r")])), least: 1, most: 2 },
        ),
    ];
    Offers { parameters, missing: vec![] }
}

#[test]
fn all_orders_of_keys_are_held_and_none_twice() {
    let (a, b, c) = ("\"a\": \"z\"", "\"b\": 5", "\"c\": [\"q\"]");
    for order in [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        assert!(holds(&three(), &format!("{{{}}}", order.join(", "))), "{order:?}");
    }
    assert!(holds(&three(), &format!("{{{c}, {a}}}")), "an optional key may be left out");
    for wrong in [vec![a, c, a], vec![a], vec![b, c], vec![], vec![a, c, b, b]] {
        assert!(!holds(&three(), &format!("{{{}}}", wrong.join(", "))), "{wrong:?}");
    }
}

#[test]
fn values_are_those_offered() {
    let with = |a: &str, b: &str, c: &str| holds(&three(), &format!("{{\"a\": {a}, \"b\": {b}, \"c\": {c}}}"));
    assert!(with("\"x\\n\\\"y\"", "50", "[\"r\", \"p\"]"));
    assert!(with("\"z\"", "true", "[\"p\"]"));
    for (a, b, c) in [
        ("\"zz\"", "5", "[\"p\"]"),
        ("\"z\"", "500", "[\"p\"]"),
        ("\"z\"", "5", "[]"),
        ("\"z\"", "5", "[\"p\", \"p\"]"),
        ("\"z\"", "5", "[\"p\", \"q\", \"r\"]"),
        ("null", "5", "[\"p\"]"),
    ] {
        assert!(!with(a, b, c), "{a} {b} {c}");
    }
}

#[test]
fn copied_text_is_whole_words_of_the_request() {
    let text = Form::Copied("say \"hello\" to wörld,\ttwice".into());
    let offers = Offers { parameters: vec![offer("m", true, text)], missing: vec![] };
    for good in ["say \\\"hello\\\"", "\\\"hello\\\" to wörld,", "twice", "to wörld, twice"] {
        assert!(holds(&offers, &format!("{{\"m\": \"{good}\"}}")), "{good}");
    }
    for bad in ["", " ", "hello", "say to", "twice say", "to ", " to", "wör", "goodbye"] {
        assert!(!holds(&offers, &format!("{{\"m\": \"{bad}\"}}")), "{bad}");
    }
}

#[test]
fn nothing_to_say_is_an_empty_call() {
    assert!(holds(&Offers::default(), "{}"));
    assert!(!holds(&Offers::default(), "{\"a\": 1}"));
    assert!(Grammar::for_call(&[], CallStyle::Spaced).is_err());
}

#[test]
fn only_the_operations_given_can_be_named() {
    let (first, second) = (operation("a/b/One", json!({})), operation("a/b/OneTwo", json!({})));
    let none = Offers::default();
    let grammar = Grammar::for_call(&[(&first, &none), (&second, &none)], CallStyle::Compact).expect("offered");
    let factory = GrammarFactory::new(byte_table()).expect("a factory");
    let holds = |text: &str| {
        let mut matcher = factory.compile(&grammar).expect("a grammar");
        factory.table().tokenize(text.as_bytes()).into_iter().all(|token| matcher.accept(token).is_ok())
            && matcher.is_complete()
    };
    assert!(holds("{\"operation\":\"a/b/One\",\"arguments\":{}}"));
    assert!(holds("{\"operation\":\"a/b/OneTwo\",\"arguments\":{}}"));
    assert!(!holds("{\"operation\":\"a/b/Three\",\"arguments\":{}}"));
}

#[test]
fn sixty_keys_in_any_order_compile_at_once() {
    let parameters: Vec<_> =
        (0..60).map(|index| offer(&format!("k{index}"), index < 3, one_of(&[json!(index)]))).collect();
    let offers = Offers { parameters, missing: vec![] };
    let said: Vec<String> = (0..60).rev().map(|index| format!("\"k{index}\": {index}")).collect();
    assert!(holds(&offers, &format!("{{{}}}", said.join(", "))));
}

/// Chooses by `choices` among what the mask allows until the answer ends.
fn walk(matcher: &mut Matcher, table: &TokenTable, choices: &[usize]) -> String {
    let mut said = Vec::new();
    for step in 0..2000 {
        for token in matcher.forced().expect("forced tokens") {
            matcher.accept(token).expect("forced tokens are allowed");
            said.push(token);
        }
        let mask = matcher.allowed().expect("a mask");
        let allowed: Vec<u32> =
            (0..table.len() as u32).filter(|id| mask[*id as usize / 32] >> (id % 32) & 1 == 1).collect();
        let token = allowed[choices[step % choices.len()] % allowed.len()];
        if token == EOS {
            return String::from_utf8(table.decode(&said)).expect("text");
        }
        matcher.accept(token).expect("the mask allows it");
        said.push(token);
    }
    panic!("the walk does not end");
}

fn arbitrary_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,8}".prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!({"$ref": "c1", "path": "Vpc.VpcId"})),
    ]
}

fn arbitrary_form(depth: u32) -> BoxedStrategy<Form> {
    let literals = prop::collection::vec(arbitrary_value(), 1..5).prop_map(|mut values| {
        values.dedup();
        Form::OneOf(values)
    });
    let copied = "[a-z\"é]{1,5}( [a-z\\\\]{1,5}){0,3}".prop_map(Form::Copied);
    if depth == 0 {
        return prop_oneof![4 => literals, 1 => copied].boxed();
    }
    let list = (arbitrary_form(depth - 1), 1usize..3, 0usize..3).prop_map(|(element, least, more)| {
        let distinct = if let Form::OneOf(values) = &element { values.len() } else { usize::MAX };
        let least = least.min(distinct);
        Form::List { element: Box::new(element), least, most: (least + more).min(distinct) }
    });
    prop_oneof![3 => literals, 1 => copied, 2 => list, 2 => arbitrary_offers(depth - 1).prop_map(Form::Object)].boxed()
}

fn arbitrary_offers(depth: u32) -> impl Strategy<Value = Vec<ParamOffer>> {
    let member = ("[a-zA-Z\"é ]{1,6}", any::<bool>(), arbitrary_form(depth));
    prop::collection::btree_map("[a-zA-Z\"é ]{1,6}", member, 0..5).prop_map(|members| {
        members.into_iter().map(|(name, (_, required, form))| offer(&name, required, form)).collect()
    })
}

fn conforms(form: &Form, value: &Value) -> bool {
    match (form, value) {
        (Form::OneOf(values), value) => values.contains(value),
        (Form::Copied(text), Value::String(said)) => {
            !said.is_empty() && text.split_whitespace().collect::<Vec<_>>().join(" ").contains(said.as_str())
        }
        (Form::List { element, least, most }, Value::Array(said)) => {
            let distinct =
                !matches!(**element, Form::OneOf(_)) || (1..said.len()).all(|at| !said[..at].contains(&said[at]));
            (*least..=*most).contains(&said.len()) && distinct && said.iter().all(|value| conforms(element, value))
        }
        (Form::Object(members), Value::Object(said)) => members_conform(members, said),
        _ => false,
    }
}

fn members_conform(members: &[ParamOffer], said: &Map<String, Value>) -> bool {
    let known = said
        .iter()
        .all(|(name, value)| members.iter().any(|member| member.name == *name && conforms(&member.form, value)));
    known && members.iter().all(|member| !member.required || said.contains_key(&member.name))
}

fn check_walk(table: TokenTable, parameters: Vec<ParamOffer>, style: CallStyle, choices: &[usize]) {
    let offers = Offers { parameters, missing: vec![] };
    let (factory, mut matcher) = compile(table, &offers, style);
    let text = walk(&mut matcher, factory.table(), choices);
    let call: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(call["operation"], "aws/ec2/Do \"it\"");
    assert!(members_conform(&offers.parameters, call["arguments"].as_object().expect("an object")), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn every_walk_is_json_of_what_was_offered(
        parameters in arbitrary_offers(2), compact in any::<bool>(), merged in any::<bool>(), choices in prop::collection::vec(0usize..1000, 1..40)
    ) {
        let style = if compact { CallStyle::Compact } else { CallStyle::Spaced };
        let table = if merged { merged_table() } else { byte_table() };
        check_walk(table, parameters, style, &choices);
    }
}

#[test]
fn an_operation_name_is_quoted() {
    let odd: Operation = operation("a/b/\u{7f}\"\\", json!({}));
    let grammar = Grammar::for_call(&[(&odd, &Offers::default())], CallStyle::Spaced).expect("offered");
    let factory = GrammarFactory::new(byte_table()).expect("a factory");
    let mut matcher = factory.compile(&grammar).expect("a grammar");
    let text = walk(&mut matcher, factory.table(), &[0]);
    let call: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(call["operation"], odd.key());
}
