use crate::{Attributes, Modality, Times};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A code with its system, as `system|code`: `LOINC|718-7`, `ICD10CM|E11.9`.
///
/// Systems that everybody knows have a short name (see `chiasm_ingest::codes`); others keep their URI.
/// A code without a system (MEDS has none) is the text alone. Copies share one text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
pub struct Code(Arc<str>);

impl From<String> for Code {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Code {
    /// `system|code`.
    pub fn new(system: &str, code: &str) -> Self {
        Self(format!("{system}|{code}").into())
    }

    /// A code as it stands, with its system or without one.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The system, `None` where there is none.
    pub fn system(&self) -> Option<&str> {
        self.0.rsplit_once('|').map(|(system, _)| system)
    }

    /// The code without its system.
    pub fn code(&self) -> &str {
        self.0.rsplit_once('|').map_or(&*self.0, |(_, code)| code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of bytes kept beside the events: the BLAKE3 hash of their content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssetId([u8; 32]);

impl AssetId {
    /// From a hash.
    pub fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|d| char::from(d).to_digit(16));
            *byte = u8::try_from(high? * 16 + low?).ok()?;
        }
        Some(Self(hash))
    }
}

impl std::fmt::Display for AssetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for AssetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for AssetId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AssetId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
    }
}

/// One thing that was so, or was done, or was said of one subject at one time.
///
/// Whose event it is stands beside it, never in it: an event is linked to a patient by the record
/// that it came with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, when it became known, when it was recorded.
    pub times: Times,
    /// What.
    pub code: Code,
    /// The kind of evidence.
    pub modality: Modality,
    /// The number, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The value where it is text: a note, a coded answer, a result such as "positive".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// UCUM, where the source's unit is known; the source's own text otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The encounter as the source calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// The specimen as the source calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen: Option<String>,
    /// Pixels, a signal, variants, a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetId>,
    /// What else the source says, by name; a name may stand twice. Sorted by whoever stores it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Event {
    /// An event with a time, a code and nothing else.
    pub fn new(times: Times, code: Code, modality: Modality) -> Self {
        Self {
            times,
            code,
            modality,
            value: None,
            text: None,
            unit: None,
            encounter: None,
            specimen: None,
            asset: None,
            attributes: Attributes::new(),
        }
    }

    /// The event with one more attribute, left out where `value` is `None` or empty.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        self.attributes.extend(value.filter(|v| !v.as_ref().is_empty()).map(|v| (name, v)));
        self
    }

    /// The first attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// By what the source tells this from another of the same code and time: the resource or the row that it is, or
    /// the filler's number of the order with the sub-id in it (HL7 OBR-3, OBX-4). A correction has the same.
    pub fn result_id(&self) -> Option<String> {
        // An address that is made up for each sending tells nothing.
        let resource = self.attribute("resource").filter(|name| !name.starts_with("urn:"));
        let own = resource.or_else(|| self.attribute("meds"));
        own.map(str::to_owned).or_else(|| match (self.attribute("filler"), self.attribute("sub_id")) {
            (None, None) => None,
            (filler, sub) => Some(format!("{}#{}", filler.unwrap_or_default(), sub.unwrap_or_default())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_part_at_the_last_bar() {
        let code = Code::new("http://hospital|lab", "GLU");
        assert_eq!((code.system(), code.code()), (Some("http://hospital|lab"), "GLU"));
        assert_eq!((Code::verbatim("MEDS_BIRTH").system(), Code::verbatim("X").code()), (None, "X"));
    }

    #[test]
    fn asset_ids_are_hexadecimal_and_nothing_else() {
        let id = AssetId::new(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(AssetId::parse(&id.to_string()), Some(id));
        assert_eq!(AssetId::parse(&"zz".repeat(32)), None);
        assert_eq!(AssetId::parse("é"), None);
        assert_eq!(AssetId::parse(&"é".repeat(32)), None);
    }
}
