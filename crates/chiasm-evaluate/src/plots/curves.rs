use super::axes::{Frame, SIZE, range};
use super::legend::legend;
use super::svg::Svg;
use crate::report::{Calibration, DegradationPoint, Report};
use crate::words::{count, fixed, measure, metric_name, percent, plain};

/// ROC curves: the chosen fusion and the best single modality in colour, the others behind in grey.
pub(crate) fn roc(report: &Report) -> Option<String> {
    if report.roc.is_empty() {
        return None;
    }
    let frame = Frame::new((0.0, 1.0), (0.0, 1.0));
    let mut svg = Svg::new(SIZE.0, SIZE.1);
    frame.axes(&mut svg, "1 − specificity", "sensitivity");
    svg.line("line guide", frame.at(0.0, 0.0), frame.at(1.0, 1.0));
    let mut curves: Vec<_> = report.roc.iter().map(|c| (line_class(report, &c.model), c)).collect();
    curves.sort_by_key(|(class, _)| {
        ["line other", "line single", "line fusion"].iter().position(|c| c == class)
    });
    for (class, curve) in &curves {
        let points = curve.points.iter().map(|p| frame.at(p.false_positive_rate, p.true_positive_rate));
        svg.path(class, points);
    }
    let mut entries: Vec<(&str, String)> = Vec::new();
    for (class, curve) in curves.iter().rev() {
        let auroc = report.model(&curve.model).and_then(|m| m.metrics.get("auroc"));
        let value = auroc.map(|m| format!(" {}", fixed(m.estimate, 2))).unwrap_or_default();
        match *class {
            "line other" if entries.iter().any(|(c, _)| c == class) => {}
            "line other" => entries.push((class, "the other models".to_owned())),
            _ => entries.push((class, format!("{}{value}", plain(&curve.model)))),
        }
    }
    legend(&mut svg, (frame.sides().1 - 190.0, frame.bottom() - 62.0), &entries);
    Some(svg.finish(
        "plot",
        "ROC curves",
        "Sensitivity over 1 minus specificity on untouched data; the dashed diagonal is chance.",
    ))
}

fn line_class(report: &Report, model: &str) -> &'static str {
    if model == report.selected {
        "line fusion"
    } else if model == report.best_single {
        "line single"
    } else {
        "line other"
    }
}

/// Observed over predicted risk, a dot for each group of similar predicted risk.
pub(crate) fn calibration(figures: &Calibration) -> Option<String> {
    let ends =
        figures.bins.iter().flat_map(|b| [b.predicted, b.observed.high.unwrap_or(b.observed.estimate)]);
    let (_, top) = range(ends)?;
    let top = (top * 10.0).ceil().clamp(1.0, 10.0) / 10.0;
    let frame = Frame::new((0.0, top), (0.0, top));
    let mut svg = Svg::new(SIZE.0, SIZE.1);
    frame.axes(&mut svg, "predicted risk", "observed share");
    svg.line("line guide", frame.at(0.0, 0.0), frame.at(top, top));
    frame.inside(&mut svg, |svg| {
        svg.path("line faint", figures.bins.iter().map(|b| frame.at(b.predicted, b.observed.estimate)));
        for bin in &figures.bins {
            if let (Some(low), Some(high)) = (bin.observed.low, bin.observed.high) {
                svg.line("whisker fusion", frame.at(bin.predicted, low), frame.at(bin.predicted, high));
            }
            let tip = format!(
                "predicted {}, observed {}, {} patients",
                fixed(bin.predicted, 3),
                measure(&bin.observed, 3),
                count(bin.n)
            );
            svg.circle("dot fusion", frame.at(bin.predicted, bin.observed.estimate), 4.5, &tip);
        }
    });
    Some(svg.finish(
        "plot",
        "Calibration",
        "Observed share with the event over predicted risk; on the dashed diagonal both are equal.",
    ))
}

/// Net benefit over the threshold at which one would act.
pub(crate) fn decision(report: &Report) -> Option<String> {
    let points = &report.decision_curve;
    let best = points.iter().flat_map(|p| [Some(p.fusion), p.best_single, Some(p.treat_all)]).flatten();
    let (_, top) = range(best)?;
    let (left, right) =
        points.iter().map(|p| p.threshold).fold((f64::INFINITY, 0.0f64), |(l, r), t| (l.min(t), r.max(t)));
    let top = top.max(0.01);
    let frame = Frame::new((if left < 0.1 { 0.0 } else { left }, right), (-top / 3.0, top));
    let mut svg = Svg::new(SIZE.0, SIZE.1);
    frame.axes(&mut svg, "threshold risk for acting", "net benefit");
    frame.inside(&mut svg, |svg| {
        svg.line("line zero", (frame.sides().0, frame.y.at(0.0)), (frame.sides().1, frame.y.at(0.0)));
        svg.path("line guide", points.iter().map(|p| frame.at(p.threshold, p.treat_all)));
        let single = points.iter().filter_map(|p| Some(frame.at(p.threshold, p.best_single?)));
        svg.path("line single", single);
        svg.path("line fusion", points.iter().map(|p| frame.at(p.threshold, p.fusion)));
    });
    let mut entries = vec![("line fusion", format!("act on {}", plain(&report.selected)))];
    if points.iter().any(|p| p.best_single.is_some()) {
        entries.push(("line single", format!("act on {} alone", plain(&report.best_single))));
    }
    entries.push(("line guide", "act on everyone".to_owned()));
    entries.push(("line zero", "act on no one".to_owned()));
    legend(&mut svg, (frame.sides().1 - 205.0, 30.0), &entries);
    Some(svg.finish(
        "plot",
        "Decision curve",
        "Net benefit per patient over the risk from which one would act; higher is better, acting on no one is 0.",
    ))
}

/// The metric as modalities are hidden at random.
pub(crate) fn degradation(points: &[DegradationPoint], report: &Report) -> Option<String> {
    let every = points.iter().flat_map(|p| [Some(p.fusion), p.best_single]).flatten();
    let y = range(every.flat_map(|m| [Some(m.estimate), m.low, m.high]).flatten())?;
    let last = points.iter().map(|p| p.missing).fold(0.0, f64::max);
    let frame = Frame::new((0.0, last * 100.0), y);
    let mut svg = Svg::new(SIZE.0, SIZE.1);
    frame.axes(&mut svg, "evidence hidden at random, %", &metric_name(&report.metric));
    let edge = |pick: fn(&DegradationPoint) -> Option<f64>| -> Vec<(f64, f64)> {
        points.iter().filter_map(|p| Some(frame.at(p.missing * 100.0, pick(p)?))).collect()
    };
    svg.band("band fusion", &edge(|p| p.fusion.high), &edge(|p| p.fusion.low));
    let single = edge(|p| p.best_single.map(|m| m.estimate));
    svg.path("line single", single.iter().copied());
    svg.path("line fusion", edge(|p| Some(p.fusion.estimate)));
    for p in points {
        let tip = format!("{} hidden: {}", percent(p.missing, 0), measure(&p.fusion, 3));
        svg.circle("dot fusion", frame.at(p.missing * 100.0, p.fusion.estimate), 3.5, &tip);
    }
    let mut entries = vec![("line fusion", plain(&report.selected))];
    if !single.is_empty() {
        entries.push(("line single", format!("{} alone", plain(&report.best_single))));
    }
    legend(&mut svg, (frame.sides().0 + 14.0, frame.bottom() - 17.0 * entries.len() as f64), &entries);
    Some(svg.finish(
        "plot",
        "Degradation",
        "The metric as each modality of each patient is hidden with growing probability, with 95 % band.",
    ))
}
