//! DICOMweb: QIDO-RS to know what there is, WADO-RS to fetch it. PS3.18 sections 10.4 and 10.6.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::Value;

use super::Pulled;
use super::http::{Ask, Client};
use super::login::escape;
use super::multipart::{Parts, boundary};
use crate::Error;
use crate::inbox::{Inbox, Kind, Receipt};

const JSON: &str = "application/dicom+json";
/// As the server has it: nothing is transcoded for us.
const PART10: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
const STUDY: &str = "0020000D";
const SERIES: &str = "0020000E";
const INSTANCE: &str = "00080018";

/// Which studies; what is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudyQuery {
    /// Study dates, as DICOM writes a range: `20260101-20260131`, `20260101-`, or one date.
    pub dates: Option<String>,
    /// Patient ID.
    pub patient: Option<String>,
    /// DICOM's modality, as in `CT`.
    pub modality: Option<String>,
    /// One study, by its instance UID.
    pub study: Option<String>,
}

/// A DICOMweb server.
pub struct DicomWeb {
    client: Client,
    page: usize,
}

impl DicomWeb {
    /// A server whose answers to searches are asked for `page` at a time (100 is usual).
    #[must_use]
    pub fn new(client: Client, page: usize) -> Self {
        Self { client, page: page.max(1) }
    }

    /// The instance UIDs of the studies that match.
    ///
    /// # Errors
    /// [`Error::Remote`], [`Error::Answer`].
    pub fn studies(&self, query: &StudyQuery) -> Result<Vec<String>, Error> {
        let asked = [
            ("StudyDate", &query.dates),
            ("PatientID", &query.patient),
            ("ModalitiesInStudy", &query.modality),
            ("StudyInstanceUID", &query.study),
        ];
        let filters: String = asked
            .iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("&{name}={}", escape(value))))
            .collect();
        let found = self.search("studies", &filters, STUDY)?;
        Ok(found.into_keys().collect())
    }

    /// Fetches into the inbox every instance of the studies that match and that `has` does not know by its UID.
    ///
    /// `kept` hears of each instance when it is on disk, so an interrupted pull resumes where it was: ask again,
    /// with what was heard of in `has`. A study of which nothing is known is fetched by one request, and what
    /// that did not bring by one request each.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::Remote`] and [`Error::Answer`] of a search. An instance that the server lists
    /// and does not give is counted as missing.
    pub fn pull(
        &self,
        query: &StudyQuery,
        inbox: &Inbox,
        has: &dyn Fn(&str) -> bool,
        kept: &mut dyn FnMut(&str, &Receipt),
    ) -> Result<Pulled, Error> {
        let mut pulled = Pulled::default();
        for study in self.studies(query)? {
            let place = format!("studies/{}", escape(&study));
            let all = self.search(&format!("{place}/instances"), "", INSTANCE)?;
            let mut wanted: BTreeSet<String> = all.keys().filter(|uid| !has(uid)).cloned().collect();
            pulled.had += (all.len() - wanted.len()) as u64;
            if wanted.len() == all.len() && wanted.len() > 1 {
                // What fails here is asked for again one by one.
                passing(self.retrieve(&place, inbox, &mut wanted, &mut pulled, kept))?;
            }
            for uid in wanted.clone() {
                let series = all.get(&uid).map(|series| escape(series)).unwrap_or_default();
                let place = format!("{place}/series/{series}/instances/{}", escape(&uid));
                passing(self.retrieve(&place, inbox, &mut wanted, &mut pulled, kept))?;
            }
            pulled.missing += wanted.len() as u64;
        }
        Ok(pulled)
    }

    /// Searches page by page; returns the values of `key`, each with its series where there is one.
    fn search(&self, place: &str, filters: &str, key: &str) -> Result<BTreeMap<String, String>, Error> {
        let mut found = BTreeMap::new();
        let mut offset = 0;
        loop {
            let url = format!("{}/{place}?limit={}&offset={offset}{filters}", self.client.base(), self.page);
            let Some((answer, _)) = self.client.json(Ask::get(&url, JSON))? else { break };
            let wrong = |found: &str| Error::Answer {
                place: "a search's answer",
                found: found.into(),
                expected: "an array of objects, each with its UID",
            };
            let rows = answer.as_array().ok_or_else(|| wrong("no array"))?;
            let before = found.len();
            for row in rows {
                let uid = |tag: &str| row.get(tag)?.get("Value")?.get(0).and_then(Value::as_str);
                let this = uid(key).ok_or_else(|| wrong("a row without its UID"))?;
                found.insert(this.to_owned(), uid(SERIES).unwrap_or_default().to_owned());
            }
            offset += rows.len();
            // A server that does not know `offset` gives the first page for ever.
            if rows.is_empty() || found.len() == before {
                break;
            }
        }
        Ok(found)
    }

    fn retrieve(
        &self,
        place: &str,
        inbox: &Inbox,
        wanted: &mut BTreeSet<String>,
        pulled: &mut Pulled,
        kept: &mut dyn FnMut(&str, &Receipt),
    ) -> Result<(), Error> {
        let url = format!("{}/{place}", self.client.base());
        let answer = self.client.send(Ask::get(&url, PART10))?;
        let wrong = |found: &str| Error::Answer {
            place: "a retrieved object",
            found: found.into(),
            expected: "multipart/related of DICOM Part 10 files",
        };
        let content_type = answer.headers().get("Content-Type").and_then(|t| t.to_str().ok());
        let boundary = content_type.and_then(boundary).ok_or_else(|| wrong("another content type"))?;
        let mut parts = Parts::new(answer.into_body().into_reader(), &boundary);
        let broken = |e: io::Error| self.client.remote(format!("breaks off: {}", e.kind()));
        while parts.next().map_err(broken)? {
            let (mut draft, mut head) = (inbox.draft()?, Vec::new());
            let taken = parts.rest(|piece| {
                let room = HEAD.saturating_sub(head.len()).min(piece.len());
                head.extend_from_slice(piece.get(..room).unwrap_or_default());
                draft.append(piece).map_err(Stop::Inbox)
            });
            match taken {
                Ok(()) => {}
                Err(Stop::Inbox(error)) => return Err(error),
                Err(Stop::Body(error)) => return Err(broken(error)),
            }
            let uid = instance_of(&head).ok_or_else(|| wrong("a part without file meta information"))?;
            if wanted.contains(&uid) {
                let receipt = draft.keep(Kind::Instance)?;
                wanted.remove(&uid);
                pulled.add(&receipt);
                kept(&uid, &receipt);
            }
        }
        Ok(())
    }
}

/// Lets a server's failure pass, not the disk's.
fn passing(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::Remote { .. } | Error::Answer { .. }) => Ok(()),
        other => other,
    }
}

enum Stop {
    Body(io::Error),
    Inbox(Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Body(error)
    }
}

/// How much of a file is looked at for its meta information.
const HEAD: usize = 16 << 10;

/// Media Storage SOP Instance UID, (0002,0003), of a Part 10 file.
fn instance_of(head: &[u8]) -> Option<String> {
    if head.get(128..132)? != b"DICM" {
        return None;
    }
    let mut rest = head.get(132..)?;
    loop {
        let (header, after) = rest.split_at_checked(8)?;
        let [2, 0, element, 0, vr @ .., low, high] = header else { return None };
        let (length, after) = match vr {
            b"OB" | b"UN" | b"UT" => {
                let (long, after) = after.split_at_checked(4)?;
                (u32::from_le_bytes(long.try_into().ok()?) as usize, after)
            }
            _ => (usize::from(u16::from_le_bytes([*low, *high])), after),
        };
        let (value, after) = after.split_at_checked(length)?;
        if *element == 3 {
            let text = std::str::from_utf8(value).ok()?;
            return Some(text.trim_matches(['\0', ' ']).to_owned());
        }
        rest = after;
    }
}
