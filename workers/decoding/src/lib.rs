//! Only valid calls can be said: schema → grammar → token mask, and a value nobody gave cannot be made up.
//!
//! Two halves. *Evidence*: [`Evidence::gather`] reads a request, [`ground`] judges a proposed value against it, [`offers`]
//! lists what may be said for an operation. *Grammar*: [`Grammar::for_call`] makes of the offers a grammar that holds nothing
//! else, [`GrammarFactory`] compiles it, [`Matcher`] gives the token mask. Only this crate names the grammar library; it knows
//! no model, no engine and no network.

pub mod calendar;
mod candidate;
mod choice;
mod error;
pub mod evidence;
mod filters;
pub mod grammar;
pub mod grounding;
mod leftover;
pub mod matcher;
pub mod offer;
mod phrases;
pub mod places;
pub mod pointing;
pub mod question;
mod quoted;
mod reading;
mod referent;
pub mod resolver;
pub mod sign;
mod slot;
#[cfg(test)]
mod testing;
pub mod vocabulary;
mod want;
mod words;

pub use calendar::Date;
pub use error::{Error, Result};
pub use evidence::{Context, Evidence, Kind, Place, Referent, Span};
pub use grammar::{CallStyle, Grammar};
pub use grounding::{
    Grounded, GroundedCall, Proof, Source, ToolCall, Ungrounded, Verdict, ground, ground_arguments, ground_tool,
    unplaced,
};
pub use leftover::{Leftover, leftover};
pub use matcher::{GrammarFactory, Limits, Matcher};
pub use offer::{Form, Offers, ParamOffer, offers};
pub use places::{PlaceText, places};
pub use pointing::{Pointed, Pointing};
pub use question::question_for;
pub use quoted::without_quoted;
pub use sign::{Sign, signs};
pub use vocabulary::{TokenTable, Tokenize};
