//! A cohort written as a site's files comes back as it was, through the whole path.

use chiasm_cohort::{Mode, Site};
use chiasm_pipeline::{Recipe, RunRequest, Silent, cohort, run};
use chiasm_record::{Content, Outcome};
use chiasm_synth::{Draw, Question, Synthetic, additive, write_site, xor};

fn read_back(made: &Synthetic) {
    let folder = tempfile::tempdir().unwrap();
    write_site(made, folder.path()).unwrap();
    let recipe = Recipe::parse(&made.recipe(), "recipe.toml").unwrap();
    let site = Site::parse(&made.site()).unwrap();
    let parameters = recipe.parameters(&[]).unwrap();
    let data = folder.path().join("data");
    let read =
        cohort::read(&recipe, &site, &data, &parameters, Mode::Train, &Silent).unwrap().assembled.examples;
    assert_eq!(read.subjects(), made.examples.subjects());
    for (read, made) in read.blocks().iter().zip(made.examples.blocks()) {
        assert_eq!((&read.modality, &read.present), (&made.modality, &made.present));
        let (Content::Table(read), Content::Table(made)) = (&read.content, &made.content) else {
            panic!("tables")
        };
        assert_eq!(read.features, made.features);
        for row in 0..made.rows() {
            assert!((0..made.features.len()).all(|f| read.get(row, f) == made.get(row, f)));
        }
    }
    match (read.outcome().unwrap(), made.examples.outcome().unwrap()) {
        (Outcome::Survival { time, event }, Outcome::Survival { time: made, event: events }) => {
            assert_eq!(event, events);
            assert!(time.iter().zip(made).all(|(a, b)| (a - b).abs() < 1e-9));
        }
        (read, made) => assert_eq!(read, made),
    }
}

#[test]
fn written_and_read_back() {
    read_back(&xor(&Draw::new(50, 1).missing(&[0.0, 0.3])).unwrap());
    read_back(
        &additive(&Draw::new(50, 1).missing(&[0.1, 0.2, 0.3]), &[1.0, 0.6, 0.4], Question::Survival).unwrap(),
    );
}

#[test]
fn the_written_site_runs_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let cohort = additive(&Draw::new(120, 2).missing(&[0.1, 0.2]), &[1.5, 1.0], Question::Binary).unwrap();
    write_site(&cohort, folder.path()).unwrap();
    let place = folder.path().display().to_string();
    let request = RunRequest {
        recipe: place.clone(),
        site: Some(place),
        data: folder.path().join("data"),
        out: folder.path().join("run"),
        set: Vec::new(),
    };
    let report = run::run(&request, &Silent).unwrap();
    assert_eq!((report.n, report.subsets.len()), (120, 3));
    assert!(folder.path().join("run/report.html").is_file());
}
