//! Gathers from a request everything a value may be made of: typed spans with their place.
//!
//! Nothing here decides what a span is used for; that is grounding's. A step's text was written by a model, so a span of it
//! counts only when its words stand in the request too. Start at [`Evidence::gather`].

use std::collections::BTreeMap;
use std::ops::Range;

use crate::calendar::Date;
use crate::pointing::Pointing;
use crate::resolver::cron::Schedule;
use crate::resolver::date::DateSpan;
use crate::resolver::money::Money;
use crate::resolver::quantity::Quantity;
use crate::words;

mod chunk;
mod naming;
mod passage;
mod scan;

pub(crate) use naming::{Naming, THRESHOLD};
pub(crate) use passage::Passage;

/// Longer texts are cut: a person's request is never that long, and every byte costs.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Session referents beyond this many are ignored, oldest first.
const MAX_REFERENTS: usize = 256;

/// A thing mentioned or made in the session, or a result of an earlier call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referent {
    /// What people call it, e.g. `logs-eu`.
    pub name: String,
    /// What it is: a noun or a parameter's name, e.g. `bucket`, `VpcId`.
    pub kind: String,
    /// What to say for it; a JSON object `{"$ref":"c1","path":"Vpc.VpcId"}` is a reference to an earlier call's result.
    pub value: String,
}

/// What surrounds a step.
#[derive(Clone, Debug)]
pub struct Context {
    /// The whole request as the person wrote it; empty when the step is the request.
    pub request_text: String,
    /// Oldest first.
    pub session: Vec<Referent>,
    /// The day relative dates count from.
    pub today: Date,
}

/// Where a span stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the step's text; offsets are into it.
    Step,
    /// Only in the rest of the request; offsets are into that.
    Request,
}

/// What a span is by its form.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Between quotation marks; the span is what is inside.
    Quoted,
    /// `arn:…`
    Arn,
    /// `s3://…`
    S3Uri,
    /// `https://…`
    Url,
    /// `jane@example.com`
    Email,
    /// `10.0.0.0/16`
    Cidr,
    /// `10.0.0.1`
    Ip,
    /// `i-0abc123`, `cus_123`, a UUID.
    Id,
    /// `./app.yaml`, `/var/log`, `report.csv`
    Path,
    /// `*.csv`
    Glob,
    /// Words that stand for a file pattern: `csv files`, `everything`.
    Pattern(String),
    /// `KEY=VALUE`
    Pair,
    /// A number, in digits or words.
    Number(f64),
    /// `25 dollars`
    Money(Money),
    /// A currency without an amount.
    Currency(&'static str),
    /// A day or a span of days.
    Date(DateSpan),
    /// `30 minutes`
    Duration(Quantity),
    /// `20 GB`
    Size(Quantity),
    /// A cloud region's code.
    Region(String),
    /// A ticker symbol.
    Ticker(String),
    /// Two currencies.
    CurrencyPair(String),
    /// The port of a named service.
    Port(u16),
    /// `tcp`
    Protocol(&'static str),
    /// `every 5 minutes`
    Schedule(Schedule),
    /// A cron line as it stands.
    Cron(String),
    /// A word or compound that may be the name of a thing.
    Name,
}

/// A piece of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Byte offset of its first byte.
    pub start: usize,
    /// Byte offset after its last byte.
    pub end: usize,
    /// The words as they stand.
    pub text: String,
    /// What it is by its form.
    pub kind: Kind,
    /// Which text the offsets count in.
    pub place: Place,
}

/// Everything a request says that can become a value.
#[derive(Clone, Debug)]
pub struct Evidence {
    step: Passage,
    request: Option<Passage>,
    session: Vec<Referent>,
    today: Date,
    /// By operation.
    pub(crate) pointing: BTreeMap<String, Pointing>,
}

// === impl Kind ===

impl Kind {
    /// Can a span of this kind be nothing but a value, so that a call without it leaves something out?
    pub fn is_plainly_a_value(&self) -> bool {
        matches!(
            self,
            Kind::Quoted
                | Kind::Arn
                | Kind::S3Uri
                | Kind::Url
                | Kind::Email
                | Kind::Cidr
                | Kind::Ip
                | Kind::Id
                | Kind::Path
                | Kind::Pair
                | Kind::Money(_)
        )
    }
}

// === impl Span ===

impl Span {
    /// Is it nothing but a value, by its kind or as a constant's name (`OLD_FLAG`)?
    pub fn is_plainly_a_value(&self) -> bool {
        self.kind.is_plainly_a_value() || (self.kind == Kind::Name && is_constant(&self.text))
    }
}

fn is_constant(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.contains('_') && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(is_letter)
}

// === impl Evidence ===

impl Evidence {
    /// Reads a step's text and its context. Both texts are cut at 16 KiB; control characters count as spaces.
    pub fn gather(step_text: &str, context: &Context) -> Self {
        let step_text = clean(step_text);
        let request_text = clean(&context.request_text);
        let request = (!request_text.trim().is_empty() && request_text != step_text)
            .then(|| Passage::read(&request_text, Place::Request, None, context.today));
        let vouching = request.as_ref().map(Passage::known_words);
        let step = Passage::read(&step_text, Place::Step, vouching.as_ref(), context.today);
        let session = context.session[context.session.len().saturating_sub(MAX_REFERENTS)..].to_vec();
        Evidence { step, request, session, today: context.today, pointing: BTreeMap::new() }
    }

    /// All spans: the step's first, then those that stand only elsewhere in the request.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        let elsewhere = self.request.iter().flat_map(|request| request.spans.iter());
        self.step.spans.iter().chain(elsewhere.filter(|span| !self.step.has_same(span)))
    }

    /// The step's text as it was read.
    pub fn step_text(&self) -> &str {
        &self.step.text
    }

    /// The day relative dates count from.
    pub fn today(&self) -> Date {
        self.today
    }

    /// Things of the session, oldest first.
    pub fn session(&self) -> &[Referent] {
        &self.session
    }

    pub(crate) fn step(&self) -> &Passage {
        &self.step
    }

    /// The step, then the rest of the request.
    pub(crate) fn passages(&self) -> impl Iterator<Item = &Passage> {
        std::iter::once(&self.step).chain(&self.request)
    }

    /// First place of these words, in the step before the rest; letters' case does not matter, word borders do.
    pub(crate) fn locate(&self, needle: &str) -> Option<(&Passage, Range<usize>)> {
        self.passages().find_map(|passage| Some((passage, passage.locate(needle).into_iter().next()?)))
    }
}

// === private ===

/// Control characters become spaces, so that offsets stay; the text is cut at the limit.
fn clean(text: &str) -> String {
    // Offsets must stay true to what the caller sent: every control character of one byte becomes one space.
    words::clip(text, MAX_TEXT_BYTES)
        .chars()
        .map(|c| if c.is_control() && c.len_utf8() == 1 { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{evidence, today};
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(String, Kind)> {
        evidence(text)
            .spans()
            .filter(|span| span.kind != Kind::Name)
            .map(|span| (span.text.clone(), span.kind.clone()))
            .collect()
    }

    fn texts(text: &str, wanted: fn(&Kind) -> bool) -> Vec<String> {
        kinds(text).into_iter().filter(|(_, kind)| wanted(kind)).map(|(text, _)| text).collect()
    }

    #[test]
    fn forms_are_told_apart() {
        assert_eq!(
            texts("Stop i-0abc123 and terminate i-0def456.", |kind| *kind == Kind::Id),
            ["i-0abc123", "i-0def456"]
        );
        assert_eq!(
            texts("from s3://raw to s3://clean, only csv", |kind| *kind == Kind::S3Uri),
            ["s3://raw", "s3://clean"]
        );
        assert_eq!(
            texts("a VPC 10.0.0.0/16 with 10.0.1.0/24 in it", |kind| *kind == Kind::Cidr),
            ["10.0.0.0/16", "10.0.1.0/24"]
        );
        assert_eq!(texts("for jane@example.com.", |kind| *kind == Kind::Email), ["jane@example.com"]);
        assert_eq!(texts("refund ch_3Nabc for cus_123", |kind| *kind == Kind::Id), ["ch_3Nabc", "cus_123"]);
        assert_eq!(texts("say \"hello world\" to 'us'", |kind| *kind == Kind::Quoted), ["hello world", "us"]);
        assert_eq!(texts("Meta's price isn't Jane's", |kind| *kind == Kind::Quoted), [] as [&str; 0]);
        assert_eq!(
            texts("set LOG_LEVEL=debug and app=web", |kind| *kind == Kind::Pair),
            ["LOG_LEVEL=debug", "app=web"]
        );
        assert_eq!(
            texts("apply ./k8s/app.yaml and /etc/hosts", |kind| *kind == Kind::Path),
            ["./k8s/app.yaml", "/etc/hosts"]
        );
        assert_eq!(texts("see https://example.com/a?b=c.", |kind| *kind == Kind::Url), ["https://example.com/a?b=c"]);
        let arn = "arn:aws:sns:eu-west-1:123456789012:topic";
        assert_eq!(texts(&format!("publish to {arn}, please"), |kind| *kind == Kind::Arn), [arn]);
    }

    #[test]
    fn a_number_inside_something_else_is_no_number() {
        let numbers = |text| texts(text, |kind| matches!(kind, Kind::Number(_)));
        assert_eq!(numbers("Scale web-2 to 5 on April 21 with 25 dollars in 10.0.0.0/16"), ["5"]);
    }

    #[test]
    fn offsets_point_at_the_text() {
        let text = "Größe: \u{7}scale web to 5";
        for span in evidence(text).spans() {
            assert_eq!(&text[span.start..span.end], span.text);
        }
    }

    #[test]
    fn what_only_the_step_says_does_not_count() {
        let context = Context { request_text: "make me a bucket".into(), session: vec![], today: today() };
        let evidence = Evidence::gather("create the bucket my-bucket-123 with 5 copies", &context);
        let said: Vec<&str> = evidence.spans().map(|span| span.text.as_str()).collect();
        assert_eq!(said, ["bucket"], "the request itself says nothing more");
        assert!(evidence.locate("my-bucket-123").is_none());
    }

    #[test]
    fn a_step_may_say_a_number_in_another_way() {
        let context = Context { request_text: "run five pods of nginx".into(), session: vec![], today: today() };
        let evidence = Evidence::gather("run 5 pods of nginx", &context);
        assert!(evidence.spans().any(|span| span.kind == Kind::Number(5.0) && span.place == Place::Step));
    }

    #[test]
    fn a_megabyte_is_cut() {
        let evidence = evidence(&"web-1 é ".repeat(200_000));
        assert!(evidence.step_text().len() <= MAX_TEXT_BYTES);
        assert!(evidence.spans().count() < MAX_TEXT_BYTES);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_gives_spans_of_itself(text in "(\\PC{0,6}| |\"|'|=|s3://|5|April|\\x07){0,24}") {
            let evidence = evidence(&text);
            for span in evidence.spans() {
                prop_assert_eq!(&evidence.step_text()[span.start..span.end], &span.text);
            }
        }
    }
}
