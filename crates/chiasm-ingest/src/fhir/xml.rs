//! XML without DTDs: what FHIR's narratives are written in, and FHIR's resources where they are not in JSON.

mod convert;

pub(super) use convert::resource;

/// How deep elements may nest.
const DEPTH: usize = 200;

/// A whole text.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    pub root: Element,
    pub text: &'t str,
}

/// An element: its name with its prefix, its attributes and what is in it.
#[derive(Debug)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Child>,
    /// Where it begins and ends in the text.
    pub span: (usize, usize),
}

/// What stands in an element.
#[derive(Debug)]
pub(super) enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|c| match c {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }
}

/// Why a text is no XML. No part of it is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub(super) struct Malformed {
    offset: usize,
    expected: &'static str,
}

/// Reads one element with nothing but comments, blanks and instructions around it.
pub(super) fn parse(bytes: &[u8]) -> Result<Tree<'_>, Malformed> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| Malformed { offset: e.valid_up_to(), expected: "UTF-8" })?;
    let mut parser = Parser { text, at: 0 };
    parser.eat("\u{feff}");
    parser.between()?;
    let root = parser.element(0)?;
    parser.between()?;
    if parser.at < text.len() {
        return Err(parser.wrong("the end of the text"));
    }
    Ok(Tree { root, text })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn wrong(&self, expected: &'static str) -> Malformed {
        Malformed { offset: self.at, expected }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn eat(&mut self, mark: &str) -> bool {
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len() } else { 0 };
        there
    }

    fn blank(&mut self) -> bool {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at += blanks;
        blanks > 0
    }

    /// Goes behind `end`.
    fn until(&mut self, end: &str, expected: &'static str) -> Result<&'t str, Malformed> {
        let rest = self.rest();
        let length = rest.find(end).ok_or_else(|| self.wrong(expected))?;
        self.at += length + end.len();
        Ok(&rest[..length])
    }

    /// Comments, instructions and blanks outside the root. A DTD is refused: entities come with it.
    fn between(&mut self) -> Result<(), Malformed> {
        loop {
            self.blank();
            if self.eat("<!--") {
                self.until("-->", "the end of a comment")?;
            } else if self.eat("<?") {
                self.until("?>", "the end of an instruction")?;
            } else if self.rest().starts_with("<!") {
                return Err(self.wrong("no document type"));
            } else {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<String, Malformed> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))
            .unwrap_or(rest.len());
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) {
            return Err(self.wrong("a name"));
        }
        self.at += length;
        Ok(rest[..length].to_owned())
    }

    fn element(&mut self, depth: usize) -> Result<Element, Malformed> {
        if depth > DEPTH {
            return Err(self.wrong("less nesting"));
        }
        let start = self.at;
        if !self.eat("<") {
            return Err(self.wrong("an element"));
        }
        let name = self.name()?;
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut children = Vec::new();
        loop {
            let parted = self.blank();
            if self.eat("/>") {
                return Ok(Element { name, attributes, children, span: (start, self.at) });
            }
            if self.eat(">") {
                break;
            }
            if !parted {
                return Err(self.wrong("a blank before an attribute"));
            }
            let attribute = self.name()?;
            self.blank();
            if !self.eat("=") {
                return Err(self.wrong("'='"));
            }
            self.blank();
            let quote = if self.eat("\"") {
                "\""
            } else if self.eat("'") {
                "'"
            } else {
                return Err(self.wrong("a quoted value"));
            };
            let offset = self.at;
            let raw = self.until(quote, "the end of a value")?;
            if raw.contains('<') || attributes.iter().any(|(n, _)| *n == attribute) {
                return Err(Malformed { offset, expected: "each attribute once, without '<'" });
            }
            attributes.push((attribute, resolved(raw, offset)?));
        }
        loop {
            let offset = self.at;
            let rest = self.rest();
            let length = rest.find('<').ok_or_else(|| self.wrong("the end of an element"))?;
            if length > 0 {
                self.at += length;
                children.push(Child::Text(resolved(&rest[..length], offset)?));
            }
            if self.eat("</") {
                let end = self.name()?;
                self.blank();
                if end != name || !self.eat(">") {
                    return Err(self.wrong("the end of the element that is open"));
                }
                return Ok(Element { name, attributes, children, span: (start, self.at) });
            }
            if self.eat("<!--") {
                self.until("-->", "the end of a comment")?;
            } else if self.eat("<![CDATA[") {
                let text = self.until("]]>", "the end of CDATA")?;
                children.push(Child::Text(text.to_owned()));
            } else if self.eat("<?") {
                self.until("?>", "the end of an instruction")?;
            } else {
                children.push(Child::Element(self.element(depth + 1)?));
            }
        }
    }
}

/// Text with its references resolved: the five entities of XML, and characters by their number.
fn resolved(raw: &str, offset: usize) -> Result<String, Malformed> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let wrong = Malformed { offset, expected: "an entity of XML or a character's number" };
        let end = rest.find(';').ok_or(wrong)?;
        let c = match &rest[..end] {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            name => {
                let digits = name.strip_prefix('#').ok_or(wrong)?;
                let code = match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => digits.parse().ok(),
                };
                code.and_then(char::from_u32).ok_or(wrong)?
            }
        };
        out.push(c);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_read_and_what_is_none_is_refused() {
        let tree = parse(b"<?xml version=\"1.0\"?><!-- c --><a x='1&lt;&#65;'>t<b/>&amp;<![CDATA[<]]></a> ")
            .unwrap();
        assert_eq!(tree.root.attribute("x"), Some("1<A"));
        assert_eq!(tree.root.elements().count(), 1);
        for bad in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a x=1/>",
            "<a x='1' x='2'/>",
            "<a>&reg;</a>",
            "<a>&</a>",
            "<a/><b/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
            "<a x='<'/>",
            "<1/>",
            "<a><!-- </a>",
            "<a x='1'y='2'/>",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = "<a>".repeat(1 << 16);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().expected, "less nesting");
        assert!(parse(b"<a>\xff</a>").is_err());
    }
}
