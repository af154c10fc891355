//! Operations whose names are like what a draft says.

use std::collections::BTreeSet;

use super::reading::Drafted;
use crate::catalogue::{Catalogue, Hit, OperationRef, Scope};
use crate::pack::{Pack, ServiceEntry, squash};
use crate::search::{self, Query, split_name, stem};

/// Best score of a name that is only alike, in the service that was named; elsewhere [`ELSEWHERE`].
const ALIKE: f32 = 0.9;
const ELSEWHERE: f32 = 0.7;
/// Below this a likeness is an accident.
const LEAST: f32 = 0.25;
/// Words that stand for one another in operation names: models take the verb of the other service.
const VERBS: &[&[&str]] = &[
    &["get", "list", "describe", "show", "view", "read", "search", "head", "ls"],
    &["create", "make", "add", "new", "put", "register", "allocate", "run", "launch", "post", "mb"],
    &["delete", "remove", "destroy", "terminate", "deregister", "release", "rm", "rb"],
    &["update", "modify", "set", "change", "put", "edit", "post"],
    &["stop", "shutdown", "halt", "suspend", "pause", "disable"],
    &["start", "resume", "enable", "run", "begin"],
    &["attach", "associate", "add", "put"],
    &["detach", "disassociate", "remove"],
    &["authorize", "allow", "grant", "add"],
    &["revoke", "deny", "remove"],
    &["send", "publish", "post", "put"],
    &["invoke", "call", "execute", "run"],
    &["reboot", "restart"],
];

/// Names models and people use for services, and what their command line calls them.
const SERVICE_ALIASES: &[(&str, &[&str])] = &[
    ("s3api", &["s3"]),
    ("config", &["configservice"]),
    ("codedeploy", &["deploy"]),
    ("sfn", &["stepfunctions"]),
    ("states", &["stepfunctions"]),
    ("cloudwatch-logs", &["logs"]),
    ("cloudwatchlogs", &["logs"]),
    ("eventbridge", &["events"]),
    ("cloudwatch-events", &["events"]),
    ("elb", &["elb", "elbv2"]),
    ("elasticloadbalancing", &["elbv2"]),
    ("ses", &["ses", "sesv2"]),
    ("cognito", &["cognito-idp", "cognito-identity"]),
    ("msk", &["kafka"]),
    ("api-gateway", &["apigateway", "apigatewayv2"]),
    ("apigateway", &["apigateway", "apigatewayv2"]),
    ("secrets-manager", &["secretsmanager"]),
    ("parameter-store", &["ssm"]),
    ("vpc", &["ec2"]),
    ("ebs", &["ec2", "ebs"]),
    ("autoscaling", &["autoscaling", "application-autoscaling"]),
    ("cost-explorer", &["ce"]),
    ("bedrock", &["bedrock", "bedrock-runtime"]),
    ("es", &["es", "opensearch"]),
];
/// How many operations of a service are compared name by name; more than the largest service has.
const MAX_COMPARED: usize = 2000;
/// A service name that is less like the drafted one is another service.
const SERVICE_LIKENESS: f64 = 0.85;
/// The drafted flags that exist add up to this much.
const FLAGS: f32 = 0.08;
/// How many of the best are looked at for their flags: each may have to be decoded.
const FLAGGED: usize = 10;

/// The names a drafted service may have, the drafted one first.
pub(super) fn service_names(drafted: &str) -> Vec<String> {
    let drafted = drafted.to_lowercase();
    let row = SERVICE_ALIASES.iter().find(|(alias, _)| *alias == drafted);
    let mut names = vec![drafted.clone()];
    names.extend(row.into_iter().flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned())));
    names.dedup();
    names
}

/// Compares one draft with a catalogue.
pub(super) struct Likeness<'a> {
    catalogue: &'a Catalogue,
    scope: Scope<'a>,
    drafted: &'a Drafted,
}

// === impl Likeness ===

impl<'a> Likeness<'a> {
    pub fn new(catalogue: &'a Catalogue, scope: Scope<'a>, drafted: &'a Drafted) -> Self {
        Self { catalogue, scope, drafted }
    }

    /// Best `k` operations that are alike.
    pub fn hits(&self, k: usize) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (number, pack) in self.catalogue.scoped(self.scope) {
            for service in self.services(pack) {
                hits.extend(self.alike_in(number, pack, service));
            }
        }
        hits.extend(self.elsewhere(k));
        hits.retain(|hit| hit.score >= LEAST);
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.operation.cmp(&b.operation)));
        let mut seen = BTreeSet::new();
        hits.retain(|hit| seen.insert(hit.operation));
        hits.truncate(k);
        self.reward_flags(&mut hits);
        hits
    }

    /// Services the draft can mean: by name or alias, else the one most alike.
    fn services(&self, pack: &'a Pack) -> Vec<&'a ServiceEntry> {
        // A vendor with one service has it in no command: `kubectl get`.
        if let [only] = pack.services() {
            return vec![only];
        }
        let Some(drafted) = self.scope.service.or(self.drafted.service.as_deref()) else { return Vec::new() };
        let named: Vec<&ServiceEntry> = service_names(drafted).iter().filter_map(|name| pack.service(name)).collect();
        if !named.is_empty() {
            return named;
        }
        let scored = pack.services().iter().map(|service| (strsim::jaro_winkler(&service.name, drafted), service));
        let nearest = scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score >= SERVICE_LIKENESS);
        nearest.into_iter().map(|(_, service)| service).collect()
    }

    fn alike_in(&self, number: u32, pack: &Pack, service: &ServiceEntry) -> Vec<Hit> {
        let drafted = Name::new(if pack.services().len() == 1 { &self.drafted.all } else { &self.drafted.name });
        let range = service.first..service.first + service.count.min(MAX_COMPARED as u32);
        let alike = range.filter_map(|index| {
            let (_, candidate) = pack.name(index)?;
            let score = ALIKE * drafted.likeness(&Name::new(&split_name(candidate)));
            (score >= LEAST).then_some(Hit { operation: OperationRef { pack: number, index }, score })
        });
        alike.collect()
    }

    /// Operations of any service by their words, through the index of names.
    fn elsewhere(&self, k: usize) -> Vec<Hit> {
        let query = Query::of_words(&self.drafted.all);
        let ranked = self.catalogue.rank(self.scope, &search::DRAFT, k.max(20), |_| query.clone());
        let (name, all) = (Name::new(&self.drafted.name), Name::new(&self.drafted.all));
        let drafted_service = squash(self.drafted.service.as_deref().unwrap_or_default());
        let scored = ranked.into_iter().filter_map(|hit| {
            let (_, service, candidate) = self.catalogue.name(hit.operation)?;
            let candidate = Name::new(&split_name(candidate));
            let service_alike = strsim::jaro_winkler(&squash(service), &drafted_service) as f32;
            let alike = name.likeness(&candidate).max(all.likeness(&candidate) * 0.9);
            Some(Hit { operation: hit.operation, score: ELSEWHERE * alike * (0.7 + 0.3 * service_alike) })
        });
        scored.collect()
    }

    /// Among names that are about as good, the one that has the drafted flags.
    fn reward_flags(&self, hits: &mut [Hit]) {
        if self.drafted.flags.is_empty() {
            return;
        }
        let spoken: Vec<String> = self.drafted.flags.iter().map(|flag| squash(flag)).collect();
        for hit in hits.iter_mut().take(FLAGGED) {
            let Ok(operation) = self.catalogue.operation(hit.operation) else { continue };
            let known: BTreeSet<String> = operation.properties().map(|(name, _)| squash(name)).collect();
            let share = spoken.iter().filter(|flag| known.contains(*flag)).count() as f32 / spoken.len() as f32;
            hit.score = (hit.score + FLAGS * (share - 0.5)).clamp(0.0, ALIKE);
        }
    }
}

/// Words of a name and their stems.
struct Name {
    words: Vec<(String, String)>,
}

// === impl Name ===

impl Name {
    fn new(words: &[String]) -> Self {
        Self { words: words.iter().map(|word| (word.clone(), stem(word).into_owned())).collect() }
    }

    /// How alike two names are, 0 to 1: shared words in both directions, the first one (the verb) counting more.
    fn likeness(&self, other: &Name) -> f32 {
        let weight = |at: usize| if at == 0 { 1.5f32 } else { 1.0 };
        let total = |name: &Name| (0..name.words.len()).map(weight).sum::<f32>();
        let shared = |these: &Name, those: &Name| -> f32 {
            let best = |word| those.words.iter().map(|other| word_likeness(word, other)).fold(0.0, f32::max);
            these.words.iter().enumerate().map(|(at, word)| weight(at) * best(word)).sum()
        };
        let all = total(self) + total(other);
        if all == 0.0 { 0.0 } else { (shared(self, other) + shared(other, self)) / all }
    }
}

/// Equal, of one stem (a plural), misspelt, or verbs that stand for one another.
fn word_likeness((word, stem): &(String, String), (other, other_stem): &(String, String)) -> f32 {
    if word == other {
        return 1.0;
    }
    if stem == other_stem {
        return 0.6;
    }
    if VERBS.iter().any(|group| group.contains(&word.as_str()) && group.contains(&other.as_str())) {
        return 0.65;
    }
    let misspelt = word.len() > 4 && other.len() > 4 && strsim::normalized_levenshtein(word, other) > 0.79;
    if misspelt { 0.6 } else { 0.0 }
}
