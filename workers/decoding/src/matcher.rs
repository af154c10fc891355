//! Walks one answer through a compiled grammar, token by token.
//!
//! The engine's token-mask hook is a thin adapter over [`Matcher`]; neither knows the other. Start at
//! [`GrammarFactory::compile`]. Masks come from llguidance: an Earley parser over a lexer of regular-expression derivatives.

use llguidance::api::ParserLimits;
use llguidance::{ParserFactory, TokenParser};

use crate::error::{Error, Result};
use crate::grammar::Grammar;
use crate::vocabulary::TokenTable;

/// How much a grammar may cost. Bigger values let bigger grammars in and cost time and memory.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of grammar text or schema; a bigger one takes longer to parse.
    pub grammar_bytes: usize,
    /// Symbols in productions; costs memory per matcher.
    pub grammar_symbols: usize,
    /// Regular-expression nodes built at compile time; about 50,000 a millisecond.
    pub compile_fuel: u64,
    /// Lexer work for one mask; about 14,000 a millisecond.
    pub mask_fuel: u64,
    /// Earley items for one mask; about 20,000 a millisecond.
    pub mask_items: usize,
    /// Lexer states kept; 1 to 2 kB each.
    pub lexer_states: usize,
}

/// Compiles grammars for one vocabulary. Cheap to share: make one per model.
pub struct GrammarFactory {
    parsers: ParserFactory,
    limits: Limits,
    table: TokenTable,
}

/// The state of one answer under one grammar.
#[derive(Clone)]
pub struct Matcher {
    inner: llguidance::Matcher,
    table: TokenTable,
    /// Bytes of the prompt's end that were taken back and must be said again first.
    seam_bytes: usize,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Limits {
            grammar_bytes: 512 * 1024,
            grammar_symbols: 200_000,
            compile_fuel: 1_000_000,
            mask_fuel: 200_000,
            mask_items: 50_000,
            lexer_states: 50_000,
        }
    }
}

// === impl GrammarFactory ===

impl GrammarFactory {
    /// Prepares a vocabulary; takes some hundred milliseconds for 150,000 tokens.
    ///
    /// # Errors
    /// [`Error::VocabularyRejected`] when the grammar library cannot use it.
    pub fn new(table: TokenTable) -> Result<Self> {
        GrammarFactory::with_limits(table, Limits::default())
    }

    /// As [`GrammarFactory::new`], with limits of the caller's.
    ///
    /// # Errors
    /// [`Error::VocabularyRejected`] when the grammar library cannot use it.
    pub fn with_limits(table: TokenTable, limits: Limits) -> Result<Self> {
        let rejected = |reason: String| Error::VocabularyRejected { reason };
        let mut parsers = ParserFactory::new_simple(table.env()).map_err(|error| rejected(error.to_string()))?;
        parsers.quiet();
        *parsers.limits_mut() = ParserLimits {
            initial_lexer_fuel: limits.compile_fuel,
            step_lexer_fuel: limits.mask_fuel,
            step_max_items: limits.mask_items,
            max_lexer_states: limits.lexer_states,
            max_grammar_size: limits.grammar_symbols,
            // The state dump holds the request; errors go to logs.
            verbose_errors: false,
            ..ParserLimits::default()
        };
        Ok(GrammarFactory { parsers, limits, table })
    }

    /// The vocabulary masks are computed over.
    pub fn table(&self) -> &TokenTable {
        &self.table
    }

    /// A matcher at the start of the grammar, for an answer that begins at a token boundary of its own (after a chat
    /// template's last newline). Where the prompt's text runs into the answer use [`GrammarFactory::compile_after`].
    ///
    /// # Errors
    /// [`Error::GrammarTooLarge`], [`Error::GrammarTooCostly`] or [`Error::GrammarRejected`].
    pub fn compile(&self, grammar: &Grammar) -> Result<Matcher> {
        Matcher::checked(self.parse(grammar)?, &self.table, 0)
    }

    /// Heals the seam between a prompt and its answer: gives the prompt back with the tokens removed from its end that
    /// could have been one token with the answer's beginning, and with tokens added that the grammar forces at once.
    /// The matcher first asks for the removed text again. Only the last few tokens of the prompt are looked at.
    ///
    /// # Errors
    /// As [`GrammarFactory::compile`].
    pub fn compile_after(&self, grammar: &Grammar, prompt: &[u32]) -> Result<(Vec<u32>, Matcher)> {
        let mut parser = self.parse(grammar)?;
        let (kept, tail) = prompt.split_at(prompt.len().saturating_sub(SEAM_TOKENS));
        let healed = parser.process_prompt(tail.to_vec());
        let seam_bytes = self.table.decode(tail).len().saturating_sub(self.table.decode(&healed).len());
        Ok(([kept, &healed].concat(), Matcher::checked(parser, &self.table, seam_bytes)?))
    }

    fn parse(&self, grammar: &Grammar) -> Result<TokenParser> {
        let bytes = grammar.size_bytes();
        let limit = self.limits.grammar_bytes;
        if bytes > limit {
            return Err(Error::GrammarTooLarge { bytes, limit });
        }
        self.parsers.create_parser(grammar.to_llguidance()).map_err(|error| classify_compile(&error))
    }
}

// === impl Matcher ===

impl Matcher {
    fn checked(parser: TokenParser, table: &TokenTable, seam_bytes: usize) -> Result<Self> {
        let inner = llguidance::Matcher::new(Ok(parser));
        match inner.get_error() {
            None => Ok(Matcher { inner, table: table.clone(), seam_bytes }),
            Some(reason) => Err(Error::GrammarRejected { reason }),
        }
    }

    /// Tokens the grammar leaves no choice about, as the tokenizer itself would cut them; may be empty. A tail that could
    /// be cut in another way is left to [`Matcher::allowed`]. Not accepted yet: the caller calls [`Matcher::accept`] for each.
    ///
    /// # Errors
    /// [`Error::MaskFailed`] when a limit was reached; the matcher cannot go on.
    pub fn forced(&mut self) -> Result<Vec<u32>> {
        if self.inner.is_stopped() {
            self.check()?;
            return Ok(Vec::new());
        }
        let tokens = self.inner.compute_ff_tokens();
        self.check()?;
        Ok(tokens)
    }

    /// Tokens that may come next: bit `id % 32` of word `id / 32`. At the end of the answer only the end token is set.
    ///
    /// # Errors
    /// [`Error::MaskFailed`] when a limit was reached; the matcher cannot go on.
    pub fn allowed(&mut self) -> Result<Vec<u32>> {
        let mask = self.inner.compute_mask_or_eos().map_err(|error| failed(&error))?;
        Ok(mask.as_slice().to_vec())
    }

    /// Goes on by one token.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] when the token is outside the mask; the state is then unchanged.
    /// [`Error::MaskFailed`] when a limit was reached.
    pub fn accept(&mut self, token: u32) -> Result<()> {
        if !self.is_valid(token)? {
            return Err(Error::TokenRefused { token });
        }
        self.seam_bytes = self.seam_bytes.saturating_sub(self.table.decode(&[token]).len());
        self.inner.consume_token(token).map_err(|error| failed(&error))
    }

    /// The answer is a whole sentence of the grammar and nothing may follow.
    pub fn is_complete(&mut self) -> bool {
        self.inner.is_stopped() && self.inner.stop_reason().is_ok()
    }

    /// The answer is a whole sentence of the grammar, although more may follow.
    pub fn may_stop(&mut self) -> bool {
        self.is_complete() || self.inner.is_accepting().unwrap_or(false)
    }

    fn is_valid(&mut self, token: u32) -> Result<bool> {
        // The library would stop for good at an id it does not know.
        if token as usize >= self.table.len() {
            return Ok(false);
        }
        if self.seam_bytes == 0 {
            return Ok(self.inner.validate_tokens(&[token]).map_err(|error| failed(&error))? == 1);
        }
        // Validation does not know of the seam; the mask does.
        let mask = self.allowed()?;
        Ok(mask[token as usize / 32] >> (token % 32) & 1 == 1)
    }

    fn check(&self) -> Result<()> {
        match self.inner.get_error() {
            None => Ok(()),
            Some(reason) => Err(Error::MaskFailed { reason }),
        }
    }
}

// === private ===

/// No token is longer than a few words, so the seam cannot reach further back than this.
const SEAM_TOKENS: usize = 4;

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::MaskFailed { reason: first_line(&error.to_string()) }
}

/// llguidance has one error type; the words tell a limit from a mistake.
fn classify_compile(error: &dyn std::fmt::Display) -> Error {
    let reason = first_line(&error.to_string());
    let is_limit = ["fuel", "too big", "too large", "too complex", "too many", "exceeded", "grammar size"];
    if is_limit.iter().any(|word| reason.to_ascii_lowercase().contains(word)) {
        return Error::GrammarTooCostly { reason };
    }
    Error::GrammarRejected { reason }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EOS, byte_table, merged_table};
    use serde_json::json;

    fn accepts(matcher: &mut Matcher, table: &TokenTable, text: &str) -> bool {
        table.tokenize(text.as_bytes()).into_iter().all(|token| matcher.accept(token).is_ok())
    }

    fn allowed(matcher: &mut Matcher) -> Vec<u32> {
        let mask = matcher.allowed().expect("a mask");
        (0..=EOS + 20).filter(|id| mask.get(*id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)).collect()
    }

    #[test]
    fn the_mask_holds_what_the_grammar_holds() {
        let factory = GrammarFactory::new(byte_table()).expect("a factory");
        let mut matcher = factory.compile(&Grammar::from_lark("start: \"ab\" | \"ac\"".into())).expect("a grammar");
        assert_eq!(allowed(&mut matcher), [u32::from(b'a')]);
        matcher.accept(u32::from(b'a')).expect("allowed");
        assert_eq!(allowed(&mut matcher), [u32::from(b'b'), u32::from(b'c')]);
        assert!(!matcher.may_stop());
        matcher.accept(u32::from(b'c')).expect("allowed");
        assert!(matcher.is_complete() && matcher.may_stop());
        assert_eq!(allowed(&mut matcher), [EOS]);
    }

    #[test]
    fn a_refused_token_leaves_the_state_alone() {
        let factory = GrammarFactory::new(byte_table()).expect("a factory");
        let mut matcher = factory.compile(&Grammar::from_lark("start: \"ab\"".into())).expect("a grammar");
        assert!(matches!(matcher.accept(u32::from(b'x')), Err(Error::TokenRefused { token: 120 })));
        assert!(matches!(matcher.accept(1_000_000), Err(Error::TokenRefused { .. })));
        assert!(accepts(&mut matcher, factory.table(), "ab"));
        assert!(matcher.is_complete());
    }

    #[test]
    fn stopping_may_be_a_choice() {
        let factory = GrammarFactory::new(byte_table()).expect("a factory");
        let mut matcher = factory.compile(&Grammar::from_lark("start: /a+/".into())).expect("a grammar");
        assert!(accepts(&mut matcher, factory.table(), "a"));
        assert!(matcher.may_stop() && !matcher.is_complete());
        assert!(allowed(&mut matcher).contains(&EOS));
        matcher.accept(EOS).expect("allowed");
        assert!(matcher.is_complete());
    }

    #[test]
    fn forced_tokens_are_those_of_the_tokenizer() {
        let table = merged_table();
        let factory = GrammarFactory::new(table.clone()).expect("a factory");
        let text = "{\"operation\": \"web\", \"arguments\": {\"name\": \"we";
        let grammar = format!("start: {} (\"b\" | \"x\")", serde_json::Value::from(text));
        let mut matcher = factory.compile(&Grammar::from_lark(grammar)).expect("a grammar");
        let forced = matcher.forced().expect("forced tokens");
        let whole = table.tokenize(format!("{text}b").as_bytes());
        assert!(!forced.is_empty());
        assert_eq!(forced, whole[..forced.len()], "the longest tokens are forced, not their pieces");
        // "we" could go on as the token "web": it is left to the mask.
        assert_eq!(table.decode(&forced).len(), text.len() - 2);
        for token in forced {
            matcher.accept(token).expect("forced tokens are allowed");
        }
        let web = whole[whole.len() - 1];
        assert!(allowed(&mut matcher).contains(&web));
    }

    #[test]
    fn the_seam_between_prompt_and_answer_is_healed() {
        let table = merged_table();
        let factory = GrammarFactory::new(table.clone()).expect("a factory");
        let prompt = table.tokenize(b"name: we");
        let (healed, mut matcher) =
            factory.compile_after(&Grammar::from_lark("start: \"b\" | \"x\"".into()), &prompt).expect("a grammar");
        assert_eq!(table.decode(&healed), b"name: ", "the last token could have been \"web\"");
        assert!(accepts(&mut matcher, &table, "web"));
    }

    #[test]
    fn a_schema_is_a_grammar_with_one_spacing() {
        let factory = GrammarFactory::new(byte_table()).expect("a factory");
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
        let grammar = Grammar::from_json_schema(&schema);
        let mut matcher = factory.compile(&grammar).expect("a grammar");
        assert!(accepts(&mut matcher, factory.table(), "{\"a\": 12}"));
        assert!(matcher.is_complete());
        let mut matcher = factory.compile(&grammar).expect("a grammar");
        assert!(!accepts(&mut matcher, factory.table(), "{ \"a\""));
    }

    #[test]
    fn limits_are_told_from_mistakes() {
        let limits = Limits { grammar_bytes: 1000, ..Limits::default() };
        let factory = GrammarFactory::with_limits(byte_table(), limits).expect("a factory");
        let large = Grammar::from_lark(format!("start: \"{}\"", "a".repeat(2000)));
        assert!(matches!(factory.compile(&large), Err(Error::GrammarTooLarge { limit: 1000, .. })));
        let error = factory.compile(&Grammar::from_lark("start: nothing".into())).err().expect("refused");
        assert!(matches!(&error, Error::GrammarRejected { reason } if !reason.contains("<state>")), "{error}");
        let words: Vec<String> = (0..3000).map(|index| format!("\"{index}x{}\"", index * 7919 % 104_729)).collect();
        let costly = Grammar::from_lark(format!("start: WORD\nWORD: {}", words.join(" | ")));
        let factory = GrammarFactory::with_limits(byte_table(), Limits { compile_fuel: 1000, ..Limits::default() });
        let error = factory.expect("a factory").compile(&costly).err().expect("refused");
        assert!(error.is_limit(), "{error}");
    }
}
