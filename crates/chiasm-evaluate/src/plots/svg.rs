use std::fmt::Write;

/// An SVG drawing in the making: shapes with a class each, so that colours follow the page's theme.
///
/// A shape with a coordinate that is not finite is left out: no NaN can reach the file.
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text hangs on its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (Some(a), Some(b)) = (Spot::of(from), Spot::of(to)) else { return };
        self.push(format_args!(
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
            a.0, a.1, b.0, b.1
        ));
    }

    /// A line through the points; points that are not finite are skipped.
    pub(crate) fn path(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let d = trace(points);
        if !d.is_empty() {
            self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
        }
    }

    /// The area between an upper and a lower line, both left to right.
    pub(crate) fn band(&mut self, class: &str, upper: &[(f64, f64)], lower: &[(f64, f64)]) {
        let d = trace(upper.iter().chain(lower.iter().rev()).copied());
        if !d.is_empty() {
            self.push(format_args!(r#"<path class="{class}" d="{d}Z"/>"#));
        }
    }

    /// Many dots of one class in one element.
    pub(crate) fn dots(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = String::new();
        for Spot(x, y) in points.iter().copied().filter_map(Spot::of) {
            let _ = write!(d, "M{x} {y}h0");
        }
        if !d.is_empty() {
            self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
        }
    }

    /// A circle; `tip` is what hovering says.
    pub(crate) fn circle(&mut self, class: &str, at: (f64, f64), radius: f64, tip: &str) {
        let (Some(Spot(x, y)), Some(Spot(r, _))) = (Spot::of(at), Spot::of((radius, 0.0))) else { return };
        self.push(format_args!(
            r#"<circle class="{class}" cx="{x}" cy="{y}" r="{r}">{}</circle>"#,
            title(tip)
        ));
    }

    /// A rectangle from its upper left corner; `strength` 0 to 1 is its opacity.
    pub(crate) fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), strength: f64, tip: &str) {
        let (Some(Spot(x, y)), Some(Spot(w, h))) = (Spot::of(at), Spot::of(size)) else { return };
        if !strength.is_finite() || w.starts_with('-') || h.starts_with('-') {
            return;
        }
        let strength = strength.clamp(0.0, 1.0);
        self.push(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}" rx="1.5" fill-opacity="{strength:.2}">{}</rect>"#,
            title(tip)
        ));
    }

    pub(crate) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let Some(Spot(x, y)) = Spot::of(at) else { return };
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">{}</text>"#,
            escape(text)
        ));
    }

    /// A text that rises to the right from its point.
    pub(crate) fn slanted(&mut self, class: &str, at: (f64, f64), text: &str) {
        self.turned(class, at, -45, "start", text);
    }

    /// A text that rises to the right and ends at its point.
    pub(crate) fn hanging(&mut self, class: &str, at: (f64, f64), text: &str) {
        self.turned(class, at, -45, "end", text);
    }

    /// A text that reads upwards, centred on its point.
    pub(crate) fn upright(&mut self, class: &str, at: (f64, f64), text: &str) {
        self.turned(class, at, -90, "middle", text);
    }

    fn turned(&mut self, class: &str, at: (f64, f64), degrees: i32, anchor: &str, text: &str) {
        let Some(Spot(x, y)) = Spot::of(at) else { return };
        self.push(format_args!(
            r#"<text class="{class}" transform="translate({x} {y}) rotate({degrees})" text-anchor="{anchor}">{}</text>"#,
            escape(text)
        ));
    }

    /// A diamond; `tip` is what hovering says.
    pub(crate) fn diamond(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tip: &str) {
        let d = trace([(x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)]);
        if x.is_finite() && y.is_finite() && radius.is_finite() {
            self.push(format_args!(r#"<path class="{class}" d="{d}Z">{}</path>"#, title(tip)));
        }
    }

    /// What `draw` draws, cut off outside the rectangle.
    pub(crate) fn clipped(&mut self, at: (f64, f64), size: (f64, f64), draw: impl FnOnce(&mut Self)) {
        let (Some(Spot(x, y)), Some(Spot(w, h))) = (Spot::of(at), Spot::of(size)) else { return };
        self.push(format_args!(
            r#"<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}" overflow="hidden">"#
        ));
        draw(self);
        self.body.push_str("</svg>");
    }

    /// The finished element. `name` and `description` are what a screen reader says.
    pub(crate) fn finish(self, class: &str, name: &str, description: &str) -> String {
        let (w, h) = (self.width.ceil(), self.height.ceil());
        let (name, description) = (escape(name), escape(description));
        format!(
            r#"<svg class="{class}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{name}"><title>{name}</title><desc>{description}</desc>{}</svg>"#,
            self.body
        )
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(shape);
    }
}

/// A point as text, only where it is finite.
struct Spot(String, String);

impl Spot {
    fn of((x, y): (f64, f64)) -> Option<Self> {
        (x.is_finite() && y.is_finite()).then(|| Self(short(x), short(y)))
    }
}

/// One decimal, no `-0`, no trailing `.0`.
fn short(x: f64) -> String {
    let tenths = (x * 10.0).round() / 10.0;
    if tenths == 0.0 { "0".to_owned() } else { tenths.to_string() }
}

fn trace(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    for (i, Spot(x, y)) in points.into_iter().filter_map(Spot::of).enumerate() {
        let _ = write!(d, "{}{x} {y}", if i == 0 { "M" } else { "L" });
    }
    d
}

fn title(tip: &str) -> String {
    if tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tip)) }
}

/// Text made safe for HTML and SVG, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// At most `most` characters, the last an ellipsis where something was cut.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_not_drawn() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.line("a", (0.0, f64::NAN), (1.0, 1.0));
        svg.circle("a", (f64::INFINITY, 0.0), 1.0, "");
        svg.path("a", [(0.0, 0.0), (f64::NAN, 1.0), (2.0, 2.0)]);
        let text = svg.finish("p", "name", "what");
        assert!(!text.contains("NaN") && !text.contains("inf"));
        assert!(text.contains(r#"d="M0 0L2 2""#));
        assert!(!text.contains("<line") && !text.contains("<circle"));
    }

    #[test]
    fn hostile_text_is_harmless() {
        assert_eq!(escape("<script>\"'&\u{0}"), "&lt;script&gt;&quot;&#39;&amp;\u{fffd}");
        assert_eq!(shorten("abcdef", 4), "abc…");
    }
}
