//! The laboratory's tests and the ward's measurements: codes, units in two systems, and what moves them.

use super::disease::Disease;

/// A test of the laboratory.
#[derive(Debug)]
pub(crate) struct Analyte {
    /// The laboratory's own code.
    pub(crate) local: &'static str,
    pub(crate) display: &'static str,
    /// LOINC and UCUM unit as the EHR has it (mostly SI).
    pub(crate) loinc: &'static str,
    pub(crate) unit: &'static str,
    /// LOINC and unit as the laboratory sends it (conventional); an empty LOINC: the local code alone.
    pub(crate) lab_loinc: &'static str,
    pub(crate) lab_unit: &'static str,
    /// The LOINC that the local code stands for, in the laboratory's unit.
    pub(crate) meaning: &'static str,
    /// EHR's number divided by the laboratory's.
    pub(crate) factor: f64,
    /// In the EHR's unit: mean, standard deviation, reference range.
    pub(crate) mean: f64,
    pub(crate) sd: f64,
    pub(crate) range: (f64, f64),
    /// Standard deviations per unit of burden, inflammation, frailty.
    pub(crate) moved: [f64; 3],
    /// Digits after the point: EHR's, laboratory's.
    pub(crate) digits: (usize, usize),
    /// Drawn on the log scale: mean and sd are those of the logarithm's exponent and factor.
    pub(crate) skewed: bool,
}

macro_rules! analytes {
    ($($local:literal $display:literal $loinc:literal $unit:literal $lab_loinc:literal $lab_unit:literal
       $meaning:literal $factor:literal ($mean:literal $sd:literal $low:literal $high:literal)
       [$b:literal $i:literal $f:literal] $d:literal $e:literal $skewed:literal;)*) => {
        /// Every test that is made.
        pub(crate) static ANALYTES: &[Analyte] = &[$(Analyte {
            local: $local, display: $display, loinc: $loinc, unit: $unit, lab_loinc: $lab_loinc,
            lab_unit: $lab_unit, meaning: $meaning, factor: $factor, mean: $mean, sd: $sd,
            range: ($low, $high), moved: [$b, $i, $f], digits: ($d, $e), skewed: $skewed,
        }),*];
    };
}
analytes! {
    "GLUS" "Glucose" "14749-6" "mmol/L" "2345-7" "mg/dL" "2345-7" 0.05551 (5.6 1.0 3.9 5.6) [0.0 0.2 0.1] 1 0 false;
    "CREA" "Creatinine" "14682-9" "umol/L" "2160-0" "mg/dL" "2160-0" 88.42 (82.0 16.0 59.0 104.0) [0.0 0.1 0.2] 0 2 false;
    "HARN" "Urea nitrogen" "14937-7" "mmol/L" "3094-0" "mg/dL" "3094-0" 0.357 (5.6 1.5 2.9 8.2) [0.0 0.1 0.2] 1 0 false;
    "CHOL" "Cholesterol" "14647-2" "mmol/L" "2093-3" "mg/dL" "2093-3" 0.02586 (5.2 1.0 3.0 5.2) [0.0 -0.2 -0.2] 1 0 false;
    "CA" "Calcium" "2000-8" "mmol/L" "17861-6" "mg/dL" "17861-6" 0.2495 (2.38 0.09 2.2 2.55) [0.3 0.0 -0.1] 2 1 false;
    "BILI" "Bilirubin.total" "14631-6" "umol/L" "1975-2" "mg/dL" "1975-2" 17.1 (9.0 3.5 3.0 21.0) [0.1 0.2 0.0] 0 1 false;
    "CRPQ" "C reactive protein" "1988-5" "mg/L" "" "mg/dL" "1988-5" 10.0 (6.0 2.2 0.0 5.0) [0.1 0.9 0.1] 1 2 true;
    "HB" "Hemoglobin" "59260-0" "mmol/L" "718-7" "g/dL" "718-7" 0.6206 (8.4 0.8 7.4 10.9) [-0.3 -0.2 -0.5] 1 1 false;
    "LEUK" "Leukocytes" "6690-2" "10*9/L" "6690-2" "10*3/uL" "6690-2" 1.0 (7.4 1.7 4.0 10.0) [0.1 0.7 0.0] 1 1 false;
    "THRO" "Platelets" "777-3" "10*9/L" "777-3" "10*3/uL" "777-3" 1.0 (265.0 60.0 150.0 400.0) [0.2 0.4 0.0] 0 0 false;
    "ALB" "Albumin" "1751-7" "g/L" "1751-7" "g/dL" "1751-7" 10.0 (40.0 4.0 35.0 52.0) [-0.1 -0.4 -0.6] 0 1 false;
    "NA" "Sodium" "2951-2" "mmol/L" "2951-2" "mmol/L" "2951-2" 1.0 (139.0 2.6 135.0 145.0) [-0.2 0.0 0.0] 0 0 false;
    "K" "Potassium" "2823-3" "mmol/L" "2823-3" "mmol/L" "2823-3" 1.0 (4.2 0.35 3.5 5.1) [0.0 0.0 0.1] 1 1 false;
    "LDHI" "Lactate dehydrogenase" "14804-9" "U/L" "14804-9" "U/L" "14804-9" 1.0 (195.0 1.25 0.0 250.0) [0.7 0.2 0.0] 0 0 true;
    "CEAX" "Carcinoembryonic Ag" "2039-6" "ug/L" "" "ng/mL" "2039-6" 1.0 (2.4 2.1 0.0 5.0) [0.9 0.0 0.0] 1 1 true;
    "PCTS" "Procalcitonin" "33959-8" "ug/L" "" "ng/mL" "33959-8" 1.0 (0.06 2.3 0.0 0.5) [0.0 0.8 0.0] 2 2 true;
}

impl Analyte {
    /// The value in the EHR's unit for a patient, with `noise` standard normal and a passing flare of
    /// inflammation.
    pub(crate) fn value(&self, disease: &Disease, flare: f64, noise: f64) -> f64 {
        let [b, i, f] = self.moved;
        let moved = b * disease.burden + i * (disease.inflammation + flare) + f * disease.frailty;
        let rest = (1.0 - (b * b + i * i + f * f).min(0.85)).sqrt();
        let z = moved + rest * noise;
        let extra = match self.local {
            "GLUS" if disease.diabetes => 2.8,
            "CREA" if disease.kidney => 4.0,
            "HARN" if disease.kidney => 3.5,
            _ => 0.0,
        };
        let value = if self.skewed { self.mean * self.sd.powf(z) } else { self.mean + self.sd * (z + extra) };
        round(value.max(self.mean * 0.05), self.digits.0)
    }

    /// The number that the laboratory sends for a value in the EHR's unit.
    pub(crate) fn lab_value(&self, value: f64) -> f64 {
        round(value / self.factor, self.digits.1)
    }
}

/// To that many digits after the point.
pub(crate) fn round(value: f64, digits: usize) -> f64 {
    let scale = 10_f64.powi(digits as i32);
    (value * scale).round() / scale
}

/// A measurement of the ward.
#[derive(Debug)]
pub(crate) struct Vital {
    pub(crate) loinc: &'static str,
    pub(crate) display: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) shown: &'static str,
    mean: f64,
    sd: f64,
    moved: [f64; 3],
    digits: usize,
    most: f64,
}

macro_rules! vitals {
    ($($loinc:literal $display:literal $unit:literal $shown:literal $mean:literal $sd:literal
       [$b:literal $i:literal $f:literal] $d:literal $most:literal;)*) => {
        /// What is measured at each visit; the blood pressure's two parts last.
        pub(crate) static VITALS: &[Vital] = &[$(Vital {
            loinc: $loinc, display: $display, unit: $unit, shown: $shown, mean: $mean, sd: $sd,
            moved: [$b, $i, $f], digits: $d, most: $most,
        }),*];
    };
}
vitals! {
    "8867-4" "Heart rate" "/min" "beats/minute" 76.0 12.0 [0.1 0.5 0.2] 0 220.0;
    "9279-1" "Respiratory rate" "/min" "breaths/minute" 16.0 3.0 [0.3 0.4 0.3] 0 60.0;
    "8310-5" "Body temperature" "Cel" "C" 36.8 0.5 [0.0 0.7 0.0] 1 42.0;
    "2708-6" "Oxygen saturation in Arterial blood" "%" "%" 96.0 1.8 [-0.3 -0.3 -0.4] 0 100.0;
    "29463-7" "Body weight" "kg" "kg" 78.0 14.0 [-0.2 0.0 -0.2] 1 250.0;
    "8480-6" "Systolic blood pressure" "mm[Hg]" "mmHg" 132.0 16.0 [0.0 0.0 -0.1] 0 260.0;
    "8462-4" "Diastolic blood pressure" "mm[Hg]" "mmHg" 78.0 10.0 [0.0 0.0 -0.1] 0 150.0;
}

impl Vital {
    pub(crate) fn value(&self, disease: &Disease, flare: f64, noise: f64) -> f64 {
        let [b, i, f] = self.moved;
        let moved = b * disease.burden + i * (disease.inflammation + flare) + f * disease.frailty;
        let rest = (1.0 - (b * b + i * i + f * f).min(0.85)).sqrt();
        round((self.mean + self.sd * (moved + rest * noise)).clamp(self.mean * 0.4, self.most), self.digits)
    }
}
