use super::svg::{Anchor, Svg, shorten};

/// Lines with their names, one below the other, from the upper left corner `at`.
pub(crate) fn legend(svg: &mut Svg, at: (f64, f64), entries: &[(&str, String)]) {
    for (i, (class, name)) in entries.iter().enumerate() {
        let y = at.1 + 17.0 * i as f64;
        svg.line(class, (at.0, y), (at.0 + 20.0, y));
        svg.text("legend", (at.0 + 27.0, y + 4.0), Anchor::Start, &shorten(name, 34));
    }
}
