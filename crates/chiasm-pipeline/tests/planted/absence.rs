//! Content of a modality that may not be looked at never changes a prediction.

use crate::judge::recipe;
use chiasm_cohort::Examples;
use chiasm_learn::config::FusionConfig;
use chiasm_learn::net::NetConfig;
use chiasm_learn::trained::{Sets, Trained};
use chiasm_pipeline::fold;
use chiasm_record::{Availability, Block, Content};
use chiasm_synth::{Draw, Question, additive};

const WEIGHTS: [f64; 3] = [1.2, 0.8, 0.4];

/// The same subjects with all values of the modalities outside `keep` replaced by wild ones.
fn with_garbage(examples: &Examples, keep: Availability) -> Examples {
    let blocks = examples.blocks().iter().enumerate().map(|(m, block)| {
        let Content::Table(grid) = &block.content else { panic!("synthetic modalities are tables") };
        let mut grid = grid.clone();
        if !keep.contains(m) {
            for row in 0..grid.rows() {
                (0..grid.features.len()).for_each(|f| grid.set(row, f, 1e6 * (row as f64 - 20.0)));
            }
        }
        Block { content: Content::Table(grid), ..block.clone() }
    });
    let subjects = examples.subjects().to_vec();
    Examples::new(
        examples.task().clone(),
        subjects,
        blocks.collect(),
        examples.outcome().cloned(),
        Vec::new(),
    )
    .unwrap()
}

#[test]
fn what_is_not_looked_at_does_not_matter() {
    let trained_on =
        additive(&Draw::new(150, 8).missing(&[0.2, 0.3, 0.4]), &WEIGHTS, Question::Binary).unwrap();
    let mut recipe = recipe(&trained_on, 3, 1).unwrap();
    let net = NetConfig { epochs: 3, width: 8, heads: 2, layers: 1, ..NetConfig::default() };
    recipe.fusions.push(FusionConfig::Net { name: "attention".into(), net });
    let forest =
        r#"{"kind": "concat", "name": "forest", "learner": {"kind": "forest", "trees": 20, "min_leaf": 3}}"#;
    recipe.fusions.push(serde_json::from_str(forest).unwrap());
    let learning = recipe.learning(&trained_on.examples.modalities());
    let sets = fold::subsets(&trained_on.examples);
    let (trained, _) = Trained::fit(&trained_on.examples, &learning, Sets::all(&sets), None, 1).unwrap();
    // New subjects who have everything, and the same ones without what is not looked at.
    let whole = additive(&Draw::new(40, 9), &WEIGHTS, Question::Binary).unwrap().examples;
    let rows: Vec<usize> = (0..whole.len()).collect();
    for set in Availability::all(3).subsets() {
        let looked_at = vec![set; rows.len()];
        let garbage = with_garbage(&whole, set);
        for which in trained.models() {
            let expected = trained.score(which, &whole, &rows, &looked_at).unwrap();
            let found = trained.score(which, &garbage, &rows, &looked_at).unwrap();
            assert_eq!(expected.values, found.values, "{} through {set:?}", trained.name(which));
        }
    }
}

#[test]
fn an_absent_modality_is_as_one_not_looked_at() {
    let draw = Draw::new(150, 8);
    let (whole, holes) = (draw.clone(), draw.missing(&[0.2, 0.3, 0.4]));
    let whole = additive(&whole, &WEIGHTS, Question::Survival).unwrap();
    let holes = additive(&holes, &WEIGHTS, Question::Survival).unwrap();
    let recipe = recipe(&holes, 3, 1).unwrap();
    let learning = recipe.learning(&holes.examples.modalities());
    let sets = fold::subsets(&holes.examples);
    let (trained, _) =
        Trained::fit(&holes.examples, &learning, Sets::all(&sets), recipe.horizon(), 1).unwrap();
    let rows: Vec<usize> = (0..150).collect();
    let own: Vec<Availability> = rows.iter().map(|&r| holes.examples.availability(r)).collect();
    for which in trained.models() {
        let absent = trained.score(which, &holes.examples, &rows, &own).unwrap();
        let hidden = trained.score(which, &whole.examples, &rows, &own).unwrap();
        assert_eq!(absent.values, hidden.values, "{}", trained.name(which));
    }
}
