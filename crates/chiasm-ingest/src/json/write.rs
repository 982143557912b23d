use super::Json;

impl Json<'_> {
    /// Writes the value without blanks, members in their order and numbers with their digits.
    pub fn write(&self, out: &mut String) {
        self.put(out, false);
    }

    /// The value as [`Json::write`] writes it.
    pub fn to_text(&self) -> String {
        // Most resources are shorter.
        let mut out = String::with_capacity(2048);
        self.write(&mut out);
        out
    }

    /// The value without blanks, members sorted by name: two texts that say the same give the same.
    pub fn canonical(&self, out: &mut String) {
        self.put(out, true);
    }

    fn put(&self, out: &mut String, sorted: bool) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => quote(text, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.put(out, sorted);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                let mut first = true;
                let mut member = |(name, value): &(std::borrow::Cow<'_, str>, Json<'_>)| {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.put(out, sorted);
                };
                if sorted && !members.is_sorted_by(|a, b| a.0 <= b.0) {
                    let mut order: Vec<_> = members.iter().collect();
                    order.sort_by(|a, b| a.0.cmp(&b.0));
                    order.into_iter().for_each(&mut member);
                } else {
                    members.iter().for_each(&mut member);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a string with the escapes that JSON demands and no other.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    // One pass without a branch for what nearly all strings are.
    if !text.bytes().fold(false, |found, b| found | (b < 0x20) | (b == b'"') | (b == b'\\')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut start = 0;
    for (i, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[start..i]);
        start = i + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
    }
    out.push_str(&text[start..]);
    out.push('"');
}
