//! Several classes, several labels and numbers against scikit-learn 1.9.1 (golden/python.py) and R
//! (golden/binary.R), on pROC's aSAH data.
#![allow(clippy::unwrap_used)]

mod fixture;

use chiasm_evaluate::metrics::{self, survival::regression_concordance};
use fixture::{ASAH, all_close, close, column, flags};

/// Three classes from the WFNS grade (1, 2, above) and probabilities made from S100B and age.
fn classes() -> (Vec<usize>, Vec<f64>) {
    let class = column(ASAH, "wfns").iter().map(|w| w.min(3.0) as usize - 1).collect();
    let row = |(s, a): (f64, f64)| {
        let w = [1.0 / (1.0 + s), 0.8, 0.2 + s + a / 200.0];
        w.map(|v| v / w.iter().sum::<f64>())
    };
    let p = column(ASAH, "s100b").into_iter().zip(column(ASAH, "age")).flat_map(row).collect();
    (class, p)
}

#[test]
fn several_classes() {
    let (c, p) = classes();
    let m = metrics::macro_auroc(&c, &p, 3).unwrap();
    close(m.mean, 0.748693525444);
    let each: Vec<f64> = m.each.into_iter().flatten().collect();
    all_close(&each, &[0.774255024255, 0.61149691358, 0.860328638498]);
    close(metrics::accuracy(&c, &p, 3).unwrap(), 0.53982300885);
    close(metrics::multi_class_log_loss(&c, &p, 3).unwrap(), 1.00139117309);
}

#[test]
fn several_labels() {
    let labels: Vec<Vec<bool>> =
        flags(ASAH, "poor").into_iter().zip(flags(ASAH, "female")).map(|(p, f)| vec![p, f]).collect();
    let scores: Vec<f64> =
        column(ASAH, "s100b").into_iter().zip(column(ASAH, "age")).flat_map(|(s, a)| [s, a]).collect();
    close(metrics::multi_label_auroc(&labels, &scores, 2).unwrap().mean, 0.682166508536);
}

#[test]
fn numbers() {
    let (s, age) = (column(ASAH, "s100b"), column(ASAH, "age"));
    let p: Vec<f64> = s.iter().map(|s| 40.0 + 50.0 * s).collect();
    close(metrics::rmse(&age, &p).unwrap(), 16.9122540273);
    close(metrics::mae(&age, &p).unwrap(), 12.7389380531);
    close(metrics::r2(&age, &p).unwrap(), -0.500086150598);
    close(metrics::spearman(&age, &s).unwrap(), 0.250271258877);
    let c = regression_concordance(&age, &s).unwrap();
    all_close(&[c.c, c.variance().sqrt()], &[0.583667897864, 0.0320019308962]);
}
