//! Survival statistics against R's survival 3.5-3 (golden/survival.R) and scikit-survival 0.28.0
//! (golden/python.py), on survival's lung data, in days (few ties) and in weeks (many).
#![allow(clippy::unwrap_used)]

mod fixture;

use chiasm_evaluate::compare::{concordance_test, repeated_concordance_test};
use chiasm_evaluate::metrics::repeated::{self, Repeat};
use chiasm_evaluate::metrics::survival::{
    Censoring, Concordance, KaplanMeier, brier_curve, harrell, horizon_calibration, integrated_brier, uno,
};
use fixture::{LUNG, all_close, close, column, flags, interval};

fn lung(unit: &str) -> (Vec<f64>, Vec<bool>) {
    (column(LUNG, unit), flags(LUNG, "died"))
}

#[track_caller]
fn concordance(found: &Concordance, expected: [f64; 5]) {
    let se = found.variance().sqrt();
    all_close(&[found.c, se, found.concordant, found.discordant, found.tied_risk], &expected);
}

#[test]
fn harrells_c() {
    let of = |unit, x| {
        let (t, e) = lung(unit);
        harrell(&t, &e, &column(LUNG, x)).unwrap()
    };
    concordance(&of("day", "age"), [0.55155403333, 0.0254660364326, 10502.0, 8485.0, 575.0]);
    concordance(&of("day", "ecog"), [0.60211123607, 0.0239879228955, 8234.0, 4239.0, 7089.0]);
    concordance(&of("week", "age"), [0.551051359827, 0.0257058963948, 10433.0, 8447.0, 571.0]);
    concordance(&of("week", "ecog"), [0.602693948897, 0.0241542747133, 8194.0, 4199.0, 7058.0]);
}

#[test]
fn unos_c() {
    let of = |unit, x, tau| {
        let (t, e) = lung(unit);
        uno(&t, &e, &column(LUNG, x), tau).unwrap()
    };
    let whole = |unit, x, expected| concordance(&of(unit, x, None), expected);
    whole("day", "age", [0.550233864096, 0.02329223391, 13526.3764946, 10986.3322877, 769.481355632]);
    whole("day", "ecog", [0.58863768628, 0.0217339193164, 10242.007302, 5760.09762616, 9280.0852098]);
    whole("week", "age", [0.550087153206, 0.0235105806148, 13405.8484321, 10895.2578434, 761.114553305]);
    whole("week", "ecog", [0.588953275647, 0.0218997337272, 10158.0973786, 5699.36410318, 9204.75934696]);
    let cut = |unit, x, tau, expected: [f64; 2]| {
        let c = of(unit, x, Some(tau));
        all_close(&[c.c, c.variance().sqrt()], &expected);
    };
    cut("day", "age", 500.0, [0.551397565391, 0.0244385249647]);
    cut("day", "ecog", 500.0, [0.589706681526, 0.0230958014024]);
    cut("week", "age", 71.0, [0.550971284471, 0.0246682226881]);
    cut("week", "ecog", 71.0, [0.589891440512, 0.0232885132326]);
}

#[test]
fn joint_variance_and_paired_test() {
    let check = |unit, [age, male]: [f64; 2], expected: [f64; 7]| {
        let (t, e) = lung(unit);
        let ages = column(LUNG, "age");
        let a: Vec<f64> = ages.iter().zip(&column(LUNG, "male")).map(|(x, m)| age * x + male * m).collect();
        let b = column(LUNG, "ecog");
        let (ca, cb) = (harrell(&t, &e, &a).unwrap(), harrell(&t, &e, &b).unwrap());
        let d = concordance_test(&t, &e, &a, &b).unwrap();
        let found = [ca.c, cb.c, ca.variance(), ca.covariance(&cb), cb.variance(), d.statistic, d.p];
        all_close(&found, &expected);
    };
    check(
        "day",
        [0.0174320859832, 0.498484839943],
        [
            0.601165524997,
            0.60211123607,
            0.000666699129074,
            5.08029527772e-05,
            0.000575420444839,
            -0.0280032363971,
            0.977659569889,
        ],
    );
    check(
        "week",
        [0.0173579055143, 0.498665684521],
        [
            0.600945966788,
            0.602693948897,
            0.000677706175121,
            5.35786203373e-05,
            0.000583428986925,
            -0.0514562619171,
            0.958961953585,
        ],
    );
}

#[test]
fn concordance_by_fold() {
    let (t, e) = lung("day");
    let fold: Vec<usize> = (0..t.len()).map(|i| i % 5).collect();
    let (age, ecog) = (column(LUNG, "age"), column(LUNG, "ecog"));
    let (a, b) = (Repeat { fold: &fold, score: &age }, Repeat { fold: &fold, score: &ecog });
    let c = repeated::concordance(&t, &e, &[a; 2]).unwrap();
    let (mean, se) = (0.570937883002, 0.0261631138797);
    interval(c, [mean, mean - 1.959963984540054 * se, mean + 1.959963984540054 * se]);
    let ecog_alone = repeated::concordance(&t, &e, &[b]).unwrap();
    let d = repeated_concordance_test(&t, &e, &[a; 2], &[b; 2]).unwrap();
    close(d.difference.estimate, mean - ecog_alone.estimate);
}

#[test]
fn kaplan_meier() {
    let check = |unit, at: [f64; 3], s: [f64; 3], se: [f64; 3], low: [f64; 3], high: [f64; 3], n, median| {
        let (t, e) = lung(unit);
        let km = KaplanMeier::fit(&t, &e).unwrap();
        all_close(&at.map(|t| km.at(t)), &s);
        all_close(&at.map(|t| km.standard_error(t)), &se);
        all_close(&at.map(|t| km.estimate(t).low), &low);
        all_close(&at.map(|t| km.estimate(t).high), &high);
        assert_eq!(at.map(|t| km.at_risk(t)), n);
        assert_eq!(km.median(), Some(median));
    };
    check(
        "day",
        [100.0, 365.0, 800.0],
        [0.867189595066, 0.412873657595, 0.0790103792723],
        [0.0225810400004, 0.0360493235791, 0.0248317306113],
        [0.824041979303, 0.34793333284, 0.0426741392299],
        [0.912596460712, 0.489934826723, 0.146286255456],
        [195, 65, 8],
        310.0,
    );
    check(
        "week",
        [14.0, 52.0, 100.0],
        [0.867256637168, 0.413976738264, 0.144113479641],
        [0.0225697113246, 0.0360365735506, 0.030671524513],
        [0.824130036399, 0.349043096498, 0.0949607749968],
        [0.912640046465, 0.490990200188, 0.218708145706],
        [200, 70, 16],
        46.0,
    );
}

#[test]
fn brier_over_time() {
    let check = |unit, times: [f64; 6], per: f64, curve: [f64; 6], integrated: f64| {
        let (t, e) = lung(unit);
        let rate = |ecog: &f64| 0.0015 * (1.0 + 0.5 * ecog) * per;
        let s: Vec<f64> =
            column(LUNG, "ecog").iter().flat_map(|x| times.map(|t| (-rate(x) * t).exp())).collect();
        let g = Censoring::fit(&t, &e).unwrap();
        all_close(&brier_curve(&g, &t, &e, &s, &times).unwrap(), &curve);
        close(integrated_brier(&g, &t, &e, &s, &times).unwrap(), integrated);
    };
    check(
        "day",
        [100.0, 200.0, 300.0, 400.0, 500.0, 600.0],
        1.0,
        [0.117609973154, 0.205186581596, 0.233870795067, 0.230640329298, 0.208739512838, 0.17046255994],
        0.204494697069,
    );
    check(
        "week",
        [14.0, 28.0, 43.0, 57.0, 71.0, 86.0],
        7.0,
        [0.117173138859, 0.203161439645, 0.234607894098, 0.231534680455, 0.209740236834, 0.171059751266],
        0.204632422309,
    );
}

#[test]
fn calibration_at_one_year() {
    let (t, e) = lung("day");
    let rising = |a: &f64| 1.0 / (1.0 + (-((a - 62.0) / 20.0 + 0.3)).exp());
    let risk: Vec<f64> = column(LUNG, "age").iter().map(rising).collect();
    let c = horizon_calibration(&t, &e, &risk, 365.0, 5).unwrap();
    interval(c.observed_over_expected, [1.01768192488, 0.902295154901, 1.14782451685]);
    assert_eq!(c.groups.iter().map(|g| g.n).sum::<usize>(), 226);

    let by_sex: Vec<f64> = column(LUNG, "male").iter().map(|m| 0.5 + 0.2 * m).collect();
    let c = horizon_calibration(&t, &e, &by_sex, 365.0, 2).unwrap();
    assert_eq!(c.groups.iter().map(|g| g.n).collect::<Vec<_>>(), [90, 136]);
    close(c.groups[1].predicted, 0.7);
    interval(c.groups[0].observed, [0.473536969814, 0.342414462098, 0.578513659171]);
    interval(c.groups[1].observed, [0.658969697204, 0.561045752529, 0.735048315183]);
    assert!(horizon_calibration(&t, &e, &risk, 5_000.0, 5).is_err());
}
