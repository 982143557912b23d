//! The JSON Schemas and the reference pages under docs/reference are made from the types; this says when
//! they are stale. `CHIASM_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn reference(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(file)
}

/// Compares a made text with the checked-in one, or writes it.
fn agrees(file: &str, made: &str) {
    let path = reference(file);
    if std::env::var_os("CHIASM_BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/reference/{file} is stale; write it anew with\n  CHIASM_BLESS=1 cargo nextest run --release --workspace -E 'binary(schemas)'"
    );
}

fn check(name: &str, schema: &Value) {
    agrees(&format!("{name}.schema.json"), &(serde_json::to_string_pretty(schema).unwrap() + "\n"));
    agrees(&format!("{name}.md"), &page(name, schema));
}

#[test]
fn the_recipes_reference_is_that_of_the_types() {
    check("recipe", &chiasm_pipeline::Recipe::schema());
}

#[test]
fn the_sites_reference_is_that_of_the_types() {
    check("site", &schemars::schema_for!(chiasm_cohort::Site).to_value());
}

#[test]
fn the_reports_reference_is_that_of_the_types() {
    check("report", &chiasm_evaluate::report_schema());
}

/// A page with a table per object: key, type, whether it must be there, what it means.
fn page(name: &str, schema: &Value) -> String {
    let what = if name == "report" { "report.json".to_owned() } else { format!("{name}.toml") };
    let mut text = format!(
        "# `{what}`, key by key\n\nMade from the Rust types by `crates/chiasm-pipeline/tests/schemas.rs`; do not edit.\n"
    );
    object(&mut text, "The file", schema);
    let definitions = schema.get("$defs").and_then(Value::as_object);
    for (name, definition) in definitions.into_iter().flatten() {
        object(&mut text, name, definition);
    }
    text
}

fn object(text: &mut String, title: &str, schema: &Value) {
    write!(text, "\n## {title}\n\n").unwrap();
    if let Some(about) = described(schema) {
        write!(text, "{about}\n\n").unwrap();
    }
    let variants = schema.get("oneOf").and_then(Value::as_array);
    for variant in variants.into_iter().flatten() {
        let kind = variant.pointer("/properties/kind/const").and_then(Value::as_str);
        let about = described(variant).unwrap_or_default();
        match (kind, variant.get("const").and_then(Value::as_str)) {
            (Some(kind), _) => {
                let same = variant.get("$ref").map(|_| format!(" Keys: {}.", kind_of(variant))).unwrap_or_default();
                write!(text, "**`kind = \"{kind}\"`**: {about}{same}\n\n").unwrap();
            }
            (None, Some(value)) => writeln!(text, "- `\"{value}\"`: {about}").unwrap(),
            (None, None) => writeln!(text, "- {}: {about}", kind_of(variant)).unwrap(),
        }
        keys(text, variant);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values.iter().map(|v| format!("`{v}`")).collect();
        writeln!(text, "One of {}.", values.join(", ")).unwrap();
    }
    keys(text, schema);
}

fn keys(text: &mut String, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = String::new();
    for (key, value) in properties.iter().filter(|(_, v)| v.get("const").is_none()) {
        let about = described(value).unwrap_or_default();
        let must = match (required.contains(&key.as_str()), value.get("default")) {
            (true, _) => "yes".to_owned(),
            (false, None | Some(Value::Null)) => "no".to_owned(),
            (false, Some(default)) => format!("no: `{default}`"),
        };
        writeln!(rows, "| `{key}` | {} | {must} | {about} |", kind_of(value)).unwrap();
    }
    if !rows.is_empty() {
        writeln!(text, "| key | type | required (else its default) | meaning |\n|---|---|---|---|\n{rows}").unwrap();
    }
}

/// The type of a value in words, with a link to its own section where it has one.
fn kind_of(schema: &Value) -> String {
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(" or ");
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<String> = any.iter().map(kind_of).filter(|k| k != "null").collect();
        return kinds.join(" or ");
    }
    let of = |key: &str| schema.get(key).map_or_else(|| "value".to_owned(), kind_of);
    let named = |kind: &str| match kind {
        "array" => format!("list of {}", of("items")),
        "object" if schema.get("additionalProperties").is_some_and(Value::is_object) => {
            format!("table of {}", of("additionalProperties"))
        }
        "object" => "table".to_owned(),
        "integer" => "whole number".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(kind)) => named(kind),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|k| *k != "null").map(named);
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "value".to_owned(),
    }
}

/// What a schema says of itself, as one line of a table, without links that only rustdoc follows.
fn described(schema: &Value) -> Option<String> {
    let text = schema.get("description").and_then(Value::as_str)?;
    let text = text.split("```").next().unwrap_or(text);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    Some(line.replace("[`", "`").replace("`]", "`"))
}
