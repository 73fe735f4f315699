//! A slow link in front of a server: a bottleneck of a rate with a bounded queue, and a way of a
//! length, both ways.
//!
//! ```text
//! let link = SlowLink::start(sshd.addr(), Link { rate: 8_000, round_trip: Duration::from_secs(1) });
//! let host = link.host(&sshd, "web-1");     // the same host, behind the link
//! link.accepted();                          // connections so far
//! ```
//!
//! Bytes leave the queue as a wire of this rate would take them, packet by packet, and arrive half
//! a round trip later. The handshake of TCP itself cannot be slowed down here; the server hears of
//! a connection half a round trip later.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use logtrail::model::host::HostSpec;

use super::sshd::Sshd;

/// How a link is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// Bytes per second, in each direction.
    pub(crate) rate: u64,
    /// From a byte on an empty link to the answer to it.
    pub(crate) round_trip: Duration,
}

/// What fits a packet.
const PACKET_BYTES: usize = 1448;

/// What waits in front of the bottleneck at most, as in a modem.
const QUEUE_BYTES: usize = 64 << 10;

/// A running link. Takes no more connections when it is dropped.
pub(crate) struct SlowLink {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: SocketAddr,
    link: Link,
    stopped: AtomicBool,
    accepted: AtomicUsize,
    /// Bytes that came out at the console's end.
    delivered: AtomicUsize,
}

impl SlowLink {
    /// A link to this server.
    pub(crate) fn start(to: SocketAddr, link: Link) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("a bound listener");
        let stopped = AtomicBool::new(false);
        let shared = Arc::new(Shared {
            to,
            link,
            stopped,
            accepted: AtomicUsize::new(0),
            delivered: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || serving.serve(&listener));
        Self { addr, shared }
    }

    /// The host of `sshd` behind this link.
    pub(crate) fn host(&self, sshd: &Sshd, name: &str) -> HostSpec {
        let mut host = sshd.host(name);
        let known = sshd.path(&format!("known_hosts_{}", self.addr.port()));
        let line = format!("[127.0.0.1]:{} {}\n", self.addr.port(), sshd.host_key());
        std::fs::write(&known, line).expect("written");
        host.endpoint.port = Some(self.addr.port());
        host.endpoint.known_hosts = vec![known];
        host
    }

    /// Connections that it has taken.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Bytes that came from the server so far.
    pub(crate) fn delivered(&self) -> usize {
        self.shared.delivered.load(Ordering::SeqCst)
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then closes.
        let _ = TcpStream::connect(self.addr);
    }
}

impl Shared {
    fn serve(self: Arc<Self>, listener: &TcpListener) {
        for near in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let Ok(near) = near else { continue };
            self.accepted.fetch_add(1, Ordering::SeqCst);
            let serving = Arc::clone(&self);
            std::thread::spawn(move || serving.carry(&near));
        }
    }

    fn carry(self: Arc<Self>, near: &TcpStream) {
        std::thread::sleep(self.link.round_trip / 2);
        let Ok(far) = TcpStream::connect(self.to) else {
            return;
        };
        let clone = |socket: &TcpStream| socket.try_clone().expect("a socket");
        for (mut from, mut to, is_answer) in [
            (clone(near), clone(&far), false),
            (clone(&far), clone(near), true),
        ] {
            let _ = to.set_nodelay(true);
            let wire = Arc::new(Wire::default());
            let (entering, leaving) = (Arc::clone(&wire), Arc::clone(&self));
            let link = self.link;
            std::thread::spawn(move || entering.enter(&mut from, link));
            std::thread::spawn(move || {
                wire.leave(&mut to, |bytes| {
                    if is_answer {
                        leaving.delivered.fetch_add(bytes, Ordering::SeqCst);
                    }
                });
            });
        }
    }
}

/// One direction of a connection.
#[derive(Default)]
struct Wire {
    state: Mutex<WireState>,
    changed: Condvar,
}

#[derive(Default)]
struct WireState {
    /// Packets with when they have left the bottleneck and when they arrive.
    packets: VecDeque<(Instant, Instant, Vec<u8>)>,
    over: bool,
    broken: bool,
}

impl Wire {
    /// Puts what comes on the wire, while there is room in front of the bottleneck.
    fn enter(&self, from: &mut TcpStream, link: Link) {
        let mut buffer = [0; PACKET_BYTES];
        let mut free = Instant::now();
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            free = free.max(Instant::now()) + Duration::from_secs_f64(n as f64 / link.rate as f64);
            let mut state = self.state.lock().expect("no panic");
            state
                .packets
                .push_back((free, free + link.round_trip / 2, buffer[..n].to_vec()));
            self.changed.notify_all();
            while !state.broken && state.waiting() > QUEUE_BYTES {
                let wait = Duration::from_millis(10);
                state = self.changed.wait_timeout(state, wait).expect("no panic").0;
            }
            if state.broken {
                break;
            }
        }
        self.state.lock().expect("no panic").over = true;
        self.changed.notify_all();
        let _ = from.shutdown(Shutdown::Read);
    }

    /// Delivers what has arrived.
    fn leave(&self, to: &mut TcpStream, count: impl Fn(usize)) {
        while let Some((arrives, packet)) = self.next() {
            std::thread::sleep(arrives.saturating_duration_since(Instant::now()));
            if to.write_all(&packet).is_err() {
                self.state.lock().expect("no panic").broken = true;
                self.changed.notify_all();
                break;
            }
            count(packet.len());
        }
        let _ = to.shutdown(Shutdown::Both);
    }

    fn next(&self) -> Option<(Instant, Vec<u8>)> {
        let mut state = self.state.lock().expect("no panic");
        loop {
            if let Some((_, arrives, packet)) = state.packets.pop_front() {
                self.changed.notify_all();
                return Some((arrives, packet));
            }
            if state.over {
                return None;
            }
            state = self.changed.wait(state).expect("no panic");
        }
    }
}

impl WireState {
    /// Bytes that have not left the bottleneck yet.
    fn waiting(&self) -> usize {
        let now = Instant::now();
        self.packets
            .iter()
            .filter(|(left, ..)| *left > now)
            .map(|(.., packet)| packet.len())
            .sum()
    }
}
