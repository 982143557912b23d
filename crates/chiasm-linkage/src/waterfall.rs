use crate::link::Evidence;
use std::fmt::Write;

/// Width of a bar in the terminal, in characters each side.
const WIDTH: usize = 20;

/// How a probability came about, one line a field: the prior, the bits of each field, the sum.
///
/// No value of a person stands in it, only how far two values agree.
pub fn waterfall_text(prior_bits: f64, evidence: &[Evidence]) -> String {
    let lines = lines(prior_bits, evidence);
    let most = lines.iter().map(|line| line.bits.abs()).fold(1.0, f64::max);
    let name = lines.iter().map(|line| line.label.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for line in &lines {
        let bar = "#".repeat((line.bits.abs() / most * WIDTH as f64).round() as usize);
        let (left, right) = if line.bits < 0.0 { (bar.as_str(), "") } else { ("", bar.as_str()) };
        let _ = writeln!(
            out,
            "{:name$}  {left:>WIDTH$}|{right:<WIDTH$} {:>+7.2}  {:>+7.2}",
            line.label, line.bits, line.sum
        );
    }
    let total = lines.last().map_or(prior_bits, |line| line.sum);
    let _ =
        writeln!(out, "{:name$}  {:>WIDTH$} {:<WIDTH$} probability {:.6}", "all", "", "", probability(total));
    out
}

/// The same as a picture: hand-written SVG with its own text.
pub fn waterfall_svg(prior_bits: f64, evidence: &[Evidence]) -> String {
    let lines = lines(prior_bits, evidence);
    let (row, left, width) = (22.0, 260.0, 480.0);
    let ends = lines.iter().flat_map(|line| [line.sum, line.sum - line.bits]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), at| (low.min(at), high.max(at)));
    let scale = width / (high - low).max(1.0);
    let x = |bits: f64| left + (bits - low) * scale;
    let height = row * (lines.len() as f64 + 2.0);
    let (wide, zero) = (left + width + 80.0, x(0.0));
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\" \
         role=\"img\"><title>Evidence for a match in bits</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
         <line x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"0\" y2=\"{height:.0}\" stroke=\"#999\"/>"
    );
    for (at, line) in lines.iter().enumerate() {
        let (from, to) = (x(line.sum - line.bits), x(line.sum));
        let y = row * (at as f64 + 0.5);
        let colour = if line.bits < 0.0 { "#b3432f" } else { "#2f7d4f" };
        let _ = write!(
            out,
            "<text x=\"8\" y=\"{:.1}\">{}</text><rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{:+.1}</text>",
            y + 12.0,
            escape(&line.label),
            from.min(to),
            (to - from).abs().max(1.0),
            from.max(to) + 4.0,
            y + 12.0,
            line.bits
        );
    }
    let total = lines.last().map_or(prior_bits, |line| line.sum);
    let _ = write!(
        out,
        "<text x=\"8\" y=\"{:.1}\" font-weight=\"bold\">probability {:.6}</text></svg>",
        row * (lines.len() as f64 + 1.0),
        probability(total)
    );
    out
}

struct Line {
    label: String,
    bits: f64,
    sum: f64,
}

fn lines(prior_bits: f64, evidence: &[Evidence]) -> Vec<Line> {
    let mut sum = prior_bits;
    let mut lines = vec![Line { label: "before any field".into(), bits: prior_bits, sum }];
    for one in evidence {
        sum += f64::from(one.weight);
        lines.push(Line { label: format!("{}: {}", one.field, one.level), bits: f64::from(one.weight), sum });
    }
    lines
}

fn probability(bits: f64) -> f64 {
    1.0 / (1.0 + (-bits).exp2())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Vec<Evidence> {
        let one =
            |field: &str, level: &str, weight| Evidence { field: field.into(), level: level.into(), weight };
        vec![one("surname", "exact", 9.5), one("dob", "one digit", 7.25), one("<sex>", "different", -4.0)]
    }

    #[test]
    fn the_bars_add_up() {
        let text = waterfall_text(-13.0, &evidence());
        assert!(
            text.contains("surname: exact")
                && text.contains("-13.00")
                && text.contains("probability 0.456786"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn the_picture_is_well_formed() {
        let svg = waterfall_svg(-13.0, &evidence());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.contains("&lt;sex&gt;: different") && !svg.contains("<sex>"));
    }
}
