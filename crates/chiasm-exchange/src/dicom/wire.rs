//! PDUs over a socket, with a deadline for each and an ear for the listener's end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, Pdu, write_pdu};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How often a waiting read looks up.
const TICK: Duration = Duration::from_millis(200);
/// How long a closing side waits for the other.
const LINGER: Duration = Duration::from_secs(1);

/// PDU types, PS3.8 section 9.3.
pub(super) mod kind {
    pub const ASSOCIATE_RQ: u8 = 1;
    pub const P_DATA: u8 = 4;
    pub const RELEASE_RQ: u8 = 5;
    pub const ABORT: u8 = 7;
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// Why no PDU came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The connection ended, or broke.
    Closed,
    /// It was silent or slow for too long.
    Late,
    /// The listener ends, and nothing was under way.
    Stopping,
    /// A PDU longer than was agreed.
    TooLong,
}

/// One connection.
pub(super) struct Wire {
    stream: Stream,
    stopping: Arc<AtomicBool>,
    idle: Duration,
    body: Vec<u8>,
}

impl Wire {
    /// Takes a connection; with TLS, shakes hands.
    ///
    /// # Errors
    /// The system's, or a failed handshake.
    pub(super) fn open(
        socket: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        stopping: Arc<AtomicBool>,
        request: Duration,
        idle: Duration,
    ) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(TICK))?;
        socket.set_write_timeout(Some(idle))?;
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(config) => {
                let session = ServerConnection::new(config).map_err(io::Error::other)?;
                let mut stream = Box::new(StreamOwned::new(session, socket));
                shake(&mut stream, Instant::now() + request)?;
                Stream::Tls(stream)
            }
        };
        Ok(Self { stream, stopping, idle, body: Vec::new() })
    }

    /// Waits for a PDU of at most `limit` bytes; `resting` says that nothing is under way.
    pub(super) fn receive(&mut self, limit: u32, wait: Duration, resting: bool) -> Result<u8, Gone> {
        let mut header = [0; 6];
        let mut deadline = Instant::now() + wait;
        let [first, rest @ ..] = &mut header;
        self.fill(std::slice::from_mut(first), deadline, resting)?;
        deadline = deadline.max(Instant::now() + self.idle.min(wait));
        self.fill(rest, deadline, false)?;
        let [kind, _, a, b, c, d] = header;
        let length = u32::from_be_bytes([a, b, c, d]);
        if length > limit {
            return Err(Gone::TooLong);
        }
        let mut body = std::mem::take(&mut self.body);
        body.resize(length as usize, 0);
        let filled = self.fill(&mut body, deadline, false);
        self.body = body;
        filled.map(|()| kind)
    }

    /// The variable field of the PDU received last.
    pub(super) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Gives the memory back for the next PDU.
    pub(super) fn return_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    fn fill(&mut self, mut bytes: &mut [u8], deadline: Instant, resting: bool) -> Result<(), Gone> {
        while !bytes.is_empty() {
            if resting && self.stopping.load(Ordering::SeqCst) {
                return Err(Gone::Stopping);
            }
            self.hurry();
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(bytes),
                Stream::Tls(stream) => stream.read(bytes),
            };
            match read {
                Ok(0) => return Err(Gone::Closed),
                Ok(n) => bytes = bytes.get_mut(n..).unwrap_or_default(),
                Err(e) if is_pause(&e) => {}
                Err(_) => return Err(Gone::Closed),
            }
            if !bytes.is_empty() && Instant::now() >= deadline {
                return Err(Gone::Late);
            }
        }
        Ok(())
    }

    /// Acknowledges segments at once: a sender with Nagle's algorithm holds the data set back until its command
    /// is acknowledged, 40 ms an object otherwise.
    fn hurry(&self) {
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::TcpStreamExt;
            let socket = match &self.stream {
                Stream::Plain(stream) => stream,
                Stream::Tls(stream) => &stream.sock,
            };
            let _ = socket.set_quickack(true);
        }
    }

    /// Sends bytes at once.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.as_mut(),
        };
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|_| Gone::Closed)
    }

    pub(super) fn send_pdu(&mut self, pdu: &Pdu) -> Result<(), Gone> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|_| Gone::Closed)?;
        self.send(&bytes)
    }

    pub(super) fn abort(&mut self, reason: AbortRQServiceProviderReason) {
        let source = AbortRQSource::ServiceProvider(reason);
        let _ = self.send_pdu(&Pdu::AbortRQ { source });
    }

    /// Closes so that what was sent last still arrives.
    pub(super) fn close(mut self) {
        let deadline = Instant::now() + LINGER;
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let socket = match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &mut stream.sock,
        };
        let _ = socket.shutdown(Shutdown::Write);
        let mut dropped = [0; 4096];
        while Instant::now() < deadline {
            match socket.read(&mut dropped) {
                Ok(0) => break,
                Err(e) if !is_pause(&e) => break,
                _ => {}
            }
        }
    }
}

/// Shakes hands step by step, so that one who sends a byte now and then is not waited for without end.
fn shake(stream: &mut StreamOwned<ServerConnection, TcpStream>, deadline: Instant) -> io::Result<()> {
    let StreamOwned { conn, sock } = stream;
    while conn.is_handshaking() {
        if Instant::now() >= deadline {
            return Err(ErrorKind::TimedOut.into());
        }
        if conn.wants_write() {
            conn.write_tls(sock)?;
            continue;
        }
        match conn.read_tls(sock) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {
                if let Err(e) = conn.process_new_packets() {
                    let _ = conn.write_tls(sock); // the alert that says why
                    return Err(io::Error::new(ErrorKind::InvalidData, e));
                }
            }
            Err(e) if is_pause(&e) => {}
            Err(e) => return Err(e),
        }
    }
    while conn.wants_write() {
        conn.write_tls(sock)?;
    }
    Ok(())
}

fn is_pause(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
