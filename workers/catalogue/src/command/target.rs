//! Says which operation a command line names, by the vendors' own rules. Does not say that it exists, except where
//! the line alone cannot tell its words from its arguments (kubectl, Stripe, market data).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::CommandLine;
use crate::import::{kubectl, openbb, stripe};

/// The operation a command line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `aws`, `kubernetes`, `stripe` or `openbb`.
    pub provider: String,
    /// As the line says it for AWS (`s3api` is `s3`), the catalogue's own otherwise.
    pub service: String,
    /// As the line says it for AWS (`stop-instances`), the catalogue's own otherwise.
    pub operation: String,
    /// How many of [`CommandLine::words`] name it; the others are arguments.
    pub words: usize,
}

struct Routes {
    all: Vec<stripe::Route>,
    /// `POST charges/{}/capture` → index.
    by_shape: HashMap<String, usize>,
}

static COMMANDS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| kubectl::spellings().expect("the committed extract imports, see its tests"));

static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let all = stripe::routes().expect("the committed extract imports, see its tests");
    let by_shape = all.iter().enumerate().map(|(index, route)| (shape(&route.method, &route.url), index)).collect();
    Routes { all, by_shape }
});

static PATHS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let imported = openbb::operations().expect("the committed extract imports, see its tests");
    imported.services.into_iter().flat_map(|service| service.operations).map(|operation| operation.name).collect()
});

// === impl CommandLine ===

impl CommandLine {
    /// The operation this line names, if its program is one whose rules are known here.
    pub fn target(&self) -> Option<Target> {
        match self.program.as_str() {
            "aws" => self.aws(),
            "kubectl" => self.kubectl(),
            "stripe" => self.stripe(),
            "obb" | "openbb" => self.openbb(0),
            "curl" => self.curl(),
            _ => None,
        }
    }

    fn aws(&self) -> Option<Target> {
        let [service, operation, ..] = self.words.as_slice() else {
            return None;
        };
        let service = if service == "s3api" { "s3" } else { service };
        Some(target("aws", service, operation, 2))
    }

    fn kubectl(&self) -> Option<Target> {
        let is_said = |spelling: &str| {
            spelling.split(' ').enumerate().all(|(at, word)| self.words.get(at).is_some_and(|said| said == word))
        };
        let (spelling, name) = COMMANDS.iter().find(|(spelling, _)| is_said(spelling))?;
        Some(target(kubectl::PROVIDER, kubectl::SERVICE, name, spelling.split(' ').count()))
    }

    /// The longest beginning of the words that is a path: `equity price historical`, `/equity/price/historical`.
    fn openbb(&self, skipped: usize) -> Option<Target> {
        let mut name = String::new();
        let mut found = None;
        for (at, word) in self.words.iter().enumerate().skip(skipped) {
            for part in word.split(['/', '.']).filter(|part| !part.is_empty()) {
                name = if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
            }
            if PATHS.contains(&name) {
                let service = name.split('.').next().unwrap_or_default();
                found = Some(target(openbb::PROVIDER, service, &name, at + 1));
            }
        }
        found
    }

    fn curl(&self) -> Option<Target> {
        let [method, url] = self.words.as_slice() else {
            return None;
        };
        if let Some((_, path)) = url.split_once("/api/v1/") {
            let line = CommandLine { words: vec![path.to_owned()], ..CommandLine::default() };
            return line.openbb(0).map(|found| Target { words: 2, ..found });
        }
        route_of(method, url).map(|index| stripe_target(index, 2))
    }

    /// `stripe charges create`, `stripe.PaymentIntent.create(…)`, `stripe post /v1/charges`.
    fn stripe(&self) -> Option<Target> {
        if let Some(path) = self.words.get(1).filter(|path| path.starts_with('/')) {
            let path = if path.starts_with("/v1") { path.clone() } else { format!("/v1{path}") };
            return route_of(&self.words[0].to_ascii_uppercase(), &path).map(|index| stripe_target(index, 2));
        }
        // The verb is the last of two or three words: `checkout sessions create`. What follows are identifiers.
        (2..=self.words.len().min(4)).rev().find_map(|count| {
            let (verb, resource) = self.words[..count].split_last()?;
            let path: Vec<String> = resource.iter().map(|word| snake(word)).collect();
            stripe_by_verb(&path, &snake(verb)).map(|index| stripe_target(index, count))
        })
    }
}

/// Names and values of the placeholders of `template` in `url`, when it has that shape; hosts are not compared.
pub fn placeholders<'a>(template: &'a str, url: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (template, url): (Vec<&str>, Vec<&str>) = (segments(template).collect(), segments(url).collect());
    if template.len() != url.len() {
        return None;
    }
    let mut found = Vec::new();
    for (expected, given) in template.into_iter().zip(url) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => found.push((name, given)),
            None if expected == given => {}
            None => return None,
        }
    }
    Some(found)
}

fn target(provider: &str, service: &str, operation: &str, words: usize) -> Target {
    Target { provider: provider.to_owned(), service: service.to_owned(), operation: operation.to_owned(), words }
}

fn stripe_target(index: usize, words: usize) -> Target {
    let route = &ROUTES.all[index];
    target(stripe::PROVIDER, &route.service, &route.name, words)
}

/// The parts of a path after its version, without scheme and host.
fn segments(url: &str) -> impl Iterator<Item = &str> {
    let path = url.split_once("/v1/").map_or(url, |(_, path)| path);
    path.split('/').filter(|segment| !segment.is_empty())
}

fn shape(method: &str, url: &str) -> String {
    let shape: Vec<&str> = segments(url).map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect();
    format!("{method} {}", shape.join("/"))
}

/// The route a concrete URL takes; of several, the one with fewest placeholders.
fn route_of(method: &str, url: &str) -> Option<usize> {
    if !url.contains("/v1/")
        || (url.contains("://")
            && !url.contains("stripe.com")
            && !url.contains("localhost")
            && !url.contains("127.0.0.1"))
    {
        return None;
    }
    let fits = ROUTES.all.iter().enumerate().filter(|(_, route)| route.method == method);
    let fits = fits.filter_map(|(index, route)| placeholders(&route.url, url).map(|found| (found.len(), index)));
    fits.min().map(|(_, index)| index)
}

fn stripe_by_verb(path: &[String], verb: &str) -> Option<usize> {
    let path = collection(path)?;
    let find = |method: &str, suffix: &str| ROUTES.by_shape.get(&format!("{method} {path}{suffix}")).copied();
    let plain = match verb {
        "create" => find("POST", ""),
        "list" | "all" => find("GET", ""),
        "search" => find("GET", "/search"),
        "retrieve" | "get" => find("GET", "/{}").or_else(|| find("GET", "")),
        "update" | "modify" => find("POST", "/{}"),
        "delete" | "del" | "remove" => find("DELETE", "/{}"),
        "cancel" => find("POST", "/{}/cancel").or_else(|| find("DELETE", "/{}")),
        _ => None,
    };
    plain.or_else(|| nested(verb, &find)).or_else(|| {
        // `finalize_invoice` on invoices is `finalize`.
        let verb = verb
            .split_once('_')
            .filter(|(_, object)| path.trim_end_matches('s').ends_with(object))
            .map_or(verb, |(verb, _)| verb);
        find("POST", &format!("/{{}}/{verb}")).or_else(|| find("GET", &format!("/{{}}/{verb}")))
    })
}

/// `create_source` on customers: the elements of an element.
fn nested(verb: &str, find: &impl Fn(&str, &str) -> Option<usize>) -> Option<usize> {
    let (verb, object) = verb.split_once('_')?;
    let suffixes = [format!("/{{}}/{object}"), format!("/{{}}/{object}s")];
    let (method, element) = match verb {
        "create" => ("POST", ""),
        "list" => ("GET", ""),
        "retrieve" => ("GET", "/{}"),
        "update" => ("POST", "/{}"),
        "delete" => ("DELETE", "/{}"),
        _ => return None,
    };
    suffixes.iter().find_map(|suffix| find(method, &format!("{suffix}{element}")))
}

/// The path of a resource however it is spelt: `PaymentIntent`, `paymentIntents`, `payment_intents`.
fn collection(path: &[String]) -> Option<String> {
    let (last, head) = path.split_last()?;
    let joined = last.replace('_', "");
    let spellings =
        [last.clone(), format!("{last}s"), format!("{}ies", last.trim_end_matches('y')), format!("{joined}s"), joined];
    let exists =
        |path: &str| ["GET", "POST"].iter().any(|method| ROUTES.by_shape.contains_key(&format!("{method} {path}")));
    spellings.into_iter().map(|last| [head, &[last]].concat().join("/")).find(|path| exists(path))
}

fn snake(word: &str) -> String {
    let mut snake = String::with_capacity(word.len() + 4);
    for c in word.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn named(text: &str) -> String {
        let line = parse(text).into_iter().next().expect(text);
        line.target().map_or_else(
            || "nothing".to_owned(),
            |target| format!("{} {} {}", target.service, target.operation, target.words),
        )
    }

    #[test]
    fn kubectl_commands_are_named_by_any_spelling() {
        assert_eq!(named("kubectl rollout restart deployment/web"), "kubectl rollout restart 2");
        assert_eq!(named("kubectl top po"), "kubectl top pod 2");
        assert_eq!(named("kubectl create svc nodeport web"), "kubectl create service nodeport 3");
        assert_eq!(named("kubectl create -f x.yaml"), "kubectl create 1");
        assert_eq!(named("kubectl frobnicate x"), "nothing");
    }

    #[test]
    fn aws_lines_are_named_as_they_say() {
        assert_eq!(named("aws s3api create-bucket --bucket x"), "s3 create-bucket 2");
        assert_eq!(named("aws ec2"), "nothing");
    }

    #[test]
    fn stripe_is_named_by_url_command_line_and_library() {
        for (text, name) in [
            ("curl https://api.stripe.com/v1/charges -d amount=1", "charges PostCharges 2"),
            ("curl https://api.stripe.com/v1/charges/ch_1/capture -X POST", "charges PostChargesChargeCapture 2"),
            ("curl https://api.stripe.com/v1/customers/search -G -d query=x", "customers GetCustomersSearch 2"),
            ("stripe charges create --amount=2500", "charges PostCharges 2"),
            ("stripe payment_intents retrieve pi_1", "payment_intents GetPaymentIntentsIntent 2"),
            ("stripe.PaymentIntent.create(amount=1)", "payment_intents PostPaymentIntents 2"),
            ("stripe.paymentIntents.cancel('pi_1')", "payment_intents PostPaymentIntentsIntentCancel 2"),
            ("stripe.Subscription.delete('sub_1')", "subscriptions DeleteSubscriptionsSubscriptionExposedId 2"),
            ("stripe.checkout.Session.create(mode='payment')", "checkout PostCheckoutSessions 3"),
            ("stripe.Invoice.finalize_invoice('in_1')", "invoices PostInvoicesInvoiceFinalize 2"),
            ("stripe.Balance.retrieve()", "balance GetBalance 2"),
            ("stripe.Customer.create_source('cus_1', source='tok_1')", "customers PostCustomersCustomerSources 2"),
            ("stripe.invoiceItems.create({customer: 'cus_1'})", "invoiceitems PostInvoiceitems 2"),
            ("stripe post /v1/refunds -d charge=ch_1", "refunds PostRefunds 2"),
            ("curl https://example.com/v1/charges -d amount=1", "nothing"),
        ] {
            assert_eq!(named(text), name, "{text}");
        }
    }

    #[test]
    fn market_data_is_named_by_its_path() {
        for text in [
            "obb equity price historical --symbol META",
            "obb.equity.price.historical(symbol='META')",
            "openbb /equity/price/historical",
        ] {
            assert!(named(text).starts_with("equity equity.price.historical"), "{text}");
        }
        assert_eq!(
            named("curl 'http://127.0.0.1:6900/api/v1/equity/price/quote?symbol=META'"),
            "equity equity.price.quote 2"
        );
        assert_eq!(named("obb.equity.price.tomorrow(symbol='META')"), "nothing");
    }
}
