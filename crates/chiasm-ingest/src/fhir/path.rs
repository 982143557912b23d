//! FHIRPath as R4's invariants use it: paths, the operators, and the functions that stand in them.
//!
//! # Source
//! FHIRPath N1 (HL7), with FHIR's own functions `resolve`, `hasValue`, `%resource` and `%ucum`.

mod evaluate;
mod functions;
mod node;
mod parse;

pub(super) use evaluate::Around;
pub(super) use node::Node;

/// A parsed expression.
#[derive(Debug)]
pub(super) struct Expression(pub(super) Term);

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Term {
    Number(f64),
    Text(String),
    Bool(bool),
    /// `{}`
    Nothing,
    /// `$this`
    This,
    /// `%resource`
    Variable(String),
    /// A member's name, or at the beginning of a path a type's name.
    Member(Option<Box<Term>>, String),
    Call(Option<Box<Term>>, String, Vec<Term>),
    Index(Box<Term>, Box<Term>),
    Binary(&'static str, Box<Term>, Box<Term>),
}
