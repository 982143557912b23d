//! HL7 v2 over MLLP: receive, keep, and only then acknowledge.

mod connection;
pub(crate) mod frame;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use frame::wrap;

use crate::inbox::{Inbox, Receipt};
use crate::{Error, Log, Tls};
use connection::Connection;

/// What became of a message; the acknowledgement says so.
pub type Outcome = Result<Receipt, Error>;

/// How messages are answered. HL7 is parsed elsewhere; this crate only knows frames.
pub trait Answer: Send + Sync + 'static {
    /// Why a message is not taken, or `None`; asked before it is kept.
    fn refusal(&self, message: &[u8]) -> Option<&'static str>;
    /// The acknowledgement's text, without a frame, for a message and what became of it; empty for none. A
    /// message that was too large is given as its first bytes.
    fn acknowledge(&self, message: &[u8], outcome: &Outcome) -> Vec<u8>;
}

/// Takes every message, and answers with what the function makes.
impl<F: Fn(&[u8], &Outcome) -> Vec<u8> + Send + Sync + 'static> Answer for F {
    fn refusal(&self, _message: &[u8]) -> Option<&'static str> {
        None
    }

    fn acknowledge(&self, message: &[u8], outcome: &Outcome) -> Vec<u8> {
        self(message, outcome)
    }
}

/// The limits of an MLLP listener.
#[derive(Debug, Clone)]
pub struct MllpOptions {
    /// The largest message, in bytes.
    pub max_message: usize,
    /// How many bytes of unfinished messages all connections together may hold beyond 64 KiB each.
    pub max_memory: usize,
    /// How many connections at a time; one more is closed at once.
    pub max_connections: usize,
    /// How long a connection may be silent between messages.
    pub idle: Duration,
    /// How long one message may take to arrive, and its acknowledgement to leave.
    pub message: Duration,
    /// TLS, or plain TCP where `None`.
    pub tls: Option<Tls>,
    /// Who was turned away, and why.
    pub log: Log,
}

impl Default for MllpOptions {
    fn default() -> Self {
        Self {
            // The reader's limit is 32 MiB, and the last piece may go beyond ours.
            max_message: 31 << 20,
            max_memory: 128 << 20,
            max_connections: 256,
            idle: Duration::from_secs(600),
            message: Duration::from_secs(60),
            tls: None,
            log: Log::default(),
        }
    }
}

/// What a listener has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MllpTally {
    /// Messages kept and acknowledged.
    pub kept: u64,
    /// Messages answered with an error.
    pub refused: u64,
    /// Connections taken.
    pub connections: u64,
    /// Connections turned away because there were too many.
    pub turned_away: u64,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub kept: AtomicU64,
    pub refused: AtomicU64,
    connections: AtomicU64,
    turned_away: AtomicU64,
}

/// A running MLLP listener.
pub struct MllpServer {
    address: SocketAddr,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl MllpServer {
    /// Begins to listen. Must be called inside a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// [`Error::Tls`] for unusable certificates, [`Error::Disk`] when the socket has no address.
    pub fn start(
        listener: TcpListener,
        inbox: Inbox,
        options: MllpOptions,
        answer: impl Answer,
    ) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(Error::disk("listen"))?;
        let tls = options.tls.as_ref().map(Tls::server_config).transpose()?.map(TlsAcceptor::from);
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let memory = Arc::new(Semaphore::new(options.max_memory.min(Semaphore::MAX_PERMITS)));
        let connection = Connection {
            inbox,
            options: options.into(),
            answer: Arc::new(answer),
            counts: counts.clone(),
            memory,
            stopped,
            caller: address,
        };
        let accepting = tokio::spawn(accept(listener, connection, tls));
        Ok(Self { address, counts, stop, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done so far.
    #[must_use]
    pub fn tally(&self) -> MllpTally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        MllpTally {
            kept: read(&self.counts.kept),
            refused: read(&self.counts.refused),
            connections: read(&self.counts.connections),
            turned_away: read(&self.counts.turned_away),
        }
    }

    /// Answers what was kept, closes every connection and ends. A message half received is not answered, so its
    /// sender sends it again.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, connection: Connection, tls: Option<TlsAcceptor>) {
    let mut stopped = connection.stopped.clone();
    let mut open = JoinSet::new();
    loop {
        let taken = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = open.join_next() => continue,
            taken = listener.accept() => taken,
        };
        let Ok((stream, caller)) = taken else {
            // Out of descriptors, most likely: wait for some to come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if open.len() >= connection.options.max_connections {
            connection.counts.turned_away.fetch_add(1, Ordering::Relaxed);
            let most = connection.options.max_connections;
            connection
                .options
                .log
                .say(format_args!("hl7: {caller} turned away: {most} connections are open"));
            continue;
        }
        connection.counts.connections.fetch_add(1, Ordering::Relaxed);
        open.spawn(serve(stream, Connection { caller, ..connection.clone() }, tls.clone()));
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, connection: Connection, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => connection.run(stream).await,
        Some(tls) => {
            let shaken = tokio::time::timeout(connection.options.message, tls.accept(stream)).await;
            match shaken {
                Ok(Ok(stream)) => connection.run(stream).await,
                Ok(Err(e)) => connection.say(format_args!("no TLS: {e}")),
                Err(_) => connection.say(format_args!("no TLS in time")),
            }
        }
    }
}
