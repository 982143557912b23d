//! DICOM C-STORE and C-ECHO as provider (SCP).
//!
//! Objects are kept as they were sent, in the transfer syntax in which they came, and answered with success only
//! when they are on disk. C-FIND, C-MOVE, C-GET, storage commitment and asynchronous operations are not offered.

mod association;
mod dimse;
mod head;
mod negotiate;
mod part10;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::inbox::Inbox;
use crate::{Error, Log, Tls};
use association::Association;

pub use dimse::status;

/// The limits and the manners of a DICOM listener.
#[derive(Debug, Clone)]
pub struct DicomOptions {
    /// The AE title that callers must call; `None` answers to any.
    pub ae_title: Option<String>,
    /// The AE titles that may call; empty lets all.
    pub calling: Vec<String>,
    /// Whether SOP classes outside the standard are taken as storage.
    pub private_classes: bool,
    /// The largest PDU, in bytes, from 4,096 to 1,048,576.
    pub max_pdu: u32,
    /// The largest object, in bytes; `None` leaves it to the disk.
    pub max_object: Option<u64>,
    /// How many associations at a time; more are rejected as transient.
    pub max_associations: usize,
    /// How long an association may be silent, and how long one PDU may take.
    pub idle: Duration,
    /// How long a new connection may take to ask for an association.
    pub request: Duration,
    /// TLS, or plain TCP where `None`.
    pub tls: Option<Tls>,
    /// Who was turned away, and why.
    pub log: Log,
}

impl Default for DicomOptions {
    fn default() -> Self {
        Self {
            ae_title: None,
            calling: Vec::new(),
            private_classes: true,
            max_pdu: 131_072,
            max_object: None,
            max_associations: 64,
            idle: Duration::from_secs(60),
            request: Duration::from_secs(10),
            tls: None,
            log: Log::default(),
        }
    }
}

/// What a listener has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DicomTally {
    /// Objects kept and answered with success.
    pub kept: u64,
    /// Objects answered with a failure.
    pub refused: u64,
    /// C-ECHO requests answered.
    pub echoes: u64,
    /// Associations accepted.
    pub associations: u64,
    /// Associations rejected.
    pub rejected: u64,
    /// Associations that ended in any way but a release.
    pub aborted: u64,
    /// Connections open now.
    pub open: usize,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub kept: AtomicU64,
    pub refused: AtomicU64,
    pub echoes: AtomicU64,
    pub associations: AtomicU64,
    pub rejected: AtomicU64,
    pub aborted: AtomicU64,
    pub open: AtomicUsize,
}

/// Connections above the limit that are still told so; more are closed at once.
const TOLD: usize = 16;

/// A running DICOM listener.
pub struct DicomServer {
    address: SocketAddr,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl DicomServer {
    /// Begins to listen. Must be called inside a tokio runtime with time and I/O; every association then runs on
    /// a thread of its own, because its work is waiting for the disk.
    ///
    /// # Errors
    /// [`Error::Tls`] for unusable certificates, [`Error::Disk`] when the socket has no address.
    pub fn start(listener: TcpListener, inbox: Inbox, options: DicomOptions) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(Error::disk("listen"))?;
        let tls = options.tls.as_ref().map(Tls::server_config).transpose()?;
        let counts = Arc::new(Counts::default());
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = watch::channel(false);
        let options = DicomOptions { max_pdu: options.max_pdu.clamp(4096, 1 << 20), ..options };
        let association = Association {
            inbox,
            options: Arc::new(options),
            tls,
            counts: counts.clone(),
            stopping: stopping.clone(),
            crowded: false,
            caller: address,
        };
        let accepting = tokio::spawn(accept(listener, association, stopped));
        Ok(Self { address, counts, stop, stopping, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done so far.
    #[must_use]
    pub fn tally(&self) -> DicomTally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        DicomTally {
            kept: read(&self.counts.kept),
            refused: read(&self.counts.refused),
            echoes: read(&self.counts.echoes),
            associations: read(&self.counts.associations),
            rejected: read(&self.counts.rejected),
            aborted: read(&self.counts.aborted),
            open: self.counts.open.load(Ordering::Relaxed),
        }
    }

    /// Ends: takes no more calls, lets objects under way be finished and answered, aborts idle associations, and
    /// returns when all are closed.
    pub async fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
        while self.counts.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Counts a connection for as long as it lives, even when its thread panics.
struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, association: Association, mut stopped: watch::Receiver<bool>) {
    loop {
        let taken = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            taken = listener.accept() => taken,
        };
        let Ok((stream, caller)) = taken.and_then(|(stream, caller)| Ok((stream.into_std()?, caller))) else {
            // Out of descriptors, most likely: wait for some to come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let counts = &association.counts;
        let open = Open(counts.clone());
        let before = counts.open.fetch_add(1, Ordering::SeqCst);
        let limit = association.options.max_associations;
        if before >= limit + TOLD {
            counts.rejected.fetch_add(1, Ordering::Relaxed);
            let log = &association.options.log;
            log.say(format_args!("dicom: {caller} turned away: {before} connections are open"));
            continue;
        }
        let one = Association { crowded: before >= limit, caller, ..association.clone() };
        let spawned = std::thread::Builder::new().name("dicom".into()).spawn(move || {
            let _open = open;
            one.run(stream);
        });
        if spawned.is_err() {
            counts.rejected.fetch_add(1, Ordering::Relaxed);
        }
    }
}
