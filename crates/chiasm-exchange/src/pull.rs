//! Asking instead of waiting: DICOMweb and FHIR servers, fetched into the inbox.

mod bulk;
mod dicomweb;
mod fhir;
mod http;
mod ledger;
mod login;
mod multipart;

pub use bulk::{Export, Level};
pub use dicomweb::{DicomWeb, StudyQuery};
pub use fhir::{Fhir, Page};
pub use http::{Client, ClientOptions};
pub use ledger::{Bookmark, Ledger};
pub use login::{BackendService, Login, SecretSource};

/// What a pull brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Files kept in the inbox, new ones and ones that were there.
    pub kept: u64,
    /// Of these, the new ones.
    pub new: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that the caller had already and that were not fetched.
    pub had: u64,
    /// Objects or files that the server listed and then could not give.
    pub missing: u64,
}

impl Pulled {
    fn add(&mut self, receipt: &crate::inbox::Receipt) {
        self.kept += 1;
        self.new += u64::from(receipt.new);
        self.bytes += receipt.bytes;
    }
}
