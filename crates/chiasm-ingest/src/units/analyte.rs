//! Substances by LOINC code: their molar mass and charge.
//!
//! # Source
//! Molar masses come from the formulas by the abridged standard atomic weights of CIAAW 2021
//! (ciaaw.org/abridged-atomic-weights.htm); which code measures what is in LOINC 2.78. Bilirubin and
//! creatinine are those of the free molecule; urea nitrogen is counted as two nitrogen atoms a urea; haemoglobin is
//! the monomer with one haem, by convention 16,114.5 g/mol (IFCC, Hoelzel et al. 2004).

/// What is needed to go from mass to substance to charge.
pub(super) struct Analyte {
    /// Grams a mole.
    pub(super) molar_mass: f64,
    /// Equivalents a mole, for ions.
    pub(super) charge: Option<f64>,
}

/// The mass of a mole: by formula, or as agreed where a substance is no single molecule.
enum Mass {
    Formula(&'static str),
    Agreed(f64),
}

use Mass::{Agreed, Formula};

struct Row {
    mass: Mass,
    charge: i8,
    loinc: &'static str,
}

const fn row(mass: Mass, charge: i8, loinc: &'static str) -> Row {
    Row { mass, charge, loinc }
}

#[rustfmt::skip]
const ROWS: [Row; 42] = [
    // Glucose; fasting, in blood, urine, cerebrospinal fluid, by meter.
    row(Formula("C6H12O6"), 0, "2345-7 2339-0 2340-8 2341-6 2342-4 2344-0 2350-7 1558-6 14749-6 15074-8 14771-0 76629-5 41653-7 27353-2"),
    row(Formula("C4H7N3O"), 0, "2160-0 38483-4 14682-9 2161-8 14683-7"), // creatinine
    row(Formula("N2"), 0, "3094-0 6299-2 14937-7"), // urea nitrogen: the same moles as urea
    row(Formula("CH4N2O"), 0, "3091-6 22664-7"), // urea
    // Cholesterol: total, HDL, LDL, VLDL, non-HDL.
    row(Formula("C27H46O"), 0, "2093-3 2085-9 2089-1 13457-7 18262-6 13458-5 43396-1 14647-2 14646-4 22748-8 39469-2"),
    row(Formula("C57H104O6"), 0, "2571-8 14927-8"), // triglycerides as triolein
    row(Formula("C33H36N4O6"), 0, "1975-2 1968-7 1971-1 14631-6 14629-0 14630-8"), // bilirubin
    row(Formula("Ca"), 2, "17861-6 2000-8 1995-0 1994-3 17863-2"),
    row(Formula("Mg"), 2, "19123-9 2601-3"),
    row(Formula("P"), 0, "2777-1 14879-1"), // phosphate is counted as phosphorus
    row(Formula("C5H4N4O3"), 0, "3084-1 14933-6"), // urate
    row(Formula("C3H6O3"), 0, "2524-7 14118-4 32693-4 2518-9 2519-7"), // lactate
    row(Formula("Fe"), 0, "2498-4 14798-3 2500-7 14800-7"), // iron and its binding capacity
    row(Formula("Na"), 1, "2951-2 2947-0 2955-3"),
    row(Formula("K"), 1, "2823-3 6298-4 2828-2"),
    row(Formula("Cl"), 1, "2075-0 2069-3 2078-4"),
    row(Formula("CHO3"), 1, "1963-8 1959-6 1960-4 2028-9 2024-8"), // bicarbonate, total CO2
    row(Formula("Li"), 1, "14334-7 3719-2"),
    row(Formula("Cu"), 0, "5631-7"),
    row(Formula("Zn"), 0, "5763-8"),
    row(Formula("Pb"), 0, "5671-3 77307-7"),
    row(Formula("C21H30O5"), 0, "2143-6 14675-3"), // cortisol
    row(Formula("C15H11I4NO4"), 0, "3026-2 14921-1 3024-7 14920-3"), // thyroxine, total and free
    row(Formula("C15H12I3NO4"), 0, "3053-6 14930-2 3051-0 14928-6"), // triiodothyronine, total and free
    row(Formula("C19H28O2"), 0, "2986-8 14913-8"), // testosterone
    row(Formula("C18H24O2"), 0, "2243-4 14715-7"), // oestradiol
    row(Formula("C21H30O2"), 0, "2839-9 14890-8"), // progesterone
    row(Formula("C27H44O2"), 0, "1989-3 62292-8 14635-7"), // 25-hydroxyvitamin D as D3
    row(Formula("C63H88CoN14O14P"), 0, "2132-9 14685-2"), // cyanocobalamin
    row(Formula("C19H19N7O6"), 0, "2284-8 14732-2"), // folate
    row(Formula("C4H9NO2S"), 0, "13965-9"), // homocysteine
    row(Formula("C41H64O14"), 0, "10535-3 14698-5"), // digoxin
    row(Formula("C15H12N2O2"), 0, "3968-5 14877-5"), // phenytoin
    row(Formula("C7H8N4O2"), 0, "4049-3 14915-3"), // theophylline
    row(Formula("C8H16O2"), 0, "4086-5"), // valproate
    row(Formula("C15H12N2O"), 0, "3432-2"), // carbamazepine
    row(Formula("C8H9NO2"), 0, "3298-7"), // paracetamol
    row(Formula("C7H6O3"), 0, "4024-6"), // salicylate
    row(Formula("C2H6O"), 0, "5643-2 5640-8"), // ethanol
    row(Formula("C66H75Cl2N9O24"), 0, "20578-1 4092-3"), // vancomycin
    row(Formula("H3N"), 0, "16362-6 1841-6 22763-7"), // ammonia
    row(Agreed(16_114.5), 0, "718-7 59260-0 20509-6 30350-3"), // haemoglobin
];

/// CIAAW's abridged standard atomic weights of 2021.
const WEIGHTS: [(&str, f64); 18] = [
    ("H", 1.008),
    ("Li", 6.94),
    ("C", 12.011),
    ("N", 14.007),
    ("O", 15.999),
    ("Na", 22.990),
    ("Mg", 24.305),
    ("P", 30.974),
    ("S", 32.06),
    ("Cl", 35.45),
    ("K", 39.098),
    ("Ca", 40.078),
    ("Fe", 55.845),
    ("Co", 58.933),
    ("Cu", 63.546),
    ("Zn", 65.38),
    ("I", 126.90),
    ("Pb", 207.2),
];

/// What a LOINC code measures, where it is in the table.
pub(super) fn of(loinc: &str) -> Option<Analyte> {
    let row = ROWS.iter().find(|row| row.loinc.split(' ').any(|code| code == loinc))?;
    let molar_mass = match row.mass {
        Formula(formula) => molar_mass(formula)?,
        Agreed(mass) => mass,
    };
    let charge = (row.charge != 0).then_some(f64::from(row.charge));
    Some(Analyte { molar_mass, charge })
}

/// Whether a LOINC code measures glycated haemoglobin, by NGSP or by IFCC.
pub(super) fn is_hba1c(loinc: &str) -> bool {
    matches!(loinc, "4548-4" | "17856-6" | "4549-2" | "59261-8" | "71875-9")
}

/// Grams a mole of a formula without brackets.
fn molar_mass(formula: &str) -> Option<f64> {
    let mut rest = formula;
    let mut mass = 0.0;
    while !rest.is_empty() {
        let symbol = rest.len() - rest[1..].trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (element, after) = rest.split_at(symbol);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, after) = after.split_at(digits);
        let weight = WEIGHTS.iter().find(|(name, _)| *name == element)?.1;
        mass += weight * if count.is_empty() { 1.0 } else { count.parse::<f64>().ok()? };
        rest = after;
    }
    Some(mass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_formula_has_a_mass_and_every_code_one_row() {
        let mut codes: Vec<&str> = ROWS.iter().flat_map(|row| row.loinc.split(' ')).collect();
        for code in &codes {
            assert!(of(code).is_some(), "{code}");
        }
        codes.sort_unstable();
        assert!(codes.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn masses_are_those_of_pubchem() {
        // PubChem's computed molecular weights: glucose CID 5793, creatinine 588, cholesterol 5997,
        // bilirubin 5280352, thyroxine 5819, digoxin 2724385, cyanocobalamin 5311498, vancomycin 14969.
        for (loinc, mass) in [
            ("2345-7", 180.16),
            ("2160-0", 113.12),
            ("2093-3", 386.7),
            ("1975-2", 584.7),
            ("3026-2", 776.87),
            ("10535-3", 780.9),
            ("2132-9", 1355.4),
            ("20578-1", 1449.2),
        ] {
            let found = of(loinc).unwrap().molar_mass;
            assert!((found / mass - 1.0).abs() < 1e-3, "{loinc}: {found}");
        }
    }
}
