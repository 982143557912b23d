use super::axes::{Scale, range};
use super::svg::{Anchor, Svg};
use crate::report::Measure;
use crate::words::{measure, trimmed};

/// Small dot-and-whisker plots for the rows of a table, all on one axis.
pub(crate) struct Whiskers {
    x: Scale,
    /// A value that every row shows as a vertical line.
    reference: Option<f64>,
}

const WIDTH: f64 = 220.0;
const HEIGHT: f64 = 22.0;

impl Whiskers {
    /// An axis that holds all `measures` and the reference; `None` without any.
    pub(crate) fn over<'a>(
        measures: impl IntoIterator<Item = &'a Measure>,
        reference: Option<f64>,
    ) -> Option<Self> {
        let values = measures.into_iter().flat_map(|m| [Some(m.estimate), m.low, m.high]).flatten();
        let ends = range(values.chain(reference))?;
        Some(Self { x: Scale::new(ends, (6.0, WIDTH - 6.0)), reference })
    }

    /// The plot for one row.
    pub(crate) fn row(&self, class: &str, name: &str, value: &Measure) -> String {
        let mut svg = Svg::new(WIDTH, HEIGHT);
        self.guides(&mut svg, HEIGHT);
        let y = HEIGHT / 2.0;
        if let (Some(low), Some(high)) = (value.low, value.high) {
            svg.line(&format!("whisker {class}"), (self.x.at(low), y), (self.x.at(high), y));
        }
        svg.circle(&format!("dot {class}"), (self.x.at(value.estimate), y), 4.0, "");
        svg.finish("row", &format!("{name}: {}", measure(value, 3)), "estimate with 95 % interval")
    }

    /// The axis, for the table's foot.
    pub(crate) fn axis(&self) -> String {
        let mut svg = Svg::new(WIDTH, 22.0);
        svg.line("axis", (6.0, 2.0), (WIDTH - 6.0, 2.0));
        for tick in self.x.ticks(4) {
            svg.line("axis", (self.x.at(tick), 2.0), (self.x.at(tick), 6.0));
            svg.text("tick", (self.x.within(tick), 18.0), Anchor::Middle, &trimmed(tick));
        }
        svg.finish("row", "axis", "the axis of the plots above")
    }

    fn guides(&self, svg: &mut Svg, height: f64) {
        for tick in self.x.ticks(4) {
            svg.line("grid", (self.x.at(tick), 0.0), (self.x.at(tick), height));
        }
        if let Some(reference) = self.reference {
            svg.line("line guide", (self.x.at(reference), 0.0), (self.x.at(reference), height));
        }
    }
}
