use super::path::Expression;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::OnceLock;

/// The definitions of FHIR R4, made by `tools/fhir_r4.py` from HL7's own (CC0).
const PACKED: &[u8] = include_bytes!("r4.txt.gz");

/// What R4 allows where.
#[derive(Default)]
pub(super) struct Schema {
    types: HashMap<&'static str, Type>,
    sets: HashMap<&'static str, HashSet<&'static str>>,
    systems: HashMap<&'static str, HashSet<&'static str>>,
    extensions: HashMap<&'static str, Extension>,
}

/// A type, or an element with members of its own.
pub(super) struct Type {
    pub name: &'static str,
    pub resource: bool,
    pub primitive: bool,
    pub members: Vec<Member>,
    pub invariants: Vec<Invariant>,
}

/// A member of a type.
pub(super) struct Member {
    /// Its name, without the `[x]` of a choice.
    pub name: &'static str,
    pub choice: bool,
    pub least: usize,
    pub list: bool,
    /// The most items; 0 where it is forbidden.
    pub most: Option<usize>,
    pub types: Vec<Typed>,
    /// The value set that its code must come from.
    pub binding: Option<&'static str>,
    pub invariants: Vec<Invariant>,
}

/// One type that a member may have.
pub(super) struct Typed {
    /// A type's name, or the path of an element with members.
    pub name: &'static str,
    /// What a reference may lead to; empty for anything.
    pub targets: Vec<&'static str>,
}

/// A rule over a whole element.
pub(super) struct Invariant {
    pub key: &'static str,
    pub words: &'static str,
    pub expression: Option<Expression>,
}

/// An extension that R4 defines.
pub(super) struct Extension {
    pub modifier: bool,
    pub types: Vec<&'static str>,
    pub parts: Vec<&'static str>,
}

impl Schema {
    /// R4's definitions; unpacked once.
    pub fn r4() -> &'static Self {
        static R4: OnceLock<Schema> = OnceLock::new();
        R4.get_or_init(|| {
            let mut text = String::new();
            // The bytes are this crate's own; a test reads all of them.
            let _ = flate2::read::GzDecoder::new(PACKED).read_to_string(&mut text);
            Self::parse(Box::leak(text.into_boxed_str()))
        })
    }

    fn parse(text: &'static str) -> Self {
        let mut schema = Self::default();
        let mut last: Option<Type> = None;
        for line in text.lines() {
            let mut fields = line.split('\t');
            let (tag, name) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            match tag {
                "T" => {
                    schema.add(last.take());
                    let kind = fields.next().unwrap_or_default();
                    let (members, invariants) = (Vec::new(), Vec::new());
                    last = Some(Type {
                        name,
                        resource: kind == "R",
                        primitive: kind == "P",
                        members,
                        invariants,
                    });
                }
                "E" => {
                    if let Some(last) = &mut last {
                        last.members.push(Member::parse(name, fields));
                    }
                }
                "I" => {
                    let words = fields.next().unwrap_or_default();
                    let expression = fields.next().and_then(|e| Expression::parse(e).ok());
                    let invariant = Invariant { key: name, words, expression };
                    if let Some(last) = &mut last {
                        let of = last.members.last_mut().map(|m| &mut m.invariants);
                        of.unwrap_or(&mut last.invariants).push(invariant);
                    }
                }
                "V" => _ = schema.sets.insert(name, fields.collect()),
                "S" => _ = schema.systems.insert(name, fields.collect()),
                _ => {
                    let modifier = fields.next() == Some("M");
                    let mut list = || {
                        fields.next().map_or(Vec::new(), |t| t.split('|').filter(|t| !t.is_empty()).collect())
                    };
                    let (types, parts) = (list(), list());
                    schema.extensions.insert(name, Extension { modifier, types, parts });
                }
            }
        }
        schema.add(last);
        schema
    }

    fn add(&mut self, found: Option<Type>) {
        if let Some(found) = found {
            self.types.insert(found.name, found);
        }
    }

    pub fn of(&self, name: &str) -> Option<&Type> {
        self.types.get(if name == "SimpleQuantity" { "Quantity" } else { name })
    }

    /// The type of a resource of that name.
    pub fn resource(&self, name: &str) -> Option<&Type> {
        self.of(name).filter(|t| t.resource && !matches!(t.name, "Resource" | "DomainResource"))
    }

    /// Whether a value set that can be listed holds `system|code`; `None` where it cannot be listed.
    pub fn holds(&self, set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let set = self.sets.get(set)?;
        Some(match system {
            Some(system) => set.contains(format!("{system}|{code}").as_str()),
            None => set.iter().any(|member| member.rsplit_once('|').is_some_and(|(_, c)| c == code)),
        })
    }

    /// Whether a code system that is known as a whole has a code.
    pub fn defines(&self, system: &str, code: &str) -> Option<bool> {
        Some(self.systems.get(system)?.contains(code))
    }

    pub fn extension(&self, url: &str) -> Option<&Extension> {
        self.extensions.get(url)
    }
}

impl Type {
    /// The member that a name in JSON stands for, and the type that the name chooses.
    pub fn member(&self, name: &str) -> Option<(&Member, &Typed)> {
        self.members.iter().find_map(|member| {
            if !member.choice {
                return (member.name == name).then(|| member.types.first()).flatten().map(|t| (member, t));
            }
            let suffix = name.strip_prefix(member.name)?;
            let chosen = member.types.iter().find(|t| capital_eq(suffix, choice_name(t.name)))?;
            Some((member, chosen))
        })
    }
}

/// A type's name as it stands after the stem of a choice.
fn choice_name(name: &'static str) -> &'static str {
    if name == "SimpleQuantity" { "Quantity" } else { name }
}

/// Whether `suffix` is `name` with a capital.
fn capital_eq(suffix: &str, name: &str) -> bool {
    suffix.len() == name.len()
        && suffix.starts_with(|c: char| c.is_ascii_uppercase())
        && suffix.get(1..).is_some_and(|rest| Some(rest) == name.get(1..))
        && suffix.as_bytes()[..1].eq_ignore_ascii_case(&name.as_bytes()[..1])
}

impl Member {
    fn parse(name: &'static str, mut fields: std::str::Split<'static, char>) -> Self {
        let mut next = || fields.next().unwrap_or_default();
        let (least, most, types, binding) = (next(), next(), next(), next());
        let types = types.split('|').filter(|t| !t.is_empty()).map(|t| {
            let (name, targets) = t.split_once(':').unwrap_or((t, ""));
            let targets = targets.split(',').filter(|t| !t.is_empty() && *t != "Resource").collect();
            Typed { name: name.trim_start_matches('#'), targets }
        });
        Self {
            name: name.trim_end_matches("[x]"),
            choice: name.ends_with("[x]"),
            least: least.parse().unwrap_or(0),
            list: most != "1" && most != "0",
            most: most.parse().ok(),
            types: types.collect(),
            binding: Some(binding).filter(|b| !b.is_empty()),
            invariants: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_whole() {
        let r4 = Schema::r4();
        assert!(r4.resource("Patient").is_some() && r4.resource("Element").is_none());
        assert_eq!(r4.types.values().filter(|t| t.resource).count(), 148);
        let observation = r4.resource("Observation").unwrap();
        let (member, typed) = observation.member("valueQuantity").unwrap();
        assert_eq!((member.name, typed.name, member.list), ("value", "Quantity", false));
        assert!(observation.member("valueAddress").is_none() && observation.member("value").is_none());
        assert_eq!(r4.holds("http://hl7.org/fhir/ValueSet/administrative-gender", None, "male"), Some(true));
        assert_eq!(r4.holds("http://hl7.org/fhir/ValueSet/administrative-gender", None, "m"), Some(false));
        for found in r4.types.values() {
            let members = found.members.iter().flat_map(|m| &m.invariants);
            for invariant in found.invariants.iter().chain(members) {
                assert!(invariant.expression.is_some(), "{} {}", found.name, invariant.key);
            }
            for typed in found.members.iter().flat_map(|m| &m.types) {
                assert!(r4.of(typed.name).is_some(), "{}: {}", found.name, typed.name);
            }
        }
    }
}
