use super::Checker;
use crate::fhir::xml::{self, Child, Element};

/// What HTML may be in a narrative.
const ELEMENTS: [&str; 58] = [
    "p",
    "br",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "a",
    "span",
    "b",
    "em",
    "i",
    "strong",
    "small",
    "big",
    "tt",
    "dfn",
    "q",
    "var",
    "abbr",
    "acronym",
    "cite",
    "blockquote",
    "hr",
    "address",
    "bdo",
    "kbd",
    "sub",
    "sup",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "pre",
    "table",
    "caption",
    "colgroup",
    "col",
    "thead",
    "tr",
    "tfoot",
    "tbody",
    "th",
    "td",
    "code",
    "samp",
    "img",
    "map",
    "area",
    "ins",
    "del",
    "s",
    "u",
    "center",
];

/// And what its elements may have.
const ATTRIBUTES: [&str; 57] = [
    "xmlns",
    "title",
    "style",
    "class",
    "id",
    "ID",
    "idref",
    "lang",
    "xml:lang",
    "xml:base",
    "xml:space",
    "dir",
    "accesskey",
    "tabindex",
    "cite",
    "href",
    "hreflang",
    "rel",
    "rev",
    "name",
    "charset",
    "type",
    "src",
    "alt",
    "longdesc",
    "height",
    "width",
    "usemap",
    "ismap",
    "shape",
    "coords",
    "nohref",
    "span",
    "align",
    "valign",
    "char",
    "charoff",
    "summary",
    "border",
    "cellspacing",
    "cellpadding",
    "frame",
    "rules",
    "colspan",
    "rowspan",
    "headers",
    "scope",
    "axis",
    "abbr",
    "start",
    "value",
    "compact",
    "color",
    "bgcolor",
    "nowrap",
    "target",
    "datetime",
];

impl Checker<'_> {
    /// A narrative: well-formed, in the namespace of XHTML, with text in it and nothing that acts.
    pub(super) fn narrative(&mut self, text: &str) {
        let tree = match xml::parse(text.as_bytes()) {
            Ok(tree) => tree,
            Err(fault) => return self.error("fhir.xhtml", format!("no XHTML: {fault}")),
        };
        let root = &tree.root;
        if root.name != "div" {
            self.error("fhir.xhtml", "expected a div around the narrative");
        }
        match root.attribute("xmlns") {
            Some("http://www.w3.org/1999/xhtml") => {}
            _ => self.error("fhir.xhtml", "expected the namespace http://www.w3.org/1999/xhtml on the div"),
        }
        let mut content = false;
        let mut stack: Vec<&Element> = vec![root];
        while let Some(element) = stack.pop() {
            if !ELEMENTS.contains(&element.name.as_str()) {
                self.error("fhir.xhtml", "an element is not allowed in a narrative");
            }
            for (name, value) in &element.attributes {
                let known = ATTRIBUTES.contains(&name.as_str()) || name.starts_with("xmlns:");
                if !known {
                    self.error("fhir.xhtml", "an attribute is not allowed in a narrative");
                }
                let value = value.trim_start().to_ascii_lowercase();
                if matches!(name.as_str(), "href" | "src") && value.starts_with("javascript:") {
                    self.error("fhir.xhtml", "a link in a narrative must not act");
                }
            }
            content |= element.name == "img";
            for child in &element.children {
                match child {
                    Child::Element(inner) => stack.push(inner),
                    Child::Text(text) => content |= !text.trim().is_empty(),
                }
            }
        }
        if !content {
            self.error("fhir.xhtml", "txt-2: a narrative must have some text in it");
        }
    }
}
