use super::node::Node;
use super::{Expression, Term};
use crate::feed::{Feed, Parts};
use chiasm_record::Moment;
use std::cmp::Ordering;

/// What an expression may look at beside its focus.
#[derive(Clone)]
pub(in super::super) struct Around<'a> {
    /// The resource that the focus is in.
    pub resource: Node<'a>,
    /// The resource that contains that one, where one does.
    pub root: Node<'a>,
}

/// How many steps one expression may take.
const STEPS: usize = 1 << 20;

pub(super) struct Evaluator<'a, 'c> {
    pub around: &'c Around<'a>,
    pub focus: Node<'a>,
    pub steps: usize,
}

/// What cannot be decided: no invariant fails for it.
#[derive(Debug)]
pub(super) struct Unknown;

pub(super) type Found<'a> = Result<Vec<Node<'a>>, Unknown>;

impl Expression {
    /// Whether it holds for `focus`; `None` where that cannot be decided here.
    pub fn holds<'a>(&self, focus: &Node<'a>, around: &Around<'a>) -> Option<bool> {
        let mut evaluator = Evaluator { around, focus: focus.clone(), steps: STEPS };
        let found = evaluator.term(&self.0, focus).ok()?;
        Some(truth(&found).unwrap_or(false))
    }
}

/// A collection as a truth value: none for nothing; one item that is no boolean is true.
pub(super) fn truth(nodes: &[Node<'_>]) -> Option<bool> {
    match nodes {
        [] => None,
        [one] => Some(one.boolean().unwrap_or(true)),
        _ => Some(true),
    }
}

fn known(value: Option<bool>) -> Vec<Node<'static>> {
    value.map(Node::Bool).into_iter().collect()
}

impl<'a> Evaluator<'a, '_> {
    pub fn term(&mut self, term: &Term, this: &Node<'a>) -> Found<'a> {
        self.steps = self.steps.checked_sub(1).ok_or(Unknown)?;
        match term {
            Term::Number(number) => Ok(vec![Node::Number(*number)]),
            Term::Text(text) => Ok(vec![Node::Text(text.clone().into())]),
            Term::Bool(value) => Ok(vec![Node::Bool(*value)]),
            Term::Nothing => Ok(Vec::new()),
            Term::This => Ok(vec![this.clone()]),
            Term::Variable(name) => match name.as_str() {
                "%resource" => Ok(vec![self.around.resource.clone()]),
                "%rootResource" => Ok(vec![self.around.root.clone()]),
                "%context" => Ok(vec![self.focus.clone()]),
                "%ucum" => Ok(vec![Node::Text("http://unitsofmeasure.org".into())]),
                _ => Err(Unknown),
            },
            Term::Member(None, name) => {
                if name == this.kind() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
                    return Ok(vec![this.clone()]);
                }
                let mut out = Vec::new();
                this.members(name, &mut out);
                Ok(out)
            }
            Term::Member(Some(of), name) => {
                let mut out = Vec::new();
                for node in self.term(of, this)? {
                    node.members(name, &mut out);
                }
                self.steps = self.steps.checked_sub(out.len()).ok_or(Unknown)?;
                Ok(out)
            }
            Term::Index(of, index) => {
                let index = self.term(index, this)?.first().and_then(Node::number).ok_or(Unknown)?;
                let nodes = self.term(of, this)?;
                let at = (index >= 0.0).then_some(index as usize);
                Ok(at.and_then(|at| nodes.into_iter().nth(at)).into_iter().collect())
            }
            Term::Call(of, name, arguments) => {
                let nodes = match of {
                    Some(of) => self.term(of, this)?,
                    None => vec![this.clone()],
                };
                self.call(nodes, name, arguments, this)
            }
            Term::Binary(operator, left, right) => self.binary(operator, left, right, this),
        }
    }

    fn binary(&mut self, operator: &str, left: &Term, right: &Term, this: &Node<'a>) -> Found<'a> {
        if matches!(operator, "is" | "as") {
            let nodes = self.term(left, this)?;
            let Term::Member(None, kind) = right else { return Err(Unknown) };
            return Ok(super::functions::typed(nodes, kind, operator == "is"));
        }
        let left = self.term(left, this)?;
        if matches!(operator, "and" | "or" | "implies") {
            let a = truth(&left);
            match (operator, a) {
                ("and", Some(false)) => return Ok(known(Some(false))),
                ("or", Some(true)) | ("implies", Some(false)) => return Ok(known(Some(true))),
                _ => {}
            }
            let b = truth(&self.term(right, this)?);
            return Ok(known(match operator {
                "and" => match (a, b) {
                    (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
                "or" => match (a, b) {
                    (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
                _ => match (a, b) {
                    (Some(true), b) => b,
                    (_, Some(true)) => Some(true),
                    _ => None,
                },
            }));
        }
        let right = self.term(right, this)?;
        let steps = left.len().saturating_mul(right.len());
        self.steps = self.steps.checked_sub(steps).ok_or(Unknown)?;
        let value = match operator {
            "xor" => match (truth(&left), truth(&right)) {
                (Some(a), Some(b)) => Some(a != b),
                _ => None,
            },
            "=" | "~" | "!=" | "!~" => {
                if left.is_empty() || right.is_empty() {
                    None
                } else {
                    let same = left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| equal(a, b));
                    Some(same == matches!(operator, "=" | "~"))
                }
            }
            "<" | ">" | "<=" | ">=" => match (left.as_slice(), right.as_slice()) {
                ([a], [b]) => compare(a, b)?.map(|order| match operator {
                    "<" => order == Ordering::Less,
                    ">" => order == Ordering::Greater,
                    "<=" => order != Ordering::Greater,
                    _ => order != Ordering::Less,
                }),
                _ => None,
            },
            "in" => left.first().map(|a| right.iter().any(|b| equal(a, b))),
            "contains" => right.first().map(|b| left.iter().any(|a| equal(a, b))),
            "|" => {
                let mut all = left;
                for node in right {
                    if !all.iter().any(|a| equal(a, &node)) {
                        all.push(node);
                    }
                }
                return Ok(all);
            }
            "&" => {
                let text =
                    |nodes: &[Node<'_>]| nodes.first().and_then(Node::text).unwrap_or_default().to_owned();
                return Ok(vec![Node::Text((text(&left) + &text(&right)).into())]);
            }
            "+" => match (left.as_slice(), right.as_slice()) {
                ([a], [b]) => {
                    if let (Some(a), Some(b)) = (a.text(), b.text()) {
                        return Ok(vec![Node::Text(format!("{a}{b}").into())]);
                    }
                    let (a, b) = (a.number().ok_or(Unknown)?, b.number().ok_or(Unknown)?);
                    return Ok(vec![Node::Number(a + b)]);
                }
                _ => None,
            },
            _ => return Err(Unknown),
        };
        Ok(known(value))
    }
}

/// Whether two items say the same.
pub(super) fn equal(a: &Node<'_>, b: &Node<'_>) -> bool {
    if let (Some(a), Some(b)) = (a.text(), b.text()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (a.boolean(), b.boolean()) {
        return a == b;
    }
    matches!((a.json(), b.json()), (Some(a), Some(b)) if a == b)
}

/// Which comes first; `None` where precision or unit leaves it open.
fn compare(a: &Node<'_>, b: &Node<'_>) -> Result<Option<Ordering>, Unknown> {
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return Ok(a.partial_cmp(&b));
    }
    if let (Some(first), Some(second)) = (a.text(), b.text()) {
        let date = |kind: &str| matches!(kind, "date" | "dateTime" | "instant");
        if !date(a.kind()) && !date(b.kind()) {
            return Ok(Some(first.cmp(second)));
        }
        let utc = Feed::utc("");
        let moment = |text: &str| Parts::iso(text).and_then(|p| utc.moment(&p)).ok_or(Unknown);
        let zoned = |text: &str| Parts::iso(text).is_some_and(|p| p.offset.is_some());
        let (m, n) = (moment(first)?, moment(second)?);
        // Without a zone on one side a day's difference is needed to tell.
        let slack = if zoned(first) == zoned(second) { 0 } else { 14 * 3600 * 1_000_000 };
        return Ok(order(m, n, slack));
    }
    // Quantities of one unit.
    let part = |node: &Node<'_>, name: &str| {
        let mut out = Vec::new();
        node.members(name, &mut out);
        out.first().and_then(|n| n.text().map(str::to_owned))
    };
    let value =
        |node: &Node<'_>| node.json().and_then(|j| j.get("value")).and_then(crate::json::Json::number);
    if part(a, "code") != part(b, "code") || part(a, "unit") != part(b, "unit") {
        return Err(Unknown);
    }
    match (value(a), value(b)) {
        (Some(a), Some(b)) => Ok(a.partial_cmp(&b)),
        _ => Err(Unknown),
    }
}

fn order(a: Moment, b: Moment, slack: i64) -> Option<Ordering> {
    if a.end().saturating_add(slack) < b.start() {
        Some(Ordering::Less)
    } else if b.end().saturating_add(slack) < a.start() {
        Some(Ordering::Greater)
    } else if a.precision() == b.precision() && slack == 0 {
        Some(a.start().cmp(&b.start()))
    } else {
        None
    }
}
