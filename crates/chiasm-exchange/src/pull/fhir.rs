//! FHIR R4: a search page by page. <https://hl7.org/fhir/R4/http.html#paging>

use std::collections::BTreeSet;

use serde_json::Value;

use super::Pulled;
use super::http::{Ask, Client};
use super::login::escape;
use crate::Error;
use crate::inbox::{Inbox, Kind, Receipt};

pub(super) const JSON: &str = "application/fhir+json";

/// A FHIR server.
pub struct Fhir {
    pub(super) client: Client,
}

/// One page of a search that is in the inbox.
#[derive(Debug)]
pub struct Page<'a> {
    /// The file that holds it, a Bundle as it came.
    pub receipt: &'a Receipt,
    /// How many resources it has.
    pub resources: usize,
    /// Where the next page is; whoever keeps it can go on there with [`Fhir::resume`].
    pub next: Option<&'a str>,
}

impl Fhir {
    /// A server.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Fetches all pages of a search, as in `Observation?code=718-7`, changed at or after the instant `since`.
    ///
    /// # Errors
    /// [`Error::Remote`], [`Error::Answer`], [`Error::OtherHost`] for a next page elsewhere, [`Error::Disk`].
    pub fn search(
        &self,
        query: &str,
        since: Option<&str>,
        inbox: &Inbox,
        on_page: &mut dyn FnMut(&Page<'_>),
    ) -> Result<Pulled, Error> {
        let mut url = format!("{}/{}", self.client.base(), query.trim_start_matches('/'));
        if let Some(since) = since {
            let mark = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{mark}_lastUpdated=ge{}", escape(since)));
        }
        self.resume(&url, inbox, on_page)
    }

    /// Goes on with a search at the address of one of its pages.
    ///
    /// # Errors
    /// As [`Fhir::search`].
    pub fn resume(
        &self,
        page: &str,
        inbox: &Inbox,
        on_page: &mut dyn FnMut(&Page<'_>),
    ) -> Result<Pulled, Error> {
        let mut pulled = Pulled::default();
        let mut seen = BTreeSet::new();
        let mut next = Some(page.to_owned());
        while let Some(url) = next {
            if !seen.insert(url.clone()) {
                return Err(wrong("a link back to an earlier page", "pages that end"));
            }
            let answer = self.client.json(Ask::get(&url, JSON))?;
            let (bundle, bytes) = answer.ok_or_else(|| wrong("nothing", "a Bundle"))?;
            if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
                return Err(wrong("another resource", "a Bundle"));
            }
            let links = bundle.get("link").and_then(Value::as_array).into_iter().flatten();
            let mut links = links.filter(|link| link.get("relation").and_then(Value::as_str) == Some("next"));
            let link = links.next().and_then(|link| link.get("url")).and_then(Value::as_str);
            next = link.map(|link| self.client.resolve(link)).transpose()?;
            let resources = bundle.get("entry").and_then(Value::as_array).map_or(0, Vec::len);
            let receipt = inbox.put(&bytes, Kind::Json)?;
            pulled.add(&receipt);
            on_page(&Page { receipt: &receipt, resources, next: next.as_deref() });
        }
        Ok(pulled)
    }
}

fn wrong(found: &str, expected: &'static str) -> Error {
    Error::Answer { place: "a page of a search", found: found.into(), expected }
}
