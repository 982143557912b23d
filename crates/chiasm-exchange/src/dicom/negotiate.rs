//! The answer to an association request, PS3.8 section 9.3.3.

use std::collections::BTreeMap;

use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason, AssociationRJSource,
    AssociationRQ, PresentationContextResult, PresentationContextResultReason, UserVariableItem,
};

use super::DicomOptions;
use super::part10::{IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION};

pub(super) const VERIFICATION: &str = "1.2.840.10008.1.1";
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
/// The arc of the standard's own UIDs.
const STANDARD: &str = "1.2.840.10008.";
/// The arcs of storage SOP classes: images and reports, then those that stand elsewhere (radiotherapy
/// deliveries, protocols, implants, palettes).
const STORAGE: [&str; 9] = [
    "1.2.840.10008.5.1.4.1.1.",
    "1.2.840.10008.5.1.1.27",
    "1.2.840.10008.5.1.1.29",
    "1.2.840.10008.5.1.4.34.",
    "1.2.840.10008.5.1.4.38.1",
    "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",
    "1.2.840.10008.5.1.4.44.1",
    "1.2.840.10008.5.1.4.45.1",
];

/// What one presentation context was agreed to carry.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub class: String,
    pub transfer_syntax: String,
}

/// An association that was agreed.
pub(super) struct Agreed {
    pub answer: AssociationAC,
    pub contexts: BTreeMap<u8, Context>,
    /// The largest PDU that the other side takes; 0 for any.
    pub their_max_pdu: u32,
}

/// Says whether objects of a class are kept.
pub(super) fn is_storage(class: &str, private_classes: bool) -> bool {
    if class.starts_with(STANDARD) {
        STORAGE.iter().any(|arc| class.starts_with(arc))
    } else {
        private_classes && !class.is_empty()
    }
}

/// Agrees to an association, or says why not.
pub(super) fn decide(
    asked: AssociationRQ,
    options: &DicomOptions,
    crowded: bool,
) -> Result<Agreed, AssociationRJ> {
    use AssociationRJResult::{Permanent, Transient};
    use AssociationRJServiceUserReason as User;
    let refuse = |result, source| Err(AssociationRJ { result, source });
    if asked.protocol_version & 1 == 0 {
        let why = AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported;
        return refuse(Permanent, AssociationRJSource::ServiceProviderASCE(why));
    }
    if bare(&asked.application_context_name) != APPLICATION_CONTEXT {
        let why = User::ApplicationContextNameNotSupported;
        return refuse(Permanent, AssociationRJSource::ServiceUser(why));
    }
    if options.ae_title.as_deref().is_some_and(|ours| ours.trim() != bare(&asked.called_ae_title)) {
        return refuse(Permanent, AssociationRJSource::ServiceUser(User::CalledAETitleNotRecognized));
    }
    let calling = bare(&asked.calling_ae_title);
    if !options.calling.is_empty() && !options.calling.iter().any(|known| known.trim() == calling) {
        return refuse(Permanent, AssociationRJSource::ServiceUser(User::CallingAETitleNotRecognized));
    }
    if crowded {
        let why = AssociationRJServiceProviderPresentationReason::LocalLimitExceeded;
        return refuse(Transient, AssociationRJSource::ServiceProviderPresentation(why));
    }
    Ok(agree(asked, options))
}

/// Why an association was rejected, for people.
pub(super) fn words(rejection: &AssociationRJ) -> &'static str {
    use AssociationRJServiceUserReason as User;
    match &rejection.source {
        AssociationRJSource::ServiceUser(User::CalledAETitleNotRecognized) => "it calls another AE title",
        AssociationRJSource::ServiceUser(User::CallingAETitleNotRecognized) => "its AE title is not known",
        AssociationRJSource::ServiceUser(_) => "another application context than DICOM's",
        AssociationRJSource::ServiceProviderASCE(_) => "another version of the protocol",
        AssociationRJSource::ServiceProviderPresentation(_) => "there are too many associations",
    }
}

fn agree(asked: AssociationRQ, options: &DicomOptions) -> Agreed {
    use PresentationContextResultReason as Reason;
    let mut contexts = BTreeMap::new();
    let mut results = Vec::new();
    for proposed in asked.presentation_contexts {
        let class = bare(&proposed.abstract_syntax).to_owned();
        let chosen = if class == VERIFICATION || is_storage(&class, options.private_classes) {
            // In the order of the one who has the objects, so that none has to be transcoded.
            let known = proposed.transfer_syntaxes.iter().map(|syntax| bare(syntax));
            known
                .into_iter()
                .find(|&syntax| TransferSyntaxRegistry.get(syntax).is_some())
                .ok_or(Reason::TransferSyntaxesNotSupported)
        } else {
            Err(Reason::AbstractSyntaxNotSupported)
        };
        let (reason, transfer_syntax) = match chosen {
            Ok(syntax) => {
                contexts.insert(proposed.id, Context { class, transfer_syntax: syntax.to_owned() });
                (Reason::Acceptance, syntax)
            }
            Err(reason) => (reason, IMPLICIT), // not significant, but must be there
        };
        let transfer_syntax = transfer_syntax.to_owned();
        results.push(PresentationContextResult { id: proposed.id, reason, transfer_syntax });
    }
    let their_max_pdu = asked.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    let answer = AssociationAC {
        protocol_version: 1,
        calling_ae_title: asked.calling_ae_title,
        called_ae_title: asked.called_ae_title,
        application_context_name: APPLICATION_CONTEXT.into(),
        presentation_contexts: results,
        user_variables: vec![
            UserVariableItem::MaxLength(options.max_pdu),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.into()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.into()),
        ],
    };
    Agreed { answer, contexts, their_max_pdu: their_max_pdu.unwrap_or(0) }
}

/// A UID or title without its padding.
fn bare(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}
