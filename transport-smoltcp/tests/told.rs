//! Each change of a stream's state is a line of the log.
#![cfg(all(feature = "log", feature = "ip", feature = "ipv6"))]
mod support;

use omnimq_core::{Options, Pull, Push};
use omnimq_smoltcp::{Capacity, Event, Settings};
use std::sync::Mutex;
use support::{Network, Watched};

type Small = Capacity<1, 2, 2, 128, 8, 16, 256, 256>;

/// Keeps lines.
struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("omnimq_smoltcp")
    }
    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }
    fn flush(&self) {}
}

#[test]
fn every_change_of_state_is_a_line() {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let mut net = Network::calm();
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, Options::new(3), Settings::DEFAULT));
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, Options::new(3), Settings::DEFAULT));
    push.socket.connect((net.address(0), 5555)).unwrap();
    let refused = |event: &Event| matches!(event, Event::ConnectFailed(_));
    assert!(until!(net, 10, [0 => pull, 1 => push], push.told(refused) == 1));
    pull.socket.bind(5555).unwrap();
    assert!(until!(net, 10, [0 => pull, 1 => push], pull.ready() == 1 && push.ready() == 1));
    let mut late = Watched::new(net.socket::<_, Small>(1, Push, Options::new(4), Settings::DEFAULT));
    late.socket.connect((net.address(0), 5555)).unwrap();
    assert!(until!(net, 10, [0 => pull, 1 => push, 1 => late], pull.told(|event| matches!(event, Event::Refused(_))) == 1));
    push.socket.close(net.now);
    assert!(until!(net, 10, [0 => pull, 1 => push], pull.told(|event| matches!(event, Event::Closed(_))) == 1));
    let mut told: Vec<String> = [&pull.events, &push.events, &late.events]
        .into_iter()
        .flatten()
        .map(|(at, event)| format!("INFO stream {at}: {event:?}"))
        .collect();
    let mut lines = LINES.0.lock().unwrap().clone();
    assert!(lines.len() > 6, "{lines:?}");
    told.sort();
    lines.sort();
    assert_eq!(lines, told);
}
