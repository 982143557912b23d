//! Binary metrics against pROC 1.18.0, rms 6.5-0 and base R (golden/binary.R) and scikit-learn 1.9.1
//! (golden/python.py), on pROC's aSAH data.
#![allow(clippy::unwrap_used)]

mod fixture;

use chiasm_evaluate::compare::{delong_test, holm, nadeau_bengio, repeated_auroc_test};
use chiasm_evaluate::metrics::repeated::{self, Repeat};
use chiasm_evaluate::metrics::{self, Confusion, Delong, wilson};
use fixture::{ASAH, all_close, close, column, flags, interval};

fn poor() -> Vec<bool> {
    flags(ASAH, "poor")
}

fn score(name: &str) -> Vec<f64> {
    column(ASAH, name)
}

/// The predictions of golden/binary.R: a logistic model, its logits squeezed and shifted.
fn probability() -> Vec<f64> {
    let logit = |s: f64, a: f64| -2.82450857414 + 4.6621346635 * s + 0.0216240329608 * a;
    let squeezed = |(s, a): (&f64, &f64)| 1.0 / (1.0 + (-(0.7 * logit(*s, *a) + 0.2)).exp());
    score("s100b").iter().zip(&score("age")).map(squeezed).collect()
}

#[test]
fn areas_and_delong_intervals() {
    let of = |name| Delong::fit(&poor(), &score(name)).unwrap();
    interval(of("wfns").estimate(), [0.823678861789, 0.748534887819, 0.898822835758]);
    interval(of("s100b").estimate(), [0.731368563686, 0.630118211762, 0.83261891561]);
    interval(of("ndka").estimate(), [0.61195799458, 0.501244999272, 0.722670989888]);
    close(of("s100b").variance(), 0.00266868245717);
    close(of("wfns").covariance(&of("s100b")), 0.00119615567377);
    close(metrics::auroc(&poor(), &score("wfns")).unwrap(), 0.823678861789);
}

#[test]
fn paired_delong() {
    let check = |a, b, expected: [f64; 4]| {
        let d = delong_test(&poor(), &score(a), &score(b)).unwrap();
        all_close(&[d.statistic, d.p, d.difference.low, d.difference.high], &expected);
    };
    check("wfns", "s100b", [2.20898359144, 0.0271757822292, 0.0104061769565, 0.174214419249]);
    check("s100b", "ndka", [1.39077002574, 0.164295175223, -0.0488706064228, 0.287691744634]);
    check("wfns", "ndka", [2.79777591869, 0.00514557970691, 0.063401170934, 0.360040563483]);
}

#[test]
fn one_repeat_is_the_plain_test() {
    let fold: Vec<usize> = (0..113).map(|i| i % 5).collect();
    let (w, s) = (score("wfns"), score("s100b"));
    let (a, b) = (Repeat { fold: &fold, score: &w }, Repeat { fold: &fold, score: &s });
    let d = repeated_auroc_test(&poor(), &[a; 3], &[b; 3]).unwrap();
    all_close(&[d.statistic, d.p], &[2.20898359144, 0.0271757822292]);
    let e = repeated::auroc(&poor(), &[b; 3]).unwrap();
    interval(e, [0.731368563686, 0.630118211762, 0.83261891561]);
}

#[test]
fn average_precision() {
    let of = |name| metrics::auprc(&poor(), &score(name)).unwrap();
    all_close(&[of("wfns"), of("s100b"), of("ndka")], &[0.680336637117, 0.685620923172, 0.486248722622]);
}

#[test]
fn youden() {
    close(metrics::youden_threshold(&poor(), &score("s100b")).unwrap(), 0.205);
    close(metrics::youden_threshold(&poor(), &score("ndka")).unwrap(), 11.08);
}

#[test]
fn a_locked_threshold() {
    let c = Confusion::at(&poor(), &score("s100b"), 0.22).unwrap();
    let counts = [c.true_positives, c.false_positives, c.true_negatives, c.false_negatives];
    assert_eq!(counts, [26, 14, 58, 15]);
    interval(c.sensitivity().unwrap(), [0.634146341463, 0.481207010879, 0.764101689803]);
    interval(c.specificity().unwrap(), [0.805555555556, 0.699672410541, 0.880485206205]);
    interval(c.ppv().unwrap(), [0.65, 0.495058808373, 0.778654711268]);
    interval(c.npv().unwrap(), [0.794520547945, 0.688263469849, 0.87133027889]);
}

#[test]
fn wilson_at_the_ends() {
    interval(wilson(0, 10).unwrap(), [0.0, 0.0, 0.277532799863]);
    interval(wilson(10, 10).unwrap(), [1.0, 0.722467200137, 1.0]);
    interval(wilson(1, 7).unwrap(), [0.142857142857, 0.0256796243447, 0.513127829274]);
    assert!(wilson(0, 0).is_err() && wilson(3, 2).is_err());
}

#[test]
fn val_prob() {
    let (y, p) = (poor(), probability());
    let r = metrics::recalibration(&y, &p).unwrap();
    interval(r.intercept, [-0.285714285714, -0.744416489601, 0.172987918173]);
    interval(r.slope, [1.42857142857, 0.772284205132, 2.08485865201]);
    let large = metrics::calibration_in_the_large(&y, &p).unwrap();
    interval(large, [-0.376353972815, -0.788633991414, 0.0359260457843]);
    close(metrics::auroc(&y, &p).unwrap(), 0.746443089431);
    close(metrics::brier(&y, &p).unwrap(), 0.189373862786);
    close(metrics::log_loss(&y, &p).unwrap(), 0.562007682378);
}

#[test]
fn net_benefit() {
    let nb = metrics::net_benefit(&poor(), &probability(), &[0.1, 0.2, 0.35, 0.5]).unwrap();
    let (acting, all): (Vec<f64>, Vec<f64>) =
        nb.iter().map(|n| (n.acting_on_prediction, n.treat_all)).unzip();
    all_close(&acting, &[0.29203539823, 0.203539823009, 0.113002042206, 0.106194690265]);
    all_close(&all, &[0.29203539823, 0.203539823009, 0.0197413206263, -0.274336283186]);
}

#[test]
fn calibration_groups_hold_everybody() {
    let (y, p) = (poor(), probability());
    let curve = metrics::calibration_curve(&y, &p, 10).unwrap();
    assert_eq!(curve.iter().map(|g| g.n).sum::<usize>(), 113);
    assert!(curve.iter().all(|g| (10..=13).contains(&g.n)), "{curve:?}");
    assert!(curve.windows(2).all(|w| w[0].predicted < w[1].predicted));
    let hits: f64 = curve.iter().map(|g| g.observed.estimate * g.n as f64).sum();
    close(hits, 41.0);
    assert!((0.0..0.2).contains(&metrics::calibration_error(&y, &p, 10).unwrap()));
}

#[test]
fn holm_as_p_adjust() {
    let p = holm(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.04]).unwrap();
    all_close(&p, &[0.05, 0.12, 0.12, 0.03, 0.5, 0.12]);
    assert!(holm(&[f64::NAN]).is_err() && holm(&[1.5]).is_err());
    assert_eq!(holm(&[]), Ok(vec![]));
}

#[test]
fn nadeau_bengio_as_written_out_in_r() {
    let d = [0.02, 0.05, -0.01, 0.03, 0.04, 0.06, -0.02, 0.01, 0.03, 0.02];
    let t = nadeau_bengio(&d, 0.25).unwrap();
    interval(t.difference, [0.023, -0.0104131155218, 0.0564131155218]);
    all_close(&[t.standard_error, t.statistic, t.p], &[0.0147704660274, 1.55716142993, 0.153858424476]);
}
