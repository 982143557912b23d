use super::Checker;
use super::primitive::{base64_length, is_absolute, is_base64};
use crate::feed::Severity;
use crate::fhir::reference::{absolute, typed as can_be_type};
use crate::fhir::schema::{Member, Schema, Typed};
use crate::json::Json;

/// Elements of other versions that change what a resource means.
const ONCE_MODIFIERS: [&str; 1] = ["Patient.animal"];

impl<'a> Checker<'a> {
    /// What a data type demands beyond its structure.
    pub(super) fn datatype(&mut self, json: &'a Json<'a>, typed: &'static Typed, member: &'static Member) {
        match typed.name {
            "Reference" => self.reference(json, typed),
            "Extension" => self.extension(json, member.name == "modifierExtension"),
            "Coding" => self.coding(json),
            "Identifier" => self.identifier(json),
            "Attachment" => self.attachment(json),
            "SimpleQuantity" if json.get("comparator").is_some() => {
                self.error("fhir.invariant", "sqty-1: the comparator is not used on a SimpleQuantity");
            }
            "Quantity" | "SimpleQuantity" | "Age" | "Duration" | "Count" | "Distance"
                if json.text_of("system").is_some_and(|s| !is_absolute(s)) =>
            {
                self.within(".system", |c| c.error("fhir.uri", "expected an absolute URI"));
            }
            _ => {}
        }
    }

    fn identifier(&mut self, json: &Json<'_>) {
        let value = json.text_of("value");
        if json.text_of("system") == Some("urn:ietf:rfc:3986") && value.is_some_and(|v| !is_absolute(v)) {
            self.error("fhir.identifier", "expected a whole URI as value, as the system says");
        }
        if json.text_of("system").is_some_and(|s| !is_absolute(s)) {
            self.within(".system", |c| c.error("fhir.uri", "expected an absolute URI"));
        }
    }

    fn attachment(&mut self, json: &Json<'_>) {
        let Some(data) = json.text_of("data") else { return };
        if !is_base64(data) {
            return self.error("fhir.attachment", "expected base64 as data");
        }
        let stated = json.get("size").and_then(Json::number);
        if stated.is_some_and(|s| s != base64_length(data) as f64) {
            self.error(
                "fhir.attachment",
                format!("the stated size is not that of the data, {}", base64_length(data)),
            );
        }
    }

    /// A canonical address: absolute or a fragment, and of a type that may stand there.
    pub(super) fn canonical(&mut self, value: &Json<'_>, typed: &'static Typed) {
        let Some(url) = value.text().filter(|_| typed.name == "canonical") else { return };
        let Some(rest) = url.strip_prefix("http://hl7.org/fhir/").filter(|_| !typed.targets.is_empty())
        else {
            return;
        };
        let kind = rest.split('/').next().unwrap_or_default();
        if rest.contains('/') && Schema::r4().resource(kind).is_some() && !typed.targets.contains(&kind) {
            self.error(
                "fhir.canonical",
                format!("expected one of {}, found {kind}", typed.targets.join(", ")),
            );
        }
    }

    fn reference(&mut self, json: &'a Json<'a>, typed: &'static Typed) {
        let own = json.text_of("type");
        if let Some(kind) = own.filter(|k| !k.contains(':')) {
            if Schema::r4().resource(kind).is_none() {
                self.within(".type", |c| c.error("fhir.reference", "expected a resource type of R4"));
            } else if !typed.targets.is_empty() && !typed.targets.contains(&kind) {
                self.wrong_target(kind, typed);
            }
        }
        let Some(text) = json.text_of("reference") else { return };
        if text == "#" {
            return;
        }
        if let Some(id) = text.strip_prefix('#') {
            match self.contained.iter().find(|(i, _)| *i == id) {
                Some((_, kind)) => self.target(kind, own, typed),
                None => {
                    self.error("fhir.invariant", "ref-1: a local reference must lead to a contained resource")
                }
            }
            return;
        }
        if let Some((kind, _)) = text.split_once('?').filter(|(kind, _)| can_be_type(kind)) {
            return self.target(kind, own, typed);
        }
        if text.contains(char::is_whitespace) {
            return self.error("fhir.reference", "expected no blanks in a reference");
        }
        let bare = text.split("/_history/").next().unwrap_or(text);
        let target = match (is_absolute(bare), bare.split_once('/')) {
            (true, _) => absolute(bare).map(|t| t.kind).filter(|k| Schema::r4().resource(k).is_some()),
            (false, Some((kind, id))) if can_be_type(kind) && super::primitive::is_id(id) => {
                if Schema::r4().resource(kind).is_none() {
                    return self.error("fhir.reference", "expected a resource type of R4 in the reference");
                }
                Some(kind.to_owned())
            }
            // An address below the server, or one that says nothing of a type.
            (false, Some(_)) => None,
            (false, None) => {
                return self.fault(
                    Severity::Warning,
                    "fhir.reference",
                    "expected Type/id, a URL or a fragment",
                );
            }
        };
        if let Some(kind) = target {
            self.target(&kind, own, typed);
        }
        if let Some(bundle) = &self.bundle
            && text.starts_with("urn:")
        {
            match bundle.kind_of(text) {
                Some(kind) => self.target(kind, own, typed),
                None => {
                    self.error("fhir.bundle.reference", "no entry of the Bundle has that urn: as its fullUrl")
                }
            }
        }
    }

    /// What a reference leads to may be of few types.
    fn target(&mut self, kind: &str, own: Option<&str>, typed: &'static Typed) {
        if own.is_some_and(|own| own != kind && !own.contains(':')) {
            self.error("fhir.reference", "the reference leads to another type than its member type says");
        }
        if !typed.targets.is_empty() && !typed.targets.contains(&kind) {
            self.wrong_target(kind, typed);
        }
    }

    fn wrong_target(&mut self, kind: &str, typed: &'static Typed) {
        let shown = if can_be_type(kind) { kind } else { "another" };
        self.error(
            "fhir.reference",
            format!("expected a reference to {}, found {shown}", typed.targets.join(", ")),
        );
    }

    fn extension(&mut self, json: &'a Json<'a>, modifier: bool) {
        let value = json.members().iter().find_map(|(n, v)| {
            let kind = n.trim_start_matches('_').strip_prefix("value")?;
            Some((kind, v))
        });
        let inner = json.each("extension");
        if value.is_some() != inner.is_empty() {
            self.error("fhir.invariant", "ext-1: must have either extensions or value[x], not both");
        }
        let Some(url) = json.text_of("url").filter(|u| !u.is_empty()) else { return };
        if url.contains('|') {
            return self.error("fhir.extension", "expected the extension's URL without a version");
        }
        let parent = self.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let part =
            parent.rsplit('.').next().is_some_and(|step| step.to_ascii_lowercase().contains("extension["));
        if !is_absolute(url) {
            if !part {
                self.error("fhir.extension", "expected an absolute URL");
            }
            return;
        }
        if let Some(defined) = Schema::r4().extension(url) {
            if defined.modifier != modifier {
                let expected = if defined.modifier { "modifierExtension" } else { "extension" };
                self.error("fhir.extension", format!("expected it as {expected}, as it is defined"));
            }
            let allowed = |kind: &str| defined.types.iter().any(|t| t.eq_ignore_ascii_case(kind));
            if value.is_some_and(|(kind, _)| !allowed(kind)) && !defined.types.is_empty() {
                self.error(
                    "fhir.extension",
                    format!("expected a value of type {}", defined.types.join(", ")),
                );
            }
            let strange = |e: &Json<'_>| e.text_of("url").is_some_and(|u| !defined.parts.contains(&u));
            if defined.types.is_empty() && !defined.parts.is_empty() && inner.iter().any(strange) {
                self.error("fhir.extension", "an extension inside it is not in its definition");
            }
            return;
        }
        match origin(url) {
            Origin::Known => {}
            Origin::Modifier if modifier => {}
            Origin::Modifier => {
                self.error("fhir.extension", "expected it as modifierExtension, as it was one")
            }
            Origin::Unknown => {
                self.error("fhir.extension.unknown", "no definition of this extension is at hand");
            }
        }
    }
}

enum Origin {
    /// HL7's own, or an example's.
    Known,
    /// An element of another version that is a modifier.
    Modifier,
    Unknown,
}

/// What can be said of an extension that R4 itself does not define.
fn origin(url: &str) -> Origin {
    let rest = url.trim_start_matches("https").trim_start_matches("http");
    let Some(rest) = rest.strip_prefix("://hl7.org/fhir/") else {
        let host = rest.trim_start_matches("://").split('/').next().unwrap_or_default();
        let example = host == "example.org" || host == "example.com" || host.ends_with(".example.org");
        return if example { Origin::Known } else { Origin::Unknown };
    };
    if let Some((version, element)) = rest.split_once("/StructureDefinition/extension-") {
        return match version {
            "1.0" | "3.0" | "4.0" | "4.3" | "5.0" if ONCE_MODIFIERS.contains(&element) => Origin::Modifier,
            "1.0" | "3.0" | "4.0" | "4.3" | "5.0" => Origin::Known,
            _ => Origin::Unknown,
        };
    }
    let own = ["StructureDefinition/", "tools/", "test/", "us/core/"];
    if own.iter().any(|o| rest.starts_with(o)) { Origin::Known } else { Origin::Unknown }
}
