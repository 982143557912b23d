//! Reports that look like real ones, for tests and for looking at. Every figure is made up.

use chiasm_evaluate::*;
use chiasm_record::TaskKind;
use std::collections::BTreeMap;

const MODALITIES: [(&str, usize, f64); 6] = [
    ("clinical", 560, 0.41),
    ("pathology", 560, 0.63),
    ("blood", 498, 0.22),
    ("icd_codes", 531, 0.17),
    ("cell_density", 402, 0.26),
    ("tissue_images", 447, 0.38),
];
const SINGLE: [f64; 6] = [0.652, 0.689, 0.603, 0.588, 0.611, 0.664];

/// Numbers that look random and are always the same (SplitMix64).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

fn around(estimate: f64, half: f64) -> Measure {
    Measure {
        estimate: round(estimate),
        low: Some(round(estimate - half)),
        high: Some(round(estimate + half)),
    }
}

fn names() -> Vec<String> {
    MODALITIES.iter().map(|m| m.0.to_owned()).collect()
}

fn model(name: &str, kind: ModelKind, modalities: Vec<String>, main: &str, estimate: f64) -> ModelResult {
    let mut metrics: BTreeMap<String, Measure> = [(main.to_owned(), around(estimate, 0.046))].into();
    if main == "auroc" {
        metrics.insert("auprc".into(), around(0.22 + (estimate - 0.5) * 1.3, 0.07));
        metrics.insert("brier".into(), around(0.185 - (estimate - 0.5) * 0.13, 0.012));
    } else {
        metrics.insert("uno_c".into(), around(estimate - 0.012, 0.048));
        metrics.insert("ibs".into(), around(0.19 - (estimate - 0.5) * 0.12, 0.014));
    }
    metrics.insert("calibration_slope".into(), around(0.97, 0.14));
    let fusion = (kind == ModelKind::Fusion).then(|| name.to_owned());
    ModelResult { name: name.into(), kind, modalities, fusion, metrics }
}

fn models(main: &str) -> Vec<ModelResult> {
    let singles = MODALITIES.iter().zip(SINGLE);
    let mut models: Vec<_> =
        singles.map(|(m, e)| model(m.0, ModelKind::Single, vec![m.0.into()], main, e)).collect();
    for (name, estimate) in
        [("stacked", 0.771), ("attention", 0.787), ("cross_attention", 0.764), ("concat", 0.752)]
    {
        models.push(model(name, ModelKind::Fusion, names(), main, estimate));
    }
    models.push(model("nested", ModelKind::Nested, names(), main, 0.783));
    models.push(model("published_forest", ModelKind::Reference, names()[..5].to_vec(), main, 0.762));
    models
}

fn comparison(a: &str, b: &str, metric: &str, difference: f64, half: f64, p: f64, p_holm: f64) -> Comparison {
    Comparison {
        a: a.into(),
        b: b.into(),
        metric: metric.into(),
        difference,
        low: Some(round(difference - half)),
        high: Some(round(difference + half)),
        p: Some(p),
        p_holm: Some(p_holm),
        test: if metric == "auroc" { "DeLong" } else { "paired bootstrap" }.into(),
        decides: b == "pathology" && a == "attention",
    }
}

fn subsets() -> Vec<SubsetResult> {
    (1u32..64)
        .map(|bits| {
            let members: Vec<usize> = (0..6).filter(|m| bits >> m & 1 == 1).collect();
            let best = members.iter().copied().max_by(|&a, &b| SINGLE[a].total_cmp(&SINGLE[b])).unwrap();
            let gain: f64 = members.iter().filter(|&&m| m != best).map(|&m| (SINGLE[m] - 0.5) * 0.21).sum();
            let wobble = f64::from(bits * 37 % 11) * 0.0012 - 0.006;
            SubsetResult {
                modalities: members.iter().map(|&m| MODALITIES[m].0.into()).collect(),
                n: members.iter().map(|&m| MODALITIES[m].1).max().unwrap(),
                metric: Some(around(SINGLE[best] + gain + wobble, 0.045 + 0.002 * f64::from(bits % 5))),
                best_single: Some(MODALITIES[best].0.into()),
                best_single_metric: Measure::point(SINGLE[best]),
            }
        })
        .collect()
}

fn attribution(subjects: usize, scale: &str) -> AttributionSummary {
    let mut dice = Dice(7);
    let shares: Vec<Vec<Option<f64>>> = (0..subjects)
        .map(|_| {
            let severity = dice.normal();
            MODALITIES
                .iter()
                .map(|&(_, n, weight)| {
                    let share = weight * (0.75 * severity + 0.8 * dice.normal());
                    (dice.unit() * 560.0 < n as f64).then(|| round(share))
                })
                .collect()
        })
        .collect();
    let features = [
        vec![("age at diagnosis", 0.19, Some(0.8)), ("smoking status", 0.12, None), ("sex", 0.05, None)],
        vec![
            ("pN stage", 0.31, Some(0.9)),
            ("number of positive lymph nodes", 0.22, Some(0.88)),
            ("perineural invasion", 0.14, Some(0.7)),
            ("resection margin (mm)", 0.11, Some(-0.62)),
            ("grading", 0.06, Some(0.4)),
            ("pT stage", 0.05, Some(0.5)),
            ("keratinisation", 0.02, Some(0.02)),
        ],
        vec![("C-reactive protein (mg/L)", 0.10, Some(0.6)), ("haemoglobin (g/dL)", 0.08, Some(-0.7))],
        vec![("C77.0", 0.08, Some(0.5)), ("F10.2", 0.04, Some(0.3))],
        vec![("CD8 in tumour centre", 0.13, Some(-0.7)), ("CD3 in margin", 0.07, Some(-0.4))],
        vec![],
    ];
    let modalities = MODALITIES
        .iter()
        .zip(features)
        .map(|(&(name, n, weight), features)| ModalitySummary {
            name: name.into(),
            n,
            mean_abs_share: round(weight * 0.87),
            value_of_acquiring: (n < 560).then(|| round(weight * 0.6)),
            features: features
                .into_iter()
                .map(|(name, mean_abs_share, direction)| FeatureShare {
                    name: name.into(),
                    mean_abs_share,
                    direction,
                })
                .collect(),
        })
        .collect();
    let mut interactions = Vec::new();
    for (i, a) in MODALITIES.iter().enumerate() {
        for b in &MODALITIES[i + 1..] {
            let mean_abs = round(a.2 * b.2 * (0.2 + 0.6 * dice.unit()));
            let mean = round(mean_abs * (dice.unit() * 1.6 - 0.8));
            interactions.push(InteractionSummary { a: a.0.into(), b: b.0.into(), mean, mean_abs });
        }
    }
    AttributionSummary { scale: scale.into(), modalities, interactions, shares, sampling_error: None }
}

fn roc(model: &str, auroc: f64) -> RocCurve {
    let power = (1.0 - auroc) / auroc;
    let points = (0..=60)
        .map(|i| f64::from(i) / 60.0)
        .map(|x| RocPoint { false_positive_rate: round(x), true_positive_rate: round(x.powf(power)) });
    RocCurve { model: model.into(), points: points.collect() }
}

fn patterns() -> Vec<Pattern> {
    [
        (63u32, 301usize, 70usize),
        (47, 96, 20),
        (31, 71, 15),
        (15, 30, 8),
        (59, 33, 6),
        (27, 18, 3),
        (3, 11, 2),
    ]
    .into_iter()
    .map(|(bits, n, events)| Pattern {
        modalities: (0..6).filter(|m| bits >> m & 1 == 1).map(|m| MODALITIES[m].0.into()).collect(),
        n,
        events: Some(events),
        metric: (n >= 30).then(|| around(0.72 + n as f64 / 4500.0, 0.9 / (n as f64).sqrt())),
        coverage: Some(0.88 + (n % 7) as f64 * 0.008),
        abstention_rate: Some(0.2 + (n % 5) as f64 * 0.03),
    })
    .collect()
}

fn common(mut r: Report, main: &str) -> Report {
    r.software = "chiasm 0.1.0".into();
    r.fingerprint = "5f0c9a7be2d1c46b8a3e7d90b1f2c3d4e5f60718293a4b5c6d7e8f9001122334".into();
    r.n = 560;
    r.events = Some(124);
    r.metric = main.into();
    r.margin = Some(0.02);
    r.outputs = vec!["recurrence".into()];
    r.modalities = MODALITIES.iter().map(|m| ModalityCount { name: m.0.into(), n: m.1 }).collect();
    r.models = models(main);
    r.selected = "attention".into();
    r.best_single = "pathology".into();
    r.comparisons = vec![
        comparison("attention", "pathology", main, 0.098, 0.041, 0.00006, 0.0003),
        comparison("attention", "clinical", main, 0.135, 0.049, 0.00000007, 0.0000004),
        comparison("stacked", "pathology", main, 0.082, 0.04, 0.0001, 0.0004),
        comparison("attention", "stacked", main, 0.016, 0.021, 0.13, 0.26),
        comparison("concat", "pathology", main, 0.063, 0.047, 0.009, 0.027),
    ];
    r.verdict = Verdict::FusionBetter;
    r.subsets = subsets();
    r.patterns = patterns();
    r.degradation = (0..10)
        .map(|i| {
            let missing = f64::from(i) / 10.0;
            DegradationPoint {
                missing,
                fusion: around(0.787 - 0.13 * missing.powf(1.6), 0.04 + 0.01 * missing),
                best_single: Some(around(0.689 - 0.17 * missing, 0.05)),
            }
        })
        .collect();
    r.conformal = Some(Conformal {
        confidence: 0.9,
        coverage: around(0.907, 0.024),
        abstention_rate: around(0.231, 0.035),
    });
    r.calibration = Some(Calibration {
        intercept: Some(around(0.03, 0.19)),
        slope: Some(around(0.97, 0.14)),
        bins: (0..8u32)
            .map(|i| {
                let predicted = 0.04 + 0.085 * f64::from(i);
                CalibrationBin {
                    predicted,
                    observed: around(
                        predicted + [0.01, -0.02, 0.015, 0.03, -0.02, 0.02, -0.05, 0.03][i as usize],
                        0.05 + 0.012 * f64::from(i),
                    ),
                    n: 70,
                }
            })
            .collect(),
        patterns: patterns()
            .into_iter()
            .filter(|p| p.n >= 30)
            .map(|p| PatternCalibration {
                modalities: p.modalities,
                n: p.n,
                intercept: Some(around(0.01 * (p.n % 9) as f64, 3.4 / (p.n as f64).sqrt())),
                slope: Some(around(1.0 - 0.01 * (p.n % 11) as f64, 2.6 / (p.n as f64).sqrt())),
            })
            .collect(),
    });
    r.thresholds = vec![
        RocThreshold {
            rule: "sensitivity 90 % on tuning data".into(),
            threshold: 0.12,
            sensitivity: Some(around(0.887, 0.056)),
            specificity: Some(around(0.482, 0.047)),
            ppv: Some(around(0.328, 0.051)),
            npv: Some(around(0.938, 0.032)),
        },
        RocThreshold {
            rule: "Youden on tuning data".into(),
            threshold: 0.24,
            sensitivity: Some(around(0.71, 0.08)),
            specificity: Some(around(0.745, 0.041)),
            ppv: Some(around(0.442, 0.068)),
            npv: Some(around(0.9, 0.031)),
        },
    ];
    r.decision_curve = (1..=50)
        .map(|i| {
            let t = f64::from(i) / 100.0;
            let odds = t / (1.0 - t);
            let benefit = |skill: f64| {
                let sens = (1.0 - t * (1.9 - skill)).clamp(0.0, 1.0);
                let fpr = (1.0 - t).powf(3.0 + 3.0 * skill);
                round(0.2214 * sens - 0.7786 * fpr * odds)
            };
            DecisionPoint {
                threshold: t,
                fusion: benefit(0.9),
                best_single: Some(benefit(0.45)),
                treat_all: round(0.2214 - 0.7786 * odds),
            }
        })
        .collect();
    r.subgroups = [
        ("sex", "female", 118, 22, 0.771),
        ("sex", "male", 442, 102, 0.789),
        ("age", "under 60", 231, 47, 0.801),
        ("age", "60 to 74", 254, 59, 0.779),
        ("age", "75 and over", 75, 18, 0.743),
        ("tumour_site", "oropharynx", 246, 44, 0.812),
        ("tumour_site", "larynx", 158, 41, 0.769),
        ("tumour_site", "oral cavity", 129, 34, 0.741),
        ("tumour_site", "hypopharynx", 27, 5, f64::NAN),
    ]
    .into_iter()
    .map(|(partition, part, n, events, estimate)| Subgroup {
        partition: partition.into(),
        part: part.into(),
        n,
        events: Some(events),
        metrics: if estimate.is_nan() {
            BTreeMap::new()
        } else {
            [(main.to_owned(), around(estimate, 0.5 / (events as f64).sqrt()))].into()
        },
    })
    .collect();
    r.data_flow = [
        ("patients in the files", 763, 0, None),
        ("treated with curative intent", 701, 62, Some("palliative or unknown intent")),
        (
            "outcome known by the recipe's rule",
            560,
            141,
            Some("no recurrence, but followed for under 3 years"),
        ),
        ("at least one modality", 560, 0, None),
    ]
    .into_iter()
    .map(|(step, n, dropped, reason): (_, _, _, Option<&str>)| FlowStep {
        step: step.into(),
        n,
        dropped,
        reason: reason.map(Into::into),
    })
    .collect();
    r.findings = vec![
        ReportFinding {
            place: "blood_data.csv".into(),
            message: "patient id in no other table".into(),
            count: 3,
        },
        ReportFinding {
            place: "pathological_data.csv, column infiltration_depth_in_mm".into(),
            message: "value outside the site's plausible range, kept as missing".into(),
            count: 2,
        },
    ];
    r.protocol = Protocol {
        words: vec![
            "Patients were split, never their records: nobody is in training and in testing at once.".into(),
            "Folds were stratified by outcome and grouped by patient.".into(),
            "Imputation, scaling, feature selection and all settings were fitted inside the training folds."
                .into(),
            "In training a random subset of the modalities present was shown at each step.".into(),
        ],
        outer_folds: 5,
        inner_folds: 4,
        repeats: 3,
        seed: 20_260_115,
    };
    r.selection = (0..15)
        .map(|i| FoldSelection {
            repeat: i / 5 + 1,
            fold: i % 5 + 1,
            chosen: if i % 5 == 3 { "stacked" } else { "attention" }.into(),
            best_single: "pathology".into(),
            scores: [("attention", 0.781), ("stacked", 0.774), ("cross_attention", 0.763), ("concat", 0.749)]
                .into_iter()
                .map(|(name, score)| (name.to_owned(), round(score + 0.001 * (i % 4) as f64)))
                .collect(),
        })
        .collect();
    r.configurations_tried = 1_860;
    r.limits = vec![
        "One hospital, head and neck cancers only.".into(),
        "Treatment was not randomised; the prediction is no advice on treatment.".into(),
    ];
    r.verdict_words = verdict_words(&r);
    r
}

/// A yes-or-no question with everything that a report can hold.
pub fn binary(subjects: usize) -> Report {
    let mut r = common(Report::new("hancock-recurrence", TaskKind::Binary), "auroc");
    r.question =
        "Which patients with head and neck cancer have a recurrence within three years of treatment?".into();
    r.intended_use = "Research on tumour boards' follow-up planning, for adults after treatment with curative intent. Not for choosing a treatment.".into();
    r.reproduce = "chiasm run recipes/hancock-recurrence --data DIR --out RUN".into();
    r.roc = r
        .models
        .iter()
        .filter(|m| m.kind != ModelKind::Reference)
        .map(|m| roc(&m.name, m.metrics["auroc"].estimate))
        .collect();
    r.attribution = Some(attribution(subjects, "log-odds"));
    r
}

/// The same as time to an event.
pub fn survival(subjects: usize) -> Report {
    let mut r = common(Report::new("hancock-survival", TaskKind::Survival), "c_index");
    r.question = "How long do patients with head and neck cancer stay free of recurrence?".into();
    r.intended_use = "Research. Not for choosing a treatment.".into();
    r.reproduce = "chiasm run recipes/hancock-survival --data DIR --out RUN".into();
    r.horizon = Some(3.0);
    let groups = [("lowest third", 0.04, 16), ("middle third", 0.1, 37), ("highest third", 0.24, 71)];
    r.kaplan_meier = Some(SurvivalCurves {
        groups: groups
            .into_iter()
            .enumerate()
            .map(|(i, (name, hazard, events))| RiskGroup {
                name: name.into(),
                n: if i == 0 { 186 } else { 187 },
                events,
                points: (1..=events)
                    .map(|k| {
                        let time = (k as f64 / events as f64).powf(1.3) * 7.4;
                        let survival = (-hazard * time).exp();
                        let half = 0.02 + 0.05 * time / 7.4;
                        CurvePoint {
                            time: round(time),
                            survival: round(survival),
                            low: Some(round((survival - half).max(0.0))),
                            high: Some(round((survival + half).min(1.0))),
                        }
                    })
                    .collect(),
                at_risk: (0..=4)
                    .map(|t| AtRisk {
                        time: f64::from(2 * t),
                        n: 187 * (5 - t as usize) / 5 - 9 * i * t as usize / 2,
                    })
                    .collect(),
            })
            .collect(),
    });
    r.attribution = Some(attribution(subjects, "log-risk"));
    r
}
