use super::concept;
use super::event::{Kept, Whole};
use super::modality;
use crate::feed::Asset;
use crate::json::Json;
use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use chiasm_record::{Event, Finding, Times};

/// Standard base64, whether it ends in `=` or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A report: its conclusion, and an event for each form that is presented.
pub(super) fn report(whole: &Whole<'_>, kept: &mut Kept) {
    let report = whole.resource;
    let issued = report.text_of("issued").and_then(|t| whole.moment(t));
    let times =
        Times { happened: whole.choice(report, "effective"), known: issued, recorded: whole.recorded() };
    let modality = modality::of_report(report);
    let coded = report.get("code").and_then(concept::coded);
    let base = match &coded {
        Some(coded) => whole.event(times, coded, modality),
        None => whole.plain_event(times, modality),
    };
    for attachment in report.each("presentedForm") {
        kept_form(attachment, base.clone(), kept);
    }
    let mut event = base;
    event.text = report.text_of("conclusion").map(str::to_owned);
    whole.attributes(
        report,
        &["status", "category", "conclusionCode", "result", "imagingStudy", "basedOn", "identifier.value"],
        &mut event,
    );
    kept.events.push(event);
}

/// A document: an event for each of its contents.
pub(super) fn reference(whole: &Whole<'_>, kept: &mut Kept) {
    let document = whole.resource;
    let known = document.text_of("date").and_then(|t| whole.moment(t));
    let period = document.at(&["context", "period"]).and_then(|p| whole.time(p));
    let times = Times { happened: period.or(known), known, recorded: whole.recorded() };
    let coded = document.get("type").and_then(concept::coded);
    let mut base = match &coded {
        Some(coded) => whole.event(times, coded, "notes"),
        None => whole.plain_event(times, "notes"),
    };
    base.encounter = whole.id_of(document.get("context").and_then(|c| c.each("encounter").first()));
    whole.attributes(document, &["status", "docStatus", "category", "description"], &mut base);
    for content in document.each("content") {
        if let Some(attachment) = content.get("attachment") {
            kept_form(attachment, base.clone(), kept);
        }
    }
    if kept.events.is_empty() {
        kept.events.push(base);
    }
}

/// A composition: the text of its sections.
pub(super) fn composition(whole: &Whole<'_>, kept: &mut Kept) {
    let composition = whole.resource;
    let date = composition.text_of("date").and_then(|t| whole.moment(t));
    let times = Times { happened: date, known: date, recorded: whole.recorded() };
    let coded = composition.get("type").and_then(concept::coded);
    let mut event = match &coded {
        Some(coded) => whole.event(times, coded, "notes"),
        None => whole.plain_event(times, "notes"),
    };
    let mut text = String::new();
    sections(composition, 0, &mut text);
    event.text = Some(text).filter(|t| !t.is_empty());
    whole.attributes(composition, &["status", "title", "category"], &mut event);
    kept.events.push(event);
}

fn sections(of: &Json<'_>, depth: usize, text: &mut String) {
    if depth > 20 {
        return;
    }
    for section in of.each("section") {
        let narrative = section.at(&["text", "div"]).and_then(Json::text).map(stripped);
        for part in [section.text_of("title").map(str::to_owned), narrative].into_iter().flatten() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&part);
        }
        sections(section, depth + 1, text);
    }
}

/// A photo, a video or a sound.
pub(super) fn media(whole: &Whole<'_>, kept: &mut Kept) {
    let issued = whole.resource.text_of("issued").and_then(|t| whole.moment(t));
    let times = Times {
        happened: whole.choice(whole.resource, "created"),
        known: issued,
        recorded: whole.recorded(),
    };
    let coded = whole.resource.get("type").and_then(concept::coded);
    let mut event = match &coded {
        Some(coded) => whole.event(times, coded, "imaging"),
        None => whole.plain_event(times, "imaging"),
    };
    whole.attributes(whole.resource, &["status", "modality", "view", "bodySite"], &mut event);
    match whole.resource.get("content") {
        Some(attachment) => kept_form(attachment, event, kept),
        None => kept.events.push(event),
    }
}

/// An attachment as an event: its text where it is text, an asset otherwise.
fn kept_form(attachment: &Json<'_>, mut event: Event, kept: &mut Kept) {
    let declared = attachment.text_of("contentType").unwrap_or("application/octet-stream");
    let media = declared.split(';').next().unwrap_or(declared).trim().to_ascii_lowercase();
    let mut add = |name: &str, text: Option<&str>| {
        event.attributes.extend(text.map(|t| (name.to_owned(), t.to_owned())));
    };
    add("content_type", attachment.text_of("contentType"));
    add("title", attachment.text_of("title"));
    add("url", attachment.text_of("url"));
    add("language", attachment.text_of("language"));
    let Some(data) = attachment.text_of("data") else {
        kept.events.push(event);
        return;
    };
    let compact: String = data.split_ascii_whitespace().collect();
    let Ok(bytes) = BASE64.decode(compact) else {
        kept.findings.push(Finding::new("attachment.data", "not base64; left in the resource as it came", 1));
        kept.events.push(event);
        return;
    };
    let latin = declared.to_ascii_lowercase().contains("8859-1");
    let text = match media.as_str() {
        "text/plain" | "text/html" | "application/xhtml+xml" if latin => {
            Some(bytes.iter().map(|&b| char::from(b)).collect())
        }
        "text/plain" | "text/html" | "application/xhtml+xml" => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    match text {
        Some(text) if media == "text/plain" => event.text = Some(text),
        Some(text) => event.text = Some(stripped(&text)),
        None => {
            let asset = Asset::memory(media, bytes);
            event.asset = Some(asset.id);
            kept.assets.push(asset);
        }
    }
    kept.events.push(event);
}

/// HTML without its marks: a line for each block, no scripts and styles, the common entities resolved.
pub(super) fn stripped(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect::<String>();
        let name = name.to_ascii_lowercase();
        let after = match name.as_str() {
            "script" | "style" => {
                let end = format!("</{name}");
                // Found by bytes: lowering a text could move its places.
                let bytes = tag.as_bytes();
                let close = bytes.windows(end.len()).position(|w| w.eq_ignore_ascii_case(end.as_bytes()));
                close.map_or("", |close| &tag[close..])
            }
            _ if tag.starts_with("!--") => tag.find("-->").map_or("", |end| &tag[end + 2..]),
            _ => tag,
        };
        let block = matches!(
            name.trim_matches('/'),
            "p" | "div"
                | "br"
                | "tr"
                | "li"
                | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "table"
                | "ul"
                | "ol"
        );
        out.push(if block { '\n' } else { ' ' });
        rest = after.find('>').map_or("", |end| &after[end + 1..]);
    }
    out.push_str(rest);
    let mut text = String::with_capacity(out.len());
    for line in out.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&words.join(" "));
        }
    }
    unescaped(&text)
}

/// The entities of XML, the blank, and characters by their number.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';');
        let resolved = end.and_then(|end| {
            let name = &rest[1..end];
            let c = match name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" => ' ',
                name => {
                    let digits = name.strip_prefix('#')?;
                    let hex = digits.strip_prefix(['x', 'X']).map(|d| u32::from_str_radix(d, 16).ok());
                    char::from_u32(hex.unwrap_or_else(|| digits.parse().ok())?)?
                }
            };
            Some((c, end + 1))
        });
        let (c, length) = resolved.unwrap_or(('&', 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}
