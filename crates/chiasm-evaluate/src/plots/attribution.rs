use super::axes::Scale;
use super::svg::{Anchor, Svg, shorten};
use crate::report::AttributionSummary;
use crate::words::{count, fixed, plain, trimmed};

const ROW: f64 = 62.0;
const LABEL: f64 = 128.0;
const SWARM: f64 = 560.0;
const BAR: f64 = 130.0;
const SHADES: [&str; 5] = ["swarm s0", "swarm s1", "swarm s2", "swarm s3", "swarm s4"];

/// A row per modality: a beeswarm of the subjects' shares, and a bar for the mean absolute share.
///
/// A dot's colour is the fifth of the subjects by their whole prediction (sum of shares), from low to high.
pub(crate) fn shares(figures: &AttributionSummary) -> Option<String> {
    let rows = figures.modalities.len();
    if rows == 0 {
        return None;
    }
    let bottom = 26.0 + ROW * rows as f64;
    let mut svg = Svg::new(LABEL + SWARM + BAR + 60.0, bottom + 62.0);
    let all = figures.shares.iter().flatten().flatten().copied().filter(|s| s.is_finite());
    let reach = all.fold(0.0f64, |most, s| most.max(s.abs())) * 1.04;
    let x = Scale::new((-reach, reach), (LABEL + 6.0, LABEL + SWARM - 6.0));
    let bars = LABEL + SWARM + 26.0;
    let longest =
        figures.modalities.iter().map(|m| m.mean_abs_share).filter(|s| s.is_finite()).fold(0.0, f64::max);
    let bar = Scale::new((0.0, longest), (0.0, BAR - 26.0));
    let fifths = fifths(&figures.shares);

    if reach > 0.0 {
        for tick in x.ticks(6) {
            svg.line("grid", (x.at(tick), 20.0), (x.at(tick), bottom));
            svg.text("tick", (x.at(tick), bottom + 16.0), Anchor::Middle, &trimmed(tick));
        }
        svg.line("axis", (x.at(0.0), 20.0), (x.at(0.0), bottom));
        let names = ["← lowers the prediction", "raises it →"];
        svg.text("legend", (x.at(0.0) - 10.0, 12.0), Anchor::End, names[0]);
        svg.text("legend", (x.at(0.0) + 10.0, 12.0), Anchor::Start, names[1]);
        let scale = format!("share of the prediction, {}", plain(&figures.scale));
        svg.text("name", (x.at(0.0), bottom + 36.0), Anchor::Middle, &scale);
        key(&mut svg, (x.at(0.0), bottom + 54.0));
    }
    svg.text("legend", (bars, 12.0), Anchor::Start, "mean |share|");

    for (m, modality) in figures.modalities.iter().enumerate() {
        let y = 26.0 + ROW * (m as f64 + 0.5);
        svg.text("label", (LABEL - 8.0, y), Anchor::End, &shorten(&plain(&modality.name), 18));
        svg.text("tick", (LABEL - 8.0, y + 15.0), Anchor::End, &format!("{} patients", count(modality.n)));
        let column: Vec<(usize, f64)> = (figures.shares.iter().zip(&fifths))
            .filter_map(|(row, &fifth)| Some((fifth, x.at((*row.get(m)?)?))))
            .filter(|(_, at)| at.is_finite())
            .collect();
        let heights = swarm(&column.iter().map(|&(_, at)| at).collect::<Vec<_>>());
        for (fifth, class) in SHADES.iter().enumerate() {
            let dots = column.iter().zip(&heights).filter(|((f, _), _)| *f == fifth);
            svg.dots(class, &dots.map(|(&(_, at), up)| (at, y + up)).collect::<Vec<_>>());
        }
        let length = bar.within(modality.mean_abs_share);
        svg.rect("heat", (bars, y - 9.0), (length, 18.0), 0.75, "");
        svg.text(
            "tick ink",
            (bars + length + 6.0, y + 4.0),
            Anchor::Start,
            &fixed(modality.mean_abs_share, 3),
        );
    }
    Some(svg.finish(
        "plot wide",
        "What each modality adds to the prediction",
        "A dot per patient and modality: how far that modality moved the patient's prediction; beside it the mean of the absolute shares.",
    ))
}

fn key(svg: &mut Svg, at: (f64, f64)) {
    svg.text("tick", (at.0 - 44.0, at.1 + 4.0), Anchor::End, "dots: patients with a low");
    for (i, class) in SHADES.iter().enumerate() {
        svg.dots(&format!("{class} key"), &[(at.0 - 32.0 + 16.0 * i as f64, at.1)]);
    }
    svg.text("tick", (at.0 + 44.0, at.1 + 4.0), Anchor::Start, "to a high prediction");
}

/// Per subject: the fifth, 0 to 4, of the sum of its shares.
fn fifths(shares: &[Vec<Option<f64>>]) -> Vec<usize> {
    let sums: Vec<f64> = shares.iter().map(|row| row.iter().flatten().sum()).collect();
    let mut order: Vec<usize> = (0..sums.len()).collect();
    order.sort_by(|&a, &b| sums[a].total_cmp(&sums[b]));
    let mut fifths = vec![0; sums.len()];
    for (rank, &i) in order.iter().enumerate() {
        fifths[i] = rank * 5 / sums.len();
    }
    fifths
}

/// Heights that keep dots of like value apart: each takes the free place nearest to the middle line.
/// Where a row is full, dots overlap rather than leave it.
fn swarm(at: &[f64]) -> Vec<f64> {
    const SPACING: f64 = 3.4;
    const LEVELS: i32 = 8;
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by(|&a, &b| at[a].total_cmp(&at[b]));
    let mut taken = vec![f64::NEG_INFINITY; 2 * LEVELS as usize + 1];
    let mut heights = vec![0.0; at.len()];
    for (turn, i) in order.into_iter().enumerate() {
        let level = (0..=2 * LEVELS)
            .map(|step| if step % 2 == 0 { step / 2 } else { -(step + 1) / 2 })
            .find(|level| at[i] - taken[(level + LEVELS) as usize] >= SPACING)
            .unwrap_or(turn as i32 * 7 % (2 * LEVELS + 1) - LEVELS);
        taken[(level + LEVELS) as usize] = at[i];
        heights[i] = f64::from(level) * SPACING;
    }
    heights
}

/// A triangle of squares: how much each pair of modalities says only together.
pub(crate) fn interactions(figures: &AttributionSummary) -> Option<String> {
    const CELL: f64 = 46.0;
    let names: Vec<&str> = figures.modalities.iter().map(|m| m.name.as_str()).collect();
    let place = |name: &str| names.iter().position(|n| *n == name);
    let most = figures.interactions.iter().map(|i| i.mean_abs).filter(|v| v.is_finite()).fold(0.0, f64::max);
    if most <= 0.0 || names.len() < 2 {
        return None;
    }
    let columns = names.len() - 1;
    let (left, top) = (LABEL, 10.0);
    let bottom = top + CELL * columns as f64;
    let mut svg = Svg::new(left + CELL * columns as f64 + 30.0, bottom + 74.0);
    for (i, name) in names.iter().enumerate() {
        let name = shorten(&plain(name), 16);
        if i > 0 {
            svg.text("label", (left - 8.0, top + CELL * (i as f64 - 0.5) + 4.0), Anchor::End, &name);
        }
        if i < columns {
            svg.hanging("label", (left + CELL * (i as f64 + 0.5) + 4.0, bottom + 12.0), &name);
        }
    }
    for pair in &figures.interactions {
        let (Some(a), Some(b)) = (place(&pair.a), place(&pair.b)) else { continue };
        let (column, row) = (a.min(b), a.max(b) - 1);
        let at = (left + CELL * column as f64 + 1.0, top + CELL * row as f64 + 1.0);
        let tip = format!(
            "{} with {}: mean {}, mean absolute {}",
            plain(&pair.a),
            plain(&pair.b),
            fixed(pair.mean, 3),
            fixed(pair.mean_abs, 3)
        );
        let strength = pair.mean_abs / most;
        let class = if pair.mean < 0.0 { "heat minus" } else { "heat" };
        svg.rect(class, at, (CELL - 2.0, CELL - 2.0), 0.08 + 0.5 * strength, &tip);
        let middle = (at.0 + CELL / 2.0 - 1.0, at.1 + CELL / 2.0 + 3.0);
        svg.text("tick ink", middle, Anchor::Middle, &fixed(pair.mean, 2));
    }
    Some(svg.finish(
        "plot",
        "Interactions between modalities",
        "Per pair of modalities the mean interaction; the stronger the colour, the larger its mean absolute value.",
    ))
}

/// A bar for a table's cell: `value` of `most`.
pub(crate) fn strength_bar(value: f64, most: f64, name: &str) -> String {
    let mut svg = Svg::new(120.0, 12.0);
    let length = Scale::new((0.0, most), (0.0, 118.0)).within(value);
    svg.rect("heat", (0.0, 1.0), (length, 10.0), 0.75, "");
    svg.finish("row", name, "mean absolute share, compared with the largest of all features")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swarm_keeps_like_values_apart_and_inside_the_row() {
        let heights = swarm(&[10.0, 10.0, 10.0, 50.0]);
        assert_eq!(heights[3], 0.0);
        assert!(heights[0] != heights[1] && heights[1] != heights[2]);
        assert!(swarm(&[1.0; 500]).iter().all(|h| h.abs() < ROW / 2.0));
    }

    #[test]
    fn fifths_follow_the_whole_prediction() {
        let rows: Vec<_> = (0..10).map(|i| vec![Some(f64::from(9 - i)), None]).collect();
        assert_eq!(fifths(&rows), [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]);
        assert!(fifths(&[]).is_empty());
    }
}
