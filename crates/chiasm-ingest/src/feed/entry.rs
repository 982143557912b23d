use bytes::Bytes;
use chiasm_linkage::{Identifier, Identity};
use chiasm_record::{AssetId, Event, Finding};
use std::path::PathBuf;

/// What is taken or left as a whole: one message, one resource, one instance, one block of rows.
///
/// The store commits an entry with everything in it or not at all, and an entry whose `key` it has seen
/// changes nothing: a message may be sent twice and a killed run may start again.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What makes two entries the same: the BLAKE3 hash of the content that is taken (for a DICOM
    /// instance, its data set and not the file around it).
    pub key: [u8; 32],
    /// Where in the source: `message 3`, `entry 14`, `rows 1-4096`; empty where the source is one entry.
    pub place: String,
    /// What it is about, by mention.
    pub subjects: Vec<Mention>,
    /// Where it is rows of a table: what makes each row the same as another, one for each of `subjects`. A row that
    /// is there already is left out of it. Empty otherwise.
    pub rows: Vec<[u8; 16]>,
    /// Who is, or is no longer, the same as whom, by the source's own word.
    pub links: Vec<Link>,
    /// Bytes that events point to.
    pub assets: Vec<Asset>,
    /// Doubts that did not stop the reading: rules broken that cost nothing, values left out.
    pub findings: Vec<Finding>,
}

/// One subject that an entry is about, and what it says of it.
#[derive(Clone, Debug)]
pub struct Mention {
    /// The source's name for the subject and what else identifies it; `None` for what is about nobody
    /// (a device's calibration, a hospital's table).
    pub identity: Option<Identity>,
    /// What is said of it.
    pub events: Vec<Event>,
}

/// A source's own word about two of its identifiers (HL7 A40, FHIR Patient.link).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is said.
    pub kind: LinkKind,
    /// The identifier that remains in use.
    pub kept: Identifier,
    /// The other one.
    pub other: Identifier,
}

/// What a source says about two identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Both are one person.
    Same,
    /// An earlier merge was wrong: they are two.
    Different,
}

/// Bytes that belong to events: pixels, a signal, variants, a document.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The BLAKE3 hash of the bytes.
    pub id: AssetId,
    /// The media type: `application/dicom`, `text/plain`.
    pub media_type: String,
    /// The bytes, or the file that holds them.
    pub bytes: AssetBytes,
}

/// Where an asset's bytes are.
#[derive(Clone, Debug)]
pub enum AssetBytes {
    /// Here.
    Memory(Bytes),
    /// In a file that the sink copies; what it copies must have the asset's hash.
    File(PathBuf),
}

impl Asset {
    /// An asset of bytes in memory.
    pub fn memory(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let id = AssetId::new(*blake3::hash(&bytes).as_bytes());
        Self { id, media_type: media_type.into(), bytes: AssetBytes::Memory(bytes) }
    }
}

impl Entry {
    /// An entry about one subject.
    pub fn of(
        key: [u8; 32],
        place: impl Into<String>,
        identity: Option<Identity>,
        events: Vec<Event>,
    ) -> Self {
        Self {
            key,
            place: place.into(),
            subjects: vec![Mention { identity, events }],
            rows: Vec::new(),
            links: Vec::new(),
            assets: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// How many events it has, over all subjects.
    pub fn events(&self) -> usize {
        self.subjects.iter().map(|m| m.events.len()).sum()
    }
}
