//! Units: what a source writes, as UCUM, and a value from one unit into another.
//!
//! [`ucum`] reads spellings as laboratories write them (`MG/DL`, `x10^9/L`, `K/uL`, `mm Hg`, `degF`);
//! [`convert`] converts between UCUM units of one dimension, and between mass, substance and charge where a
//! LOINC code says which substance it is (glucose: mg/dL to mmol/L).
//!
//! Two deviations from UCUM keep wrong results out. Amount of substance (`mol`) and charge (`eq`) are
//! dimensions of their own here, where UCUM has them as plain numbers: `10*3/uL` is no `mmol/L`, and a
//! `meq/L` of calcium is half a `mmol/L`. Arbitrary units (`[IU]`) convert into themselves alone,
//! as UCUM demands.
//!
//! # Source
//! The Unified Code for Units of Measure, version 2.1 (ucum.org).

mod analyte;
mod atoms;
mod expression;
mod spelling;

pub use spelling::ucum;

use analyte::Analyte;
use expression::{Dimension, Quantity};

/// Why a value has no equal in another unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// A text is no UCUM unit, or one that is not in the table.
    #[error("expected a UCUM unit, found '{0}'")]
    Unknown(String),
    /// The units measure different things.
    #[error("expected two units of one dimension, found '{from}' and '{to}'")]
    Dimension {
        /// The unit of the value.
        from: String,
        /// The unit that was asked for.
        to: String,
    },
    /// The value has no equal there: it is not finite, or becomes so.
    #[error("expected a finite value in '{to}'")]
    NotFinite {
        /// The unit that was asked for.
        to: String,
    },
}

/// `value` in `from`, said in `to`; both in UCUM.
///
/// `loinc` is the code of what is measured, without its system (`2345-7`). It is needed between mass, substance
/// and charge, and for HbA1c, whose percentage (NGSP) and mmol/mol (IFCC) are not proportional.
///
/// # Errors
/// [`UnitError`] where a unit is unknown or the two do not measure the same.
///
/// # Source
/// HbA1c: the IFCC-NGSP master equation, NGSP = 0.09148 IFCC + 2.152 (Hoelzel et al. 2004, Clin Chem 50:166).
pub fn convert(value: f64, from: &str, to: &str, loinc: Option<&str>) -> Result<f64, UnitError> {
    let parsed = |text: &str| expression::parse(text).ok_or_else(|| UnitError::Unknown(text.to_owned()));
    let (source, target) = (parsed(from)?, parsed(to)?);
    let mismatch = || UnitError::Dimension { from: from.to_owned(), to: to.to_owned() };
    let finite = |v: f64| if v.is_finite() { Ok(v) } else { Err(UnitError::NotFinite { to: to.to_owned() }) };
    if loinc.is_some_and(analyte::is_hba1c) && source.dimension == Dimension::NONE {
        let molar = |text: &str| text.contains("mol");
        match (molar(from), molar(to)) {
            (true, false) => {
                let ifcc = source.to_base(value) * 1e3;
                return finite(target.out_of_base((0.09148 * ifcc + 2.152) / 100.0));
            }
            (false, true) => {
                let ngsp = source.to_base(value) * 100.0;
                return finite(target.out_of_base((ngsp - 2.152) / 0.09148 / 1e3));
            }
            _ => {}
        }
    }
    let factor = if source.dimension == target.dimension {
        1.0
    } else {
        let analyte = loinc.and_then(analyte::of).ok_or_else(mismatch)?;
        between(&source, &target, &analyte).ok_or_else(mismatch)?
    };
    finite(target.out_of_base(source.to_base(value) * factor))
}

/// How the `target`'s base units come out of the `source`'s, where the two differ in one step between mass,
/// substance and charge of the analyte.
fn between(source: &Quantity, target: &Quantity, analyte: &Analyte) -> Option<f64> {
    let [mass, moles, charge] = source.dimension.amount();
    let [other_mass, other_moles, other_charge] = target.dimension.amount();
    if !source.dimension.alike_but_amount(&target.dimension) {
        return None;
    }
    let step = [other_mass - mass, other_moles - moles, other_charge - charge];
    // Base units are gram, mole and equivalent: grams a mole, equivalents a mole.
    let grams = analyte.molar_mass;
    let charges = analyte.charge;
    match step {
        [-1, 1, 0] => Some(1.0 / grams),
        [1, -1, 0] => Some(grams),
        [0, -1, 1] => charges,
        [0, 1, -1] => charges.map(|z| 1.0 / z),
        [-1, 0, 1] => charges.map(|z| z / grams),
        [1, 0, -1] => charges.map(|z| grams / z),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
