use super::{Checked, Feed, Sink, Source};
use crate::{
    Error, actigraphy, audio, dicom, edf, expression, fhir, hl7, maf, meds, nifti, omop, phenopacket, slide,
    vcf, wfdb,
};

/// Lists the formats once: variant, name in reports, module. The order is that of asking: formats whose
/// first bytes say what they are come before those that are text of a certain shape.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal in $module:ident,)*) => {
        /// The formats in which systems send evidence. Closed, so that the compiler lists every place that a
        /// new one touches.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FeedFormat { $($(#[$doc])* $variant,)* }

        impl FeedFormat {
            /// All of them, in the order in which a file is tried.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether a file that begins with `head` and is called `name` is of this format.
            pub fn recognises(self, head: &[u8], name: &str) -> bool {
                match self { $(Self::$variant => $module::recognises(head, name),)* }
            }

            /// Reads a file.
            ///
            /// # Errors
            /// What makes the whole of it unreadable, and [`Error::Sink`]; parts that break a rule go to
            /// the sink.
            pub fn read(self, source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
                match self { $(Self::$variant => $module::read(source, feed, sink),)* }
            }

            /// Says what is in a file and what is wrong with it.
            ///
            /// # Errors
            /// What makes the whole of it unreadable.
            pub fn check(self, source: &Source) -> Result<Checked, Error> {
                match self { $(Self::$variant => $module::check(source),)* }
            }
        }
    };
}

formats! {
    /// DICOM instances and DICOMDIRs. First: a slide may be a TIFF as well.
    Dicom = "DICOM" in dicom,
    /// NIfTI-1 and -2.
    Nifti = "NIfTI" in nifti,
    /// EDF, EDF+ and BDF.
    Edf = "EDF" in edf,
    /// SVS, pyramidal TIFF, BigTIFF.
    Slide = "slide" in slide,
    /// WAV and FLAC.
    Audio = "audio" in audio,
    /// VCF and BCF.
    Vcf = "VCF" in vcf,
    /// HL7 version 2.
    Hl7 = "HL7" in hl7,
    /// GA4GH Phenopackets, version 2.
    Phenopacket = "Phenopacket" in phenopacket,
    /// Mutation Annotation Format.
    Maf = "MAF" in maf,
    /// OMOP CDM 5.4: CSV and Parquet.
    Omop = "OMOP" in omop,
    /// MEDS 0.4, and any other Parquet, which says at its end what it is.
    Meds = "MEDS" in meds,
    /// Expression by gene and sample: GCT, tables.
    Expression = "expression" in expression,
    /// FHIR R4 JSON and NDJSON.
    Fhir = "FHIR" in fhir,
    /// WFDB records.
    Wfdb = "WFDB" in wfdb,
    /// Activity counts of a wearable, by the minute.
    Actigraphy = "actigraphy" in actigraphy,
}

/// Endings of files that belong to a header of the same name, and the header's ending.
const COMPANIONS: [(&str, &[&str]); 3] = [
    ("hea", &["dat", "atr", "qrs", "ann", "ecg", "mat", "xws", "edr", "ari", "st"]),
    ("hdr", &["img"]),
    ("vcf.gz", &["tbi", "csi"]),
];

impl FeedFormat {
    /// What a file is, by its first bytes (some thousands), and by its name where they leave it open.
    pub fn of(head: &[u8], name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.recognises(head, name))
    }

    /// The files that are there and are read with this one: a header's signals and annotations.
    pub fn companions(self, source: &Source) -> Vec<Source> {
        match self {
            Self::Wfdb => wfdb::companions(source),
            Self::Nifti => nifti::companions(source),
            _ => Vec::new(),
        }
    }

    /// Whether a file belongs to another that is read in its own right: a signal to its header.
    pub fn is_companion(source: &Source) -> bool {
        let Some(name) = source.path().and_then(|p| p.file_name()).and_then(|n| n.to_str()) else {
            return false;
        };
        let Some((stem, ending)) = name.rsplit_once('.') else { return false };
        // A segment of a record may be called after the record with a number: 100_1.dat, 100.hea.
        let stems = [stem, stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['_', '-'])];
        COMPANIONS.iter().any(|(header, endings)| {
            let own = endings.iter().any(|e| ending.eq_ignore_ascii_case(e));
            own && (stems.iter().any(|s| source.sibling(&format!("{s}.{header}")).is_ok())
                || source.sibling(stem).is_ok())
        })
    }
}
