//! One MLLP connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::frame::{self, Front};
use super::{Answer, Counts, MllpOptions, Outcome};
use crate::Error;
use crate::inbox::Inbox;

/// Bytes a connection may hold without asking.
const FREE: usize = 64 << 10;
/// How many messages of one connection may wait for the disk at a time.
const AHEAD: usize = 64;
/// How much of a message that is too large is shown to the maker of acknowledgements.
const SHOWN: usize = 4 << 10;
/// How long a closing connection waits for the other side.
const LINGER: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Connection {
    pub inbox: Inbox,
    pub options: Arc<MllpOptions>,
    pub answer: Arc<dyn Answer>,
    pub counts: Arc<Counts>,
    pub memory: Arc<Semaphore>,
    pub stopped: watch::Receiver<bool>,
    /// The other side.
    pub caller: SocketAddr,
}

/// What was received and not yet taken out.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    seen: usize,
    held: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Receives and answers until the other side closes, a limit is broken, or the listener stops.
    pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) {
        let mut received = Received::default();
        let mut deadline = Instant::now() + self.options.idle;
        loop {
            received.bytes.reserve(16 << 10);
            let piece = tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stop| *stop) => break,
                piece = timeout_at(deadline, stream.read_buf(&mut received.bytes)) => piece,
            };
            if !matches!(piece, Ok(Ok(1..))) {
                let unfinished = received.bytes.len();
                match piece {
                    Err(_) if unfinished > 0 => self.say(format_args!(
                        "closed: a message of {unfinished} bytes so far took too long to arrive"
                    )),
                    Err(_) => self.say(format_args!("closed: silent for too long")),
                    _ if unfinished > 0 => {
                        self.say(format_args!("ended within a message, after {unfinished} bytes"));
                    }
                    _ => {}
                }
                break;
            }
            let before = received.bytes.len();
            let Ok(begun) = self.answer_whole(&mut received, &mut stream).await else { break };
            if !begun {
                deadline = Instant::now() + self.options.idle;
            } else if received.bytes.len() < before || deadline > Instant::now() + self.options.message {
                deadline = Instant::now() + self.options.message;
            }
            if let Err(e) = self.within_limits(&mut received) {
                let shown = received.bytes.get(1..).unwrap_or_default();
                let shown = shown.get(..SHOWN).unwrap_or(shown).to_vec();
                let _ = self.answer(&shown, Err(e), &mut stream).await;
                break;
            }
        }
        // What is still on its way is read and dropped: closing on it could take the last answer back.
        let _ = timeout(LINGER, async {
            let _ = stream.shutdown().await;
            let mut dropped = [0; 4096];
            while matches!(stream.read(&mut dropped).await, Ok(1..)) {}
        })
        .await;
    }

    /// Keeps and answers every whole message received; says whether another has begun.
    ///
    /// A sender that does not wait for answers has its messages kept by one sync, and answered in order.
    async fn answer_whole<S: AsyncWrite + Unpin>(
        &self,
        received: &mut Received,
        stream: &mut S,
    ) -> Result<bool, ()> {
        let mut start = 0;
        let begun = loop {
            let mut waiting = Vec::new();
            let begun = loop {
                match frame::front(&received.bytes, start, received.seen) {
                    Front::Message { from, to, next } => {
                        let (tell, told) = oneshot::channel();
                        let message = received.bytes.get(from..to).unwrap_or_default();
                        match self.answer.refusal(message) {
                            Some(reason) => {
                                let _ = tell.send(Err(Error::Unfit { reason }));
                            }
                            // May wait for room in the journal's queue; bounded by one sync of the disk.
                            None => self.inbox.put_message_then(message, move |outcome| {
                                let _ = tell.send(outcome);
                            }),
                        }
                        waiting.push((from..to, told));
                        (start, received.seen) = (next, 0);
                        if waiting.len() == AHEAD {
                            break None;
                        }
                    }
                    Front::Begun { from, seen } => {
                        (start, received.seen) = (from - 1, seen);
                        break Some(true);
                    }
                    Front::Noise => {
                        start = received.bytes.len();
                        break Some(false);
                    }
                }
            };
            for (message, told) in waiting {
                let outcome = told.await.unwrap_or(Err(Error::Closed));
                let message = received.bytes.get(message).unwrap_or_default();
                self.answer(message, outcome, stream).await?;
            }
            if let Some(begun) = begun {
                break begun;
            }
        };
        received.bytes.drain(..start);
        received.seen = received.seen.saturating_sub(start);
        if received.bytes.is_empty() && received.bytes.capacity() > FREE {
            received.bytes = Vec::new();
        }
        Ok(begun)
    }

    async fn answer<S: AsyncWrite + Unpin>(
        &self,
        message: &[u8],
        outcome: Outcome,
        stream: &mut S,
    ) -> Result<(), ()> {
        let count = if outcome.is_ok() { &self.counts.kept } else { &self.counts.refused };
        count.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &outcome {
            self.say(format_args!("a message refused: {error}"));
        }
        let mut text = self.answer.acknowledge(message, &outcome);
        if text.is_empty() {
            return Ok(());
        }
        // It may echo a field of a message that was refused for its control characters.
        for byte in text.iter_mut().filter(|byte| frame::is_forbidden(**byte)) {
            *byte = b'?';
        }
        let framed = frame::wrap(&text).map_err(drop)?;
        let written = timeout(self.options.message, stream.write_all(&framed)).await;
        if matches!(written, Ok(Ok(()))) { Ok(()) } else { Err(()) }
    }

    /// Says something of this connection.
    pub(super) fn say(&self, what: fmt::Arguments<'_>) {
        self.options.log.say(format_args!("hl7: {}: {what}", self.caller));
    }

    /// Holds as much of the shared memory as the unfinished message needs.
    fn within_limits(&self, received: &mut Received) -> Result<(), Error> {
        let what = "an HL7 message";
        if received.bytes.len() > self.options.max_message {
            return Err(Error::TooLarge { what, limit: self.options.max_message as u64 });
        }
        let need = received.bytes.capacity().saturating_sub(FREE);
        let held = received.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if need == 0 {
            received.held = None;
        } else if need > held {
            let more = u32::try_from(need - held).unwrap_or(u32::MAX);
            let more = self.memory.clone().try_acquire_many_owned(more);
            let (what, limit) = ("unfinished HL7 messages", self.options.max_memory as u64);
            let more = more.map_err(|_| Error::Busy { what, limit })?;
            match &mut received.held {
                Some(held) => held.merge(more),
                none => *none = Some(more),
            }
        }
        Ok(())
    }
}
