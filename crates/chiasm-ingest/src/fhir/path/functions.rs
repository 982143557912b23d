use super::Term;
use super::evaluate::{Evaluator, Found, Unknown, equal, truth};
use super::node::Node;

/// Elements of that type, or for `is` whether the one is.
pub(super) fn typed<'a>(nodes: Vec<Node<'a>>, kind: &str, is: bool) -> Vec<Node<'a>> {
    let kind = kind.trim_start_matches("FHIR.").trim_start_matches("System.");
    let matches = |node: &Node<'_>| node.kind().eq_ignore_ascii_case(kind);
    if !is {
        return nodes.into_iter().filter(|n| matches(n)).collect();
    }
    nodes.first().map(|n| Node::Bool(matches(n))).into_iter().collect()
}

impl<'a> Evaluator<'a, '_> {
    /// A function with its focus and what stands in its brackets.
    pub fn call(
        &mut self,
        nodes: Vec<Node<'a>>,
        name: &str,
        arguments: &[Term],
        this: &Node<'a>,
    ) -> Found<'a> {
        self.steps = self.steps.checked_sub(nodes.len()).ok_or(Unknown)?;
        let bool = |value: bool| Ok(vec![Node::Bool(value)]);
        let some = |value: Option<bool>| Ok(value.map(Node::Bool).into_iter().collect());
        match (name, arguments) {
            ("exists", []) => bool(!nodes.is_empty()),
            ("exists", [criterion]) => bool(!self.chosen(nodes, criterion)?.is_empty()),
            ("empty", []) => bool(nodes.is_empty()),
            ("not", []) => some(truth(&nodes).map(|t| !t)),
            ("count", []) => Ok(vec![Node::Number(nodes.len() as f64)]),
            ("first", []) => Ok(nodes.into_iter().take(1).collect()),
            ("tail", []) => Ok(nodes.into_iter().skip(1).collect()),
            ("hasValue", []) => bool(nodes.len() == 1 && nodes[0].has_value()),
            ("allFalse", []) => bool(nodes.iter().all(|n| n.boolean() == Some(false))),
            ("allTrue", []) => bool(nodes.iter().all(|n| n.boolean() == Some(true))),
            ("trace", _) => Ok(nodes),
            ("isDistinct", []) => {
                self.spend(&nodes)?;
                bool(nodes.iter().enumerate().all(|(i, a)| !nodes[..i].iter().any(|b| equal(a, b))))
            }
            ("where", [criterion]) => self.chosen(nodes, criterion),
            ("all", [criterion]) => {
                let count = nodes.len();
                bool(self.chosen(nodes, criterion)?.len() == count)
            }
            ("select", [projection]) => {
                let mut out = Vec::new();
                for node in nodes {
                    out.extend(self.term(projection, &node)?);
                }
                Ok(out)
            }
            ("children", []) => {
                let mut out = Vec::new();
                nodes.iter().for_each(|n| n.children(&mut out));
                Ok(out)
            }
            ("descendants", []) => {
                let mut out = Vec::new();
                nodes.iter().for_each(|n| n.children(&mut out));
                let mut at = 0;
                while let Some(node) = out.get(at).cloned() {
                    self.steps = self.steps.checked_sub(1).ok_or(Unknown)?;
                    node.children(&mut out);
                    at += 1;
                }
                Ok(out)
            }
            ("combine", [other]) => {
                let mut all = nodes;
                all.extend(self.term(other, this)?);
                Ok(all)
            }
            ("intersect", [other]) => {
                let other = self.term(other, this)?;
                self.spend(&nodes)?;
                Ok(nodes.into_iter().filter(|a| other.iter().any(|b| equal(a, b))).collect())
            }
            ("iif", [criterion, then, rest @ ..]) => {
                let focus = nodes.into_iter().next().unwrap_or_else(|| this.clone());
                if truth(&self.term(criterion, &focus)?) == Some(true) {
                    return self.term(then, &focus);
                }
                rest.first().map_or(Ok(Vec::new()), |rest| self.term(rest, &focus))
            }
            ("is", [Term::Member(None, kind)]) => Ok(typed(nodes, kind, true)),
            ("as" | "ofType", [Term::Member(None, kind)]) => Ok(typed(nodes, kind, false)),
            ("toInteger", []) => {
                let number = nodes.first().and_then(|n| n.number().or_else(|| n.text()?.trim().parse().ok()));
                Ok(number.map(Node::Number).into_iter().collect())
            }
            ("toString", []) => {
                let text = nodes.first().map(|n| match n.json().and_then(crate::json::Json::digits) {
                    Some(digits) => digits.to_owned(),
                    None => n.text().map_or_else(
                        || n.number().map_or_else(String::new, |n| n.to_string()),
                        str::to_owned,
                    ),
                });
                Ok(text.map(|t| Node::Text(t.into())).into_iter().collect())
            }
            ("startsWith" | "contains" | "endsWith" | "matches", [argument]) => {
                let argument = self.term(argument, this)?;
                let (Some(text), Some(other)) =
                    (nodes.first().and_then(Node::text), argument.first().and_then(Node::text))
                else {
                    return Ok(Vec::new());
                };
                bool(match name {
                    "startsWith" => text.starts_with(other),
                    "endsWith" => text.ends_with(other),
                    "contains" => text.contains(other),
                    _ => pattern(&format!("^(?:{other})$"))?.is_match(text),
                })
            }
            ("replaceMatches", [from, to]) => {
                let (from, to) = (self.term(from, this)?, self.term(to, this)?);
                let text = |nodes: &[Node<'_>]| nodes.first().and_then(Node::text).map(str::to_owned);
                let (Some(of), Some(from), Some(to)) = (text(&nodes), text(&from), text(&to)) else {
                    return Ok(Vec::new());
                };
                let replaced = pattern(&from)?.replace_all(&of, to.as_str()).into_owned();
                Ok(vec![Node::Text(replaced.into())])
            }
            // What a reference leads to is not at hand, and what is not named here is not known.
            _ => Err(Unknown),
        }
    }

    fn chosen(&mut self, nodes: Vec<Node<'a>>, criterion: &Term) -> Found<'a> {
        let mut out = Vec::new();
        for node in nodes {
            if truth(&self.term(criterion, &node)?) == Some(true) {
                out.push(node);
            }
        }
        Ok(out)
    }

    /// Counts a comparison of all with all.
    fn spend(&mut self, nodes: &[Node<'a>]) -> Result<(), Unknown> {
        let steps = nodes.len().saturating_mul(nodes.len()) / 2;
        self.steps = self.steps.checked_sub(steps).ok_or(Unknown)?;
        Ok(())
    }
}

/// A pattern of the definitions, which are this crate's own.
fn pattern(text: &str) -> Result<regex_lite::Regex, Unknown> {
    regex_lite::Regex::new(text).map_err(|_| Unknown)
}
