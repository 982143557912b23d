//! One association, from its request to its end.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dicom_ul::pdu::{AbortRQServiceProviderReason as Reason, MAXIMUM_PDU_SIZE, Pdu, read_pdu};
use rustls::ServerConfig;

use super::dimse::{Command, field, status};
use super::negotiate::{self, Context};
use super::wire::{Gone, Wire, kind};
use super::{Counts, DicomOptions, head, part10};
use crate::Error;
use crate::inbox::{Draft, Inbox, Kind};

/// The largest association request, and the largest command: what a peer may make us hold.
const MAX_REQUEST: u32 = 1 << 20;
const MAX_COMMAND: usize = 64 << 10;

/// All that an association needs.
#[derive(Clone)]
pub(super) struct Association {
    pub inbox: Inbox,
    pub options: Arc<DicomOptions>,
    pub tls: Option<Arc<ServerConfig>>,
    pub counts: Arc<Counts>,
    pub stopping: Arc<AtomicBool>,
    /// Whether there are too many, so that this one is rejected.
    pub crowded: bool,
    /// The other side.
    pub caller: SocketAddr,
}

/// What is under way.
enum Doing {
    Nothing,
    Command { context: u8, bytes: Vec<u8> },
    Object(Box<Incoming>),
}

/// A data set on its way.
struct Incoming {
    command: Command,
    context: u8,
    draft: Option<Draft>,
    head: Vec<u8>,
    transfer_syntax: String,
    bytes: u64,
    /// The failure that is answered when all of it has come.
    failure: Option<u16>,
}

/// How an association ended.
enum End {
    Released,
    /// The other side ended it, and how.
    Aborted(&'static str),
    /// We abort, for a reason.
    Abort(Reason, &'static str),
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => End::Aborted("the connection ended without a release"),
            Gone::Late => End::Aborted("nothing came in time"),
            Gone::Stopping => End::Abort(Reason::ReasonNotSpecified, "the listener ends"),
            Gone::TooLong => End::Abort(Reason::InvalidPduParameter, "a PDU longer than agreed"),
        }
    }
}

impl Association {
    /// Serves a connection to its end.
    pub(super) fn run(self, socket: TcpStream) {
        let options = self.options.clone();
        let wire = Wire::open(socket, self.tls.clone(), self.stopping.clone(), options.request, options.idle);
        let mut wire = match wire {
            Ok(wire) => wire,
            Err(e) => {
                self.count(&self.counts.aborted);
                return self.say(format_args!("no TLS: {e}"));
            }
        };
        let end = self.converse(&mut wire).err();
        if !matches!(end, Some(End::Released)) {
            self.count(&self.counts.aborted);
        }
        match end {
            Some(End::Aborted(how)) => self.say(format_args!("{how}")),
            Some(End::Abort(reason, why)) => {
                self.say(format_args!("aborted: {why}"));
                wire.abort(reason);
                wire.close();
            }
            _ => wire.close(),
        }
    }

    fn say(&self, what: fmt::Arguments<'_>) {
        self.options.log.say(format_args!("dicom: {}: {what}", self.caller));
    }

    fn count(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Never returns `Ok`: every association ends.
    fn converse(&self, wire: &mut Wire) -> Result<(), End> {
        let (contexts, their_max_pdu) = self.begin(wire)?;
        let mut doing = Doing::Nothing;
        loop {
            let resting = matches!(doing, Doing::Nothing);
            match wire.receive(self.options.max_pdu, self.options.idle, resting)? {
                kind::P_DATA => {
                    let body = wire.take_body();
                    for value in Values(&body) {
                        let value = value
                            .ok_or(End::Abort(Reason::InvalidPduParameter, "a value longer than its PDU"))?;
                        doing = self.take(doing, &value, &contexts, their_max_pdu, wire)?;
                    }
                    wire.return_body(body);
                }
                kind::RELEASE_RQ => {
                    wire.send_pdu(&Pdu::ReleaseRP)?;
                    return Err(End::Released);
                }
                kind::ABORT => return Err(End::Aborted("aborted by the caller")),
                1..=7 => return Err(End::Abort(Reason::UnexpectedPdu, "a PDU out of turn")),
                _ => return Err(End::Abort(Reason::UnrecognizedPdu, "a PDU of no known type")),
            }
        }
    }

    fn begin(&self, wire: &mut Wire) -> Result<(BTreeMap<u8, Context>, u32), End> {
        if wire.receive(MAX_REQUEST, self.options.request, true)? != kind::ASSOCIATE_RQ {
            return Err(End::Abort(Reason::UnexpectedPdu, "a PDU before an association"));
        }
        let body = wire.take_body();
        let mut pdu = vec![kind::ASSOCIATE_RQ, 0];
        pdu.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
        pdu.extend(&body);
        let Ok(Some(Pdu::AssociationRQ(asked))) = read_pdu(&pdu[..], MAXIMUM_PDU_SIZE, true) else {
            return Err(End::Abort(Reason::InvalidPduParameter, "a request for an association that is none"));
        };
        match negotiate::decide(asked, &self.options, self.crowded) {
            Ok(agreed) => {
                self.count(&self.counts.associations);
                wire.send_pdu(&Pdu::AssociationAC(agreed.answer))?;
                Ok((agreed.contexts, agreed.their_max_pdu))
            }
            Err(rejection) => {
                self.count(&self.counts.rejected);
                self.say(format_args!("rejected: {}", negotiate::words(&rejection)));
                wire.send_pdu(&Pdu::AssociationRJ(rejection))?;
                Err(End::Released)
            }
        }
    }

    /// Takes one presentation data value.
    fn take(
        &self,
        doing: Doing,
        value: &Value<'_>,
        contexts: &BTreeMap<u8, Context>,
        their_max_pdu: u32,
        wire: &mut Wire,
    ) -> Result<Doing, End> {
        let unexpected = Err(End::Abort(Reason::UnexpectedPduParameter, "a value out of turn"));
        let Some(context) = contexts.get(&value.context) else { return unexpected };
        match (doing, value.is_command) {
            (Doing::Nothing, true) => self.take_command(Vec::new(), value, context, their_max_pdu, wire),
            (Doing::Command { context: id, bytes }, true) if id == value.context => {
                self.take_command(bytes, value, context, their_max_pdu, wire)
            }
            (Doing::Object(mut object), false) if object.context == value.context => {
                object.take(value.data, self.options.max_object);
                if !value.is_last {
                    return Ok(Doing::Object(object));
                }
                let (command, status) = object.finish();
                if status == status::SUCCESS {
                    self.count(&self.counts.kept);
                } else {
                    self.refuse(status);
                }
                respond(wire, value.context, &command, status, their_max_pdu)?;
                Ok(Doing::Nothing)
            }
            _ => unexpected,
        }
    }

    fn take_command(
        &self,
        mut bytes: Vec<u8>,
        value: &Value<'_>,
        context: &Context,
        their_max_pdu: u32,
        wire: &mut Wire,
    ) -> Result<Doing, End> {
        bytes.extend(value.data);
        if bytes.len() > MAX_COMMAND {
            return Err(End::Abort(Reason::InvalidPduParameter, "a command longer than 64 KiB"));
        }
        if !value.is_last {
            return Ok(Doing::Command { context: value.context, bytes });
        }
        let Some(command) = Command::read(&bytes) else {
            return Err(End::Abort(Reason::InvalidPduParameter, "a command that is none"));
        };
        let status = match command.field {
            field::CANCEL_RQ => return Ok(Doing::Nothing),
            field::ECHO_RQ => {
                self.count(&self.counts.echoes);
                status::SUCCESS
            }
            field::STORE_RQ if command.class != context.class => status::SOP_CLASS_NOT_SUPPORTED,
            field::STORE_RQ if !negotiate::is_storage(&command.class, self.options.private_classes) => {
                status::SOP_CLASS_NOT_SUPPORTED
            }
            field::STORE_RQ if command.instance.is_empty() || !command.has_data => status::CANNOT_UNDERSTAND,
            field::STORE_RQ => status::SUCCESS,
            _ => status::UNRECOGNIZED_OPERATION,
        };
        if !command.has_data {
            if command.field == field::STORE_RQ {
                self.refuse(status);
            }
            respond(wire, value.context, &command, status, their_max_pdu)?;
            return Ok(Doing::Nothing);
        }
        // A data set follows; where it will not be kept it is read to its end and then answered.
        let failure = (status != status::SUCCESS || command.field != field::STORE_RQ).then_some(status);
        let draft = if failure.is_none() { Some(self.draft(&command, context)) } else { None };
        let failure = failure.or(draft.as_ref().and_then(|draft| draft.as_ref().err().copied()));
        Ok(Doing::Object(Box::new(Incoming {
            command,
            context: value.context,
            draft: draft.and_then(Result::ok),
            head: Vec::new(),
            transfer_syntax: context.transfer_syntax.clone(),
            bytes: 0,
            failure,
        })))
    }

    fn refuse(&self, status: u16) {
        self.count(&self.counts.refused);
        self.say(format_args!("an object refused: {status:04X}, {}", status::words(status)));
    }

    fn draft(&self, command: &Command, context: &Context) -> Result<Draft, u16> {
        let header = part10::header(&command.class, &command.instance, &context.transfer_syntax);
        let begun = self.inbox.draft().and_then(|mut draft| draft.append(&header).map(|()| draft));
        begun.map_err(|_| status::OUT_OF_RESOURCES)
    }
}

impl Incoming {
    fn take(&mut self, data: &[u8], max_object: Option<u64>) {
        self.bytes += data.len() as u64;
        if self.failure.is_none() && max_object.is_some_and(|most| self.bytes > most) {
            self.fail(status::OUT_OF_RESOURCES);
        }
        let room = head::LOOKED_AT.saturating_sub(self.head.len()).min(data.len());
        self.head.extend(data.get(..room).unwrap_or_default());
        if let Some(draft) = &mut self.draft
            && draft.append(data).is_err()
        {
            self.fail(status::OUT_OF_RESOURCES);
        }
    }

    fn fail(&mut self, status: u16) {
        self.failure = Some(status);
        self.draft = None;
    }

    /// Makes the object durable where nothing speaks against it.
    fn finish(self) -> (Command, u16) {
        let Incoming { command, draft: Some(draft), failure: None, .. } = self else {
            return (self.command, self.failure.unwrap_or(status::OUT_OF_RESOURCES));
        };
        let status = match head::look(&self.head, &self.transfer_syntax) {
            None => status::CANNOT_UNDERSTAND,
            Some(head) => {
                let same =
                    |said: &Option<String>, asked: &str| said.as_deref().is_none_or(|uid| uid == asked);
                let missing = head.class.is_none() || head.instance.is_none();
                if !same(&head.class, &command.class) || !same(&head.instance, &command.instance) {
                    status::DATA_SET_DIFFERS
                } else if missing && !head.unsure {
                    status::CANNOT_UNDERSTAND
                } else {
                    match draft.keep(Kind::Instance) {
                        Ok(_) => status::SUCCESS,
                        Err(Error::Disk { .. }) => status::OUT_OF_RESOURCES,
                        Err(_) => status::CANNOT_UNDERSTAND,
                    }
                }
            }
        };
        (command, status)
    }
}

fn respond(wire: &mut Wire, context: u8, command: &Command, status: u16, max_pdu: u32) -> Result<(), End> {
    let response = command.response(status);
    let most = if max_pdu == 0 { usize::MAX } else { (max_pdu as usize).saturating_sub(6).max(64) };
    let mut bytes = Vec::with_capacity(response.len() + 12);
    let mut pieces = response.chunks(most).peekable();
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() { 2 } else { 0 };
        let length = u32::try_from(piece.len()).unwrap_or(u32::MAX - 6);
        bytes.extend([kind::P_DATA, 0]);
        bytes.extend((length + 6).to_be_bytes());
        bytes.extend((length + 2).to_be_bytes());
        bytes.extend([context, 1 | last]);
        bytes.extend(piece);
    }
    Ok(wire.send(&bytes)?)
}

/// One presentation data value, PS3.8 section 9.3.5.1.
struct Value<'a> {
    context: u8,
    is_command: bool,
    is_last: bool,
    data: &'a [u8],
}

/// The values of a P-DATA-TF; `None` where one is cut.
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = Option<Value<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let [a, b, c, d, rest @ ..] = bytes else { return Some(None) };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(([context, control, data @ ..], rest)) = rest.split_at_checked(length) else {
            return Some(None);
        };
        self.0 = rest;
        Some(Some(Value { context: *context, is_command: control & 1 == 1, is_last: control & 2 == 2, data }))
    }
}
