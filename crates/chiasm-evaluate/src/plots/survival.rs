use super::axes::{Frame, SIZE};
use super::legend::legend;
use super::svg::{Anchor, Svg, shorten};
use crate::report::{CurvePoint, SurvivalCurves};
use crate::words::{count, plain};

const CLASSES: [(&str, &str, &str); 3] = [
    ("line low", "band low", "tick low"),
    ("line mid", "band mid", "tick mid"),
    ("line high", "band high", "tick high"),
];

/// Kaplan-Meier curves by predicted risk, with the numbers at risk below.
pub(crate) fn kaplan_meier(curves: &SurvivalCurves) -> Option<String> {
    let points = curves.groups.iter().flat_map(|g| &g.points);
    let at_risk = curves.groups.iter().flat_map(|g| &g.at_risk);
    let last =
        points.map(|p| p.time).chain(at_risk.map(|a| a.time)).filter(|t| t.is_finite()).fold(0.0, f64::max);
    if last <= 0.0 {
        return None;
    }
    let frame = Frame::new((0.0, last), (0.0, 1.0));
    let table = 26.0 + 15.0 * curves.groups.len() as f64;
    let mut svg = Svg::new(SIZE.0, SIZE.1 + table);
    frame.axes(&mut svg, "years", "free of the event");
    let mut entries = Vec::new();
    for (i, group) in curves.groups.iter().enumerate() {
        let (line, band, tick) = class(i, curves.groups.len());
        let end = group
            .at_risk
            .iter()
            .map(|a| a.time)
            .chain(group.points.iter().map(|p| p.time))
            .fold(0.0, f64::max);
        let upper = steps(&group.points, end, |p| p.high);
        let lower = steps(&group.points, end, |p| p.low);
        let place = |v: Vec<(f64, f64)>| -> Vec<_> { v.into_iter().map(|(x, y)| frame.at(x, y)).collect() };
        svg.band(band, &place(upper), &place(lower));
        svg.path(line, place(steps(&group.points, end, |p| Some(p.survival))));
        entries.push((
            line,
            format!(
                "{} ({} of {})",
                plain(group.name.trim_end_matches(" of predicted risk")),
                count(group.events),
                count(group.n)
            ),
        ));
        let y = SIZE.1 + 25.0 + 15.0 * i as f64;
        for risk in &group.at_risk {
            svg.text(tick, (frame.x.at(risk.time), y), Anchor::Middle, &count(risk.n));
        }
    }
    legend(&mut svg, (frame.sides().0 + 12.0, frame.bottom() - 17.0 * entries.len() as f64), &entries);
    svg.text("tick", (frame.sides().0 - 44.0, SIZE.1 + 9.0), Anchor::Start, &shorten("patients at risk", 30));
    Some(svg.finish(
        "plot",
        "Kaplan-Meier curves by predicted risk",
        "Share free of the event over years, in thirds of predicted risk, with 95 % bands and numbers at risk.",
    ))
}

fn class(i: usize, groups: usize) -> (&'static str, &'static str, &'static str) {
    match i {
        0 => CLASSES[0],
        i if i + 1 == groups => CLASSES[2],
        _ => CLASSES[1],
    }
}

/// The corners of a step function from time 0 to `end`, as far as `pick` knows its values.
fn steps(points: &[CurvePoint], end: f64, pick: impl Fn(&CurvePoint) -> Option<f64>) -> Vec<(f64, f64)> {
    let mut corners = vec![(0.0, 1.0)];
    let mut level = 1.0;
    let mut reached = 0.0;
    for point in points {
        let Some(next) = pick(point) else { return corners };
        corners.push((point.time, level));
        corners.push((point.time, next));
        (level, reached) = (next, point.time);
    }
    if end > reached {
        corners.push((end, level));
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_until_the_next_event() {
        let point = |time, survival| CurvePoint { time, survival, low: None, high: None };
        let corners = steps(&[point(1.0, 0.8), point(2.0, 0.5)], 3.0, |p| Some(p.survival));
        assert_eq!(corners, [(0.0, 1.0), (1.0, 1.0), (1.0, 0.8), (2.0, 0.8), (2.0, 0.5), (3.0, 0.5)]);
        assert_eq!(steps(&[point(1.0, 0.8)], 3.0, |p| p.low), [(0.0, 1.0)]);
    }
}
