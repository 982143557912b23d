//! How large a hospital is made, from which seed.

use crate::Error;

/// Patients whose images and signals are made unless asked otherwise.
const HEAVY: u64 = 2_000;
/// The most patients: numbers of charts, orders and people are unique up to here.
const MOST: u64 = 1_000_000;

/// How large a hospital is made, from which seed.
///
/// A patient is the same whatever the other numbers are. The heavy evidence is made for the first patients
/// alone, as many as the size says; which of them lack it is the planted missingness.
#[derive(Clone, Debug, PartialEq)]
pub struct HospitalConfig {
    /// Patients, 10 to 1,000,000.
    pub patients: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// Visits per patient on average, 1 to 20.
    pub visits: f64,
    /// Patients who can have DICOM images: about 0.5 MB each.
    pub images: u64,
    /// Patients who can have a slide: about 0.7 MB each.
    pub slides: u64,
    /// Patients who can have a VCF file: about 4 kB each.
    pub genomes: u64,
    /// Patients who can have an ECG and a wearable: about 0.1 MB each.
    pub signals: u64,
    /// Side of a chest film in pixels, 64 to 2,048.
    pub film_side: u16,
    /// Side of a CT image in pixels, 64 to 512.
    pub ct_side: u16,
    /// Images in a CT series, 2 to 128.
    pub ct_images: u16,
    /// Side of a slide in pixels, 512 to 32,768, a multiple of 256.
    pub slide_side: u32,
}

impl HospitalConfig {
    /// That many patients, with the heavy evidence of the first 2,000.
    pub fn new(patients: u64, seed: u64) -> Self {
        Self {
            patients,
            seed,
            visits: 4.0,
            images: HEAVY,
            slides: HEAVY,
            genomes: HEAVY,
            signals: HEAVY,
            film_side: 256,
            ct_side: 128,
            ct_images: 8,
            slide_side: 512,
        }
    }

    /// The same with images, slides, genomes and signals of the first `patients` only.
    #[must_use]
    pub fn heavy(self, patients: u64) -> Self {
        Self { images: patients, slides: patients, genomes: patients, signals: patients, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let impossible = |what, found: String, expected| Err(Error::Impossible { what, found, expected });
        if !(10..=MOST).contains(&self.patients) {
            return impossible("patients", self.patients.to_string(), "10 to 1,000,000");
        }
        if !(1.0..=20.0).contains(&self.visits) {
            return impossible("visits", self.visits.to_string(), "1 to 20");
        }
        if !(64..=2_048).contains(&self.film_side) {
            return impossible("film_side", self.film_side.to_string(), "64 to 2,048");
        }
        if !(64..=512).contains(&self.ct_side) {
            return impossible("ct_side", self.ct_side.to_string(), "64 to 512");
        }
        if !(2..=128).contains(&self.ct_images) {
            return impossible("ct_images", self.ct_images.to_string(), "2 to 128");
        }
        if !(512..=32_768).contains(&self.slide_side) || !self.slide_side.is_multiple_of(256) {
            return impossible("slide_side", self.slide_side.to_string(), "a multiple of 256, 512 to 32,768");
        }
        Ok(())
    }
}
