//! The journal of HL7 messages: one thread writes, and all who wait share its syncs.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::disk::{Disk, DiskFile};
use super::folder::Folder;
use super::{Receipt, Rotation};
use crate::Error;
use crate::mllp::frame;

/// How many messages may wait, and how many bytes one write takes: bounds on memory.
const WAITING: usize = 1024;
const BATCH: usize = 4 << 20;

type Then = Box<dyn FnOnce(Result<Receipt, Error>) + Send>;

enum Order {
    Keep { framed: Vec<u8>, then: Then },
    Seal(SyncSender<Result<(), Error>>),
}

/// The way to the writing thread, and its end.
pub(super) struct Journal {
    orders: Mutex<Option<SyncSender<Order>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    pub(super) fn start(folder: Folder, lock: File, rotation: Rotation) -> Result<Self, Error> {
        let (orders, taken) = sync_channel(WAITING);
        let disk = folder.disk();
        let next = next_number(folder.path()).map_err(Error::disk("read the journal's folder"))?;
        let writer = Writer { folder, disk, rotation, next, segment: None, _lock: lock };
        let writer = std::thread::Builder::new().name("hl7-journal".into()).spawn(move || writer.run(&taken));
        let writer = writer.map_err(Error::disk("start the journal's thread"))?;
        Ok(Self { orders: Mutex::new(Some(orders)), writer: Mutex::new(Some(writer)) })
    }

    pub(super) fn put(&self, message: &[u8], then: Then) {
        match frame::wrap(message) {
            Err(e) => then(Err(e)),
            Ok(framed) => self.order(Order::Keep { framed, then }),
        }
    }

    pub(super) fn seal(&self) -> Result<(), Error> {
        let (tell, told) = sync_channel(1);
        self.order(Order::Seal(tell));
        told.recv().unwrap_or(Err(Error::Closed))
    }

    fn order(&self, order: Order) {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = match orders {
            Some(orders) => orders.send(order).err().map(|e| e.0),
            None => Some(order),
        };
        if let Some(Order::Keep { then, .. }) = refused {
            then(Err(Error::Closed));
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

/// The thread that writes.
struct Writer {
    folder: Folder,
    disk: Arc<dyn Disk>,
    rotation: Rotation,
    next: u64,
    segment: Option<Segment>,
    _lock: File,
}

struct Segment {
    name: String,
    file: Box<dyn DiskFile>,
    /// Bytes known to be durable.
    good: u64,
    begun: Instant,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let wait = match &self.segment {
                Some(segment) => self.rotation.after.saturating_sub(segment.begun.elapsed()),
                None => Duration::from_secs(3600),
            };
            let order = match orders.recv_timeout(wait) {
                Ok(order) => order,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.seal();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.obey(order, orders);
            let old = self.segment.as_ref().is_some_and(|segment| {
                segment.good >= self.rotation.bytes || segment.begun.elapsed() >= self.rotation.after
            });
            if old {
                let _ = self.seal();
            }
        }
        let _ = self.seal();
    }

    /// Does one order, with all the messages that wait behind it.
    fn obey(&mut self, order: Order, orders: &Receiver<Order>) {
        let (mut bytes, mut waiting, mut seal) = (Vec::new(), Vec::new(), None);
        let mut next = Some(order);
        while let Some(order) = next.take() {
            match order {
                Order::Keep { framed, then } => {
                    waiting.push((framed.len(), then));
                    bytes.extend(framed);
                }
                Order::Seal(tell) => {
                    seal = Some(tell);
                    break;
                }
            }
            if bytes.len() < BATCH {
                next = orders.try_recv().ok();
            }
        }
        if !waiting.is_empty() {
            let outcome = self.commit(&bytes);
            for (length, then) in waiting {
                let bytes = (length - frame::OVERHEAD) as u64;
                then(outcome.clone().map(|name| Receipt { name, bytes, new: true }));
            }
        }
        if let Some(tell) = seal {
            let _ = tell.send(self.seal());
        }
    }

    /// Makes a batch durable and names its segment.
    fn commit(&mut self, bytes: &[u8]) -> Result<String, Error> {
        if self.segment.is_none() {
            self.segment = Some(self.begin()?);
        }
        let Some(segment) = self.segment.as_mut() else { return Err(Error::Closed) };
        let (action, failure, trusted) = match segment.file.append(bytes) {
            Err(e) => ("write messages", e, true),
            Ok(()) => match segment.file.sync() {
                Err(e) => ("make messages durable", e, false),
                Ok(()) => {
                    segment.good += bytes.len() as u64;
                    return Ok(sealed_name(&segment.name));
                }
            },
        };
        // Back to the last durable message. After a failed sync the file is not written to again.
        let cut = segment.file.cut(segment.good);
        if cut.is_err() {
            self.segment = None; // left open on disk: the next start cuts and seals it
        } else if !trusted {
            let _ = self.seal();
        }
        Err(Error::disk(action)(failure))
    }

    fn begin(&mut self) -> Result<Segment, Error> {
        let failed = || Error::disk("begin a segment of the journal");
        let number = self.next;
        self.next += 1;
        note_number(&self.folder, self.disk.as_ref(), number).map_err(failed())?;
        let name = format!("hl7-{number:06}.open");
        let path = self.folder.path().join(&name);
        let file = self.disk.create(&path).map_err(failed())?;
        if let Err(e) = self.folder.sync() {
            drop(file);
            let _ = self.disk.remove(&path);
            return Err(failed()(e));
        }
        Ok(Segment { name, file, good: 0, begun: Instant::now() })
    }

    fn seal(&mut self) -> Result<(), Error> {
        let failed = || Error::disk("seal a segment of the journal");
        let Some(mut segment) = self.segment.take() else { return Ok(()) };
        let path = self.folder.path().join(&segment.name);
        if segment.good == 0 {
            return self.disk.remove(&path).map_err(failed());
        }
        segment.file.sync().map_err(failed())?;
        drop(segment.file);
        self.disk.rename(&path, &path.with_extension("mllp")).map_err(failed())?;
        self.folder.sync().map_err(failed())
    }
}

fn sealed_name(open: &str) -> String {
    open.replace(".open", ".mllp")
}

/// The file whose name holds the highest number given so far: a number is never given twice, even when all
/// segments are read in and gone, so a ledger that goes by names cannot take a new segment for an old one.
const NOTE: &str = "last-";

fn note_number(folder: &Folder, disk: &dyn Disk, number: u64) -> io::Result<()> {
    let path = folder.path().join(format!("{NOTE}{number:06}"));
    drop(disk.create(&path)?);
    if let Some(before) = number.checked_sub(1) {
        let _ = disk.remove(&folder.path().join(format!("{NOTE}{before:06}")));
    }
    Ok(())
}

fn next_number(journal: &Path) -> io::Result<u64> {
    let mut next = 1;
    for entry in fs::read_dir(journal)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        let digits = name.strip_prefix("hl7-").or(name.strip_prefix(NOTE)).unwrap_or_default();
        let digits = digits.split('.').next().unwrap_or_default();
        if let Ok(number) = digits.parse::<u64>() {
            next = next.max(number.saturating_add(1));
        }
    }
    Ok(next)
}
