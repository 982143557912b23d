use crate::Error;
use crate::draw::{Draw, Stream, normal};
use chiasm_cohort::Examples;
use chiasm_record::{
    Availability, Block, Content, Feature, FeatureKind, Grid, Modality, Outcome, Scale, SubjectId, Task,
};

/// How a modality shows its latent value: column `j` of subject `i` is
/// `latent[i] + error · e[i][j]` with independent standard normal `e`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Number of columns.
    pub columns: usize,
    /// Standard deviation of each column's own error.
    pub error: f64,
}

impl View {
    /// Three columns whose mean tells a standard normal latent with reliability
    /// `1 / (1 + error² / columns)` = .92.
    pub const CLEAR: Self = Self { columns: 3, error: 0.5 };

    /// The share of the variance of the columns' mean that a standard normal latent makes.
    pub fn reliability(&self) -> f64 {
        1.0 / (1.0 + self.error * self.error / self.columns as f64)
    }
}

/// A cohort with a planted effect.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// The generator's name, which is also the recipe's and the site's: `synthetic-NAME`.
    pub name: &'static str,
    /// The clinical question that it stands for, in one sentence.
    pub question: &'static str,
    /// The subjects. Modalities are called `m1`, `m2`, ..., their columns `m1_c1`, `m1_c2`, ...
    pub examples: Examples,
}

/// Shows each latent through its columns, where the subject has the modality.
/// `latents [subject][modality]`.
pub(crate) fn show(
    draw: &Draw,
    latents: &[Vec<f64>],
    view: View,
    task: Task,
    outcome: Outcome,
) -> Result<Examples, Error> {
    let modalities = latents.first().map_or(0, Vec::len);
    let presence = draw.presence(modalities)?;
    let feature = |m: usize, c: usize| Feature {
        name: format!("m{}_c{}", m + 1, c + 1),
        kind: FeatureKind::Numeric,
        unit: None,
        scale: Scale::Linear,
    };
    let mut grids: Vec<Grid> = (0..modalities)
        .map(|m| Grid::missing((0..view.columns).map(|c| feature(m, c)).collect(), draw.n))
        .collect();
    let mut rng = draw.stream(Stream::Columns);
    for (row, (latents, present)) in latents.iter().zip(&presence).enumerate() {
        for ((grid, latent), present) in grids.iter_mut().zip(latents).zip(present) {
            for c in 0..view.columns {
                // Drawn for the absent too, so that missingness does not shift the rest.
                let value = latent + view.error * normal(&mut rng);
                if *present {
                    grid.set(row, c, value);
                }
            }
        }
    }
    let blocks = grids
        .into_iter()
        .enumerate()
        .map(|(m, grid)| Block {
            modality: Modality::new(format!("m{}", m + 1)),
            present: presence.iter().map(|p| p[m]).collect(),
            content: Content::Table(grid),
        })
        .collect();
    let subjects = (1..=draw.n).map(|i| SubjectId::new(format!("S{i:05}"))).collect();
    Ok(Examples::new(task, subjects, blocks, Some(outcome), Vec::new())?)
}

/// That there are subjects, and between two modalities and as many as a run can have.
pub(crate) fn check(draw: &Draw, modalities: usize) -> Result<(), Error> {
    if draw.n == 0 {
        return Err(Error::Impossible { what: "n", found: "0".into(), expected: "at least 1 subject" });
    }
    if !(2..=Availability::MAX).contains(&modalities) {
        let found = modalities.to_string();
        return Err(Error::Impossible { what: "modalities", found, expected: "2 to 32" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Draw, Error, Question, additive, noise};

    #[test]
    fn the_same_draw_makes_the_same_cohort_and_missingness_leaves_values_as_they_were() {
        let whole = noise(&Draw::new(60, 4), 3, Question::Survival).unwrap().examples;
        let again = noise(&Draw::new(60, 4), 3, Question::Survival).unwrap().examples;
        let holes =
            noise(&Draw::new(60, 4).missing(&[0.5, 0.2, 0.0]), 3, Question::Survival).unwrap().examples;
        assert_eq!(whole.blocks(), again.blocks());
        assert_eq!(whole.outcome(), holes.outcome());
        assert_eq!(whole.blocks()[2], holes.blocks()[2]);
        let (chiasm_record::Content::Table(a), chiasm_record::Content::Table(b)) =
            (&whole.blocks()[0].content, &holes.blocks()[0].content)
        else {
            panic!("tables")
        };
        for row in 0..60 {
            let expected = if holes.blocks()[0].present[row] { a.get(row, 1) } else { None };
            assert_eq!(b.get(row, 1), expected);
        }
    }

    #[test]
    fn impossible_wishes_are_refused() {
        let draw = Draw::new(10, 1);
        assert!(matches!(noise(&draw, 1, Question::Binary), Err(Error::Impossible { .. })));
        assert!(matches!(noise(&Draw::new(0, 1), 2, Question::Binary), Err(Error::Impossible { .. })));
        assert!(matches!(additive(&draw, &[1.0, f64::NAN], Question::Binary), Err(Error::Impossible { .. })));
    }
}
