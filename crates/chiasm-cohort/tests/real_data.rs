//! The shipped sites on the data that they are for: the counts of each set's README.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use chiasm_cohort::{Mode, assemble, split};
use chiasm_record::{Content, FeatureKind, Outcome, TaskKind};
use support::{data, load, root, site, spec, train};

const HANCOCK: [&str; 6] = ["clinical", "pathology", "blood", "icd_codes", "cell_density", "tissue"];

#[test]
fn hancock_recurrence_has_the_readmes_patients() {
    let Some(folder) = data("hancock") else { return };
    let site = site("hancock");
    let mut spec = spec(TaskKind::Binary, "recurrence", Some(3.0), &HANCOCK);
    spec.subgroups = vec!["sex".into(), "age".into(), "primary_tumor_site".into()];
    let made = train(&site, &spec, &folder, &[]).unwrap();
    assert_eq!((made.flow.seen, made.flow.included, made.flow.events), (648, 560, Some(124)));
    assert_eq!(made.flow.seen - made.flow.included, made.flow.excluded.values().sum::<usize>());
    assert!(
        made.findings.iter().any(|f| f.count == 146 && f.message.contains("free_where")),
        "{:?}",
        made.findings
    );
    let parts: std::collections::BTreeSet<_> = made.examples.subgroups()[0].values.iter().flatten().collect();
    assert_eq!(parts.into_iter().collect::<Vec<_>>(), ["female", "male"]);

    spec.task.outcome = "recurrence_followed".into();
    let strict = train(&site, &spec, &folder, &[]).unwrap();
    assert_eq!((strict.flow.included, strict.flow.events), (440, Some(124)));
}

#[test]
fn hancock_modalities_are_present_as_the_readme_says() {
    let Some(folder) = data("hancock") else { return };
    let made =
        train(&site("hancock"), &spec(TaskKind::Survival, "overall_survival", None, &HANCOCK), &folder, &[])
            .unwrap();
    assert_eq!((made.flow.included, made.flow.events), (648, Some(181)));
    let present: Vec<usize> = made.flow.present.iter().map(|(_, n)| *n).collect();
    assert_eq!(present[..5], [648, 648, 583, 603, 625]);
    let widths: Vec<usize> = made
        .examples
        .blocks()
        .iter()
        .map(|b| match &b.content {
            Content::Table(grid) => grid.features.len(),
            Content::Bag(bag) => bag.width,
        })
        .collect();
    assert_eq!(widths, [4, 15, 16, 40, 4, 256]);

    let Content::Table(clinical) = &made.examples.blocks()[0].content else { panic!("clinical is a table") };
    let smoking = clinical.features.iter().find(|f| f.name == "smoking_status").unwrap();
    assert_eq!(smoking.kind, FeatureKind::Nominal(["0", "1", "2", "3"].map(String::from).to_vec()));
    let missing = |block: usize, name: &str| {
        let Content::Table(grid) = &made.examples.blocks()[block].content else { panic!("not a table") };
        let at = grid.features.iter().position(|f| f.name == name).unwrap();
        (0..grid.rows())
            .filter(|&row| made.examples.blocks()[block].present[row] && grid.get(row, at).is_none())
            .count()
    };
    assert_eq!(missing(0, "primarily_metastasis"), 20);
    assert_eq!(missing(1, "perinodal_invasion"), 310);
    assert_eq!(missing(1, "number_of_positive_lymph_nodes"), 126);
    assert_eq!((missing(4, "cd3_z"), missing(4, "cd8_inv")), (43, 15));

    // The file holds counts of 2 and 3 in 28 cells; the site reads them as "has the code".
    let Content::Table(codes) = &made.examples.blocks()[3].content else { panic!("codes are a table") };
    let mut values: Vec<f64> =
        (0..648).flat_map(|row| (0..40).filter_map(move |f| codes.get(row, f))).collect();
    assert_eq!((values.len(), values.iter().sum::<f64>()), (603 * 40, 709.0 + 27.0 + 1.0));
    values.dedup();
    assert!(values.iter().all(|v| [0.0, 1.0].contains(v)));

    let Content::Bag(tissue) = &made.examples.blocks()[5].content else { panic!("tissue is a bag") };
    assert_eq!(tissue.slots.len(), 8);
    let single = |slot: usize| {
        let tiles = |row: &Vec<(usize, Vec<f32>)>| row.iter().filter(|(s, _)| *s == slot).count();
        tissue.vectors.iter().filter(|row| tiles(row) == 1).count()
    };
    let singles: Vec<usize> = (0..8).map(single).collect();
    assert_eq!(singles, [0, 1, 0, 0, 0, 0, 0, 0], "one patient has one CD3 tile");
}

#[test]
fn hancock_negative_times_are_excluded_and_listed() {
    let Some(folder) = data("hancock") else { return };
    let mut site = site("hancock");
    let spec = spec(TaskKind::Survival, "recurrence_free_survival", None, &["clinical"]);
    let made = train(&site, &spec, &folder, &[]).unwrap();
    assert_eq!((made.flow.included, made.flow.excluded["time below 0"]), (638, 10));
    assert!(made.findings.iter().any(|f| f.count == 10 && f.subjects.len() == 10));

    let Some(chiasm_cohort::site::OutcomeBinding::Survival(outcome)) =
        site.outcomes.get_mut("recurrence_free_survival")
    else {
        panic!("a survival outcome")
    };
    outcome.negative_time = chiasm_cohort::site::NegativeTime::Error;
    let error = train(&site, &spec, &folder, &[]).unwrap_err().to_string();
    assert!(error.contains("targets.csv, line ") && error.contains("a number below 0"), "{error}");
}

#[test]
fn hancock_predicts_without_outcomes_and_without_a_modalitys_file() {
    let Some(folder) = data("hancock") else { return };
    let site = site("hancock");
    let spec = spec(TaskKind::Binary, "recurrence", Some(3.0), &HANCOCK);
    let made = train(&site, &spec, &folder, &[]).unwrap();
    let mode = Mode::Predict(&made.schema);
    let sources = load(&site, &spec, mode, &folder, &[]);
    let all = assemble(&site, &spec, &sources, mode).unwrap();
    assert_eq!((all.examples.len(), all.examples.outcome()), (648, None));
    assert_eq!(all.schema, made.schema);

    let mut fewer = load(&site, &spec, mode, &folder, &[]);
    fewer = {
        let mut kept = chiasm_cohort::Sources::new();
        for name in ["clinical", "pathological", "icd_codes", "cell_density"] {
            kept.insert_table(name, support::read_table(&folder.join(&site.tables[name].file)));
        }
        drop(fewer);
        kept
    };
    let some = assemble(&site, &spec, &fewer, mode).unwrap();
    assert_eq!(some.flow.present[2], ("blood".to_owned(), 0));
    assert_eq!(some.flow.present[5], ("tissue".to_owned(), 0));
    assert!(some.findings.iter().any(|f| f.place == "blood.csv" && f.message.contains("missing")));
}

#[test]
fn porpoise_counts_agree_for_every_cancer() {
    let Some(folder) = data("porpoise") else { return };
    let site = site("porpoise");
    let mut spec =
        spec(TaskKind::Survival, "overall_survival", None, &["clinical", "rna", "copy_number", "mutations"]);
    spec.folds = Some("published".into());
    spec.subgroups = vec!["sex".into(), "age".into()];
    for (cancer, patients, deaths, rna, cnv, mutations) in [
        ("gbmlgg", 569, 187, 1544, 30, 16),
        ("kirp", 260, 40, 1557, 0, 20),
        ("paad", 166, 90, 1553, 82, 14),
        ("skcm", 230, 89, 1602, 0, 738),
        ("ucec", 480, 75, 0, 5, 1406),
    ] {
        let made = train(&site, &spec, &folder, &[("cancer", cancer)]).unwrap();
        assert_eq!((made.flow.included, made.flow.events), (patients, Some(deaths)), "{cancer}");
        for (name, columns) in [("rna", rna), ("copy_number", cnv), ("mutations", mutations)] {
            let block = made.examples.blocks().iter().find(|b| b.modality.as_str() == name);
            let width = block.map_or(0, |b| match &b.content {
                Content::Table(grid) => grid.features.len(),
                Content::Bag(_) => 0,
            });
            assert_eq!(width, columns, "{cancer} {name}");
            let unavailable = made
                .findings
                .iter()
                .any(|f| f.place.contains(name) && f.message.starts_with("not available"));
            assert_eq!(unavailable, columns == 0, "{cancer} {name}");
        }
        let folds = made.folds.unwrap();
        assert_eq!((folds.len(), folds.iter().max()), (patients, Some(&4)));
    }
}

#[test]
fn a_required_modality_that_a_source_lacks_is_an_error() {
    let Some(folder) = data("porpoise") else { return };
    let mut spec = spec(TaskKind::Survival, "overall_survival", None, &["clinical", "copy_number"]);
    spec.modalities[1].required = true;
    let error = train(&site("porpoise"), &spec, &folder, &[("cancer", "kirp")]).unwrap_err();
    assert!(error.to_string().contains("`copy_number` is required"), "{error}");
}

#[test]
fn transneo_has_the_readmes_labels_and_no_leak() {
    let Some(folder) = data("transneo") else { return };
    let site = site("transneo");
    let mut spec =
        spec(TaskKind::Binary, "complete_response", None, &["clinical", "dna", "rna", "digital_pathology"]);
    spec.subgroups = vec!["er".into(), "her2".into(), "age".into()];
    let made = train(&site, &spec, &folder, &[]).unwrap();
    assert_eq!((made.flow.seen, made.flow.included, made.flow.events), (168, 162, Some(42)));
    let present: Vec<usize> = made.flow.present.iter().map(|(_, n)| *n).collect();
    assert_eq!(present, [162, 162, 156, 160]);
    let Content::Table(dna) = &made.examples.blocks()[1].content else { panic!("dna is a table") };
    let at =
        |name: &str| dna.features.iter().position(|f| f.name == name).unwrap_or_else(|| panic!("{name}"));
    let known = |name: &str| (0..dna.rows()).filter(|&row| dna.get(row, at(name)).is_some()).count();
    assert_eq!((known("coding_mutations"), known("cin"), known("Signature.3")), (161, 160, 157));
    let lost = (0..dna.rows()).filter(|&row| dna.get(row, at("lost_HLA_alleles")).unwrap() > 0.0).count();
    assert_eq!(lost, 29, "29 labelled patients have a row of a lost allele, the others 0");

    // Every column of the README's leak list is refused, by its name and by a pattern.
    let text = std::fs::read_to_string(root().join("sites/transneo/site.toml")).unwrap();
    for leak in [
        "Surgery.type",
        "LVI",
        "Tumour.dimension.surgery.1",
        "Percent.CIS",
        "Number.of.LN.removed",
        "Max.LN.met.size",
        "RCB.score",
        "RCB.category",
        "pCR.RD",
        "RCB*",
    ] {
        let leaky = text.replace("names = [\"Age\"]", &format!("names = [\"Age\", \"{leak}\"]"));
        let error = chiasm_cohort::Site::parse(&leaky).unwrap_err();
        assert!(matches!(error, chiasm_cohort::Error::Leak { .. }), "{leak}: {error}");
    }
}

#[test]
fn gse7390_is_bundled() {
    let spec = spec(TaskKind::Survival, "distant_metastasis", None, &["clinical", "grade", "genes"]);
    let made = train(&site("gse7390"), &spec, &root().join("sites/gse7390/data"), &[]).unwrap();
    assert_eq!((made.flow.included, made.flow.events), (198, Some(51)));
    let present: Vec<usize> = made.flow.present.iter().map(|(_, n)| *n).collect();
    assert_eq!(present, [198, 196, 198]);
    let Outcome::Survival { time, .. } = made.examples.outcome().unwrap() else { panic!("survival") };
    assert!((time.iter().copied().fold(0.0, f64::max) - 9108.0 / 365.25).abs() < 1e-12);
    let strata = made.examples.outcome().unwrap().strata();
    let folds = split::k_fold(made.examples.subjects(), &strata, 5, 1).unwrap();
    for fold in 0..5 {
        let (_, test) = split::rows_of(fold, &folds);
        let events = test.iter().filter(|&&row| strata[row] == 1).count();
        assert!((10..=11).contains(&events) && (39..=40).contains(&test.len()));
    }
}
