//! What is measured: rows of work, and the goals that go with them.

/// The key under which system calls per round trip are kept.
pub(crate) const SYSTEM_CALLS: &str = "syscalls_per_rtt";

/// How a row gets its number.
pub(crate) enum Measure {
    /// All three programs print it.
    Printed { key: &'static str, lower_is_better: bool },
    /// strace counts it, in two runs of so many round trips. Only the limit program does not warm up first.
    SystemCalls { few: u64, many: u64 },
}

/// What a row has to reach.
pub(crate) enum Goal {
    /// So many times better than libzmq.
    BetterThanLibzmq(f64),
    /// So near to the raw limit: 0.5 is half as good.
    NearToLimit(f64),
    /// At most so much of the metric itself.
    AtMost(f64),
    /// At most so many CPU seconds per message, as a share of libzmq's.
    CpuShare(f64),
    /// At most so much of something else that ours prints.
    OtherAtMost(&'static str, f64),
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) transport: &'static str,
    pub(crate) size: u64,
    pub(crate) connections: u64,
    /// Whether all processes share one core, which measures the length of the path instead of the scheduler.
    pub(crate) one_core: bool,
    /// The command line of ours and of zbench.
    pub(crate) work: &'static str,
    /// The command line of the limit program, where it has one.
    pub(crate) limit: Option<&'static str>,
    pub(crate) measure: Measure,
    pub(crate) goals: &'static [Goal],
}

impl Row {
    /// The metric's name.
    pub(crate) const fn metric(&self) -> &'static str {
        match self.measure {
            Measure::Printed { key, .. } => key,
            Measure::SystemCalls { .. } => SYSTEM_CALLS,
        }
    }

    /// Whether less of it is better.
    pub(crate) const fn lower_is_better(&self) -> bool {
        match self.measure {
            Measure::Printed { lower_is_better, .. } => lower_is_better,
            Measure::SystemCalls { .. } => true,
        }
    }
}

const ROUND_TRIP: Measure = Measure::Printed { key: "rtt_p50_us", lower_is_better: true };
const RATE: Measure = Measure::Printed { key: "deliveries_s", lower_is_better: false };
const FAN_OUT: Measure = Measure::Printed { key: "fanout_ms_p50", lower_is_better: true };
const REQUESTS: Measure = Measure::Printed { key: "reqs_s", lower_is_better: false };

/// KiB of anonymous memory that an idle connection takes where it was accepted, and where it was made.
pub(crate) const ACCEPTED: &str = "pub_kb_per_conn";
pub(crate) const MADE: &str = "sub_kb_per_conn";

/// Every row, between two processes of one machine, over inproc between two threads.
pub(crate) const ROWS: [Row; 24] = [
    Row {
        name: "reqrep tcp 64 one core",
        one_core: true,
        goals: &[Goal::NearToLimit(1.0 / 1.35)],
        ..round_trip("lat -s 64 -n 10000", "ping -s 64 -n 15000", ROUND_TRIP)
    },
    Row {
        name: "reqrep tcp 64 one core, system calls",
        one_core: true,
        goals: &[Goal::AtMost(8.0)],
        ..round_trip("lat -s 64", "ping -s 64", Measure::SystemCalls { few: 1000, many: 3000 })
    },
    Row {
        name: "reqrep tcp 64",
        goals: &[Goal::BetterThanLibzmq(1.0 / 0.6)],
        ..round_trip("lat -s 64 -n 10000", "ping -s 64 -n 15000", ROUND_TRIP)
    },
    stream("pushpull tcp 16", 16, "thr -s 16 -n 1500000", "stream -s 16 -n 8000000", &[]),
    stream(
        "pushpull tcp 64",
        64,
        "thr -s 64 -n 1500000",
        "stream -s 64 -n 6000000",
        &[Goal::BetterThanLibzmq(2.0), Goal::CpuShare(0.5)],
    ),
    stream("pushpull tcp 256", 256, "thr -s 256 -n 900000", "stream -s 256 -n 3000000", &[]),
    stream(
        "pushpull tcp 1024",
        1024,
        "thr -s 1024 -n 500000",
        "stream -s 1024 -n 1500000",
        &[Goal::BetterThanLibzmq(2.5), Goal::CpuShare(0.5)],
    ),
    stream("pushpull tcp 8192", 8192, "thr -s 8192 -n 100000", "stream -s 8192 -n 250000", &[]),
    stream("pushpull tcp 65536", 65536, "thr -s 65536 -n 20000", "stream -s 65536 -n 30000", &[]),
    fan_in("dealerrouter tcp 64 x 1", 1, "dr -c 1 -n 8000", "mux -c 1 -n 15000", &[]),
    fan_in("dealerrouter tcp 64 x 10", 10, "dr -c 10 -n 40000", "mux -c 10 -n 60000", &[]),
    fan_in("dealerrouter tcp 64 x 100", 100, "dr -c 100 -n 40000", "mux -c 100 -n 60000", &[Goal::BetterThanLibzmq(1.3)]),
    publish("pubsub tcp 64", 1, 64, "thr -p pubsub -s 64 -n 1500000", &[Goal::BetterThanLibzmq(2.0)]),
    publish("pubsub tcp 1024", 1, 1024, "thr -p pubsub -s 1024 -n 500000", &[Goal::BetterThanLibzmq(2.0)]),
    publish("pubsub tcp 64 x 8", 8, 64, "thr -p pubsub -k 8 -s 64 -n 400000", &[Goal::BetterThanLibzmq(2.0)]),
    publish("pubsub tcp 1024 x 8", 8, 1024, "thr -p pubsub -k 8 -s 1024 -n 100000", &[Goal::BetterThanLibzmq(2.0)]),
    publish("pubsub tcp 65536 x 8", 8, 65536, "thr -p pubsub -k 8 -s 65536 -n 4000", &[]),
    Row {
        name: "reqrep ipc 64 one core",
        transport: "ipc",
        one_core: true,
        goals: &[Goal::NearToLimit(1.0 / 1.4)],
        ..round_trip("lat -t ipc -s 64 -n 10000", "ping -t ipc -s 64 -n 15000", ROUND_TRIP)
    },
    Row {
        name: "reqrep inproc 64 one core",
        transport: "inproc",
        one_core: true,
        goals: &[Goal::NearToLimit(1.0 / 1.4)],
        ..round_trip("lat -t inproc -s 64 -n 10000", "wake -m futex -n 15000", ROUND_TRIP)
    },
    Row {
        transport: "ipc",
        ..stream(
            "pushpull ipc 64",
            64,
            "thr -t ipc -s 64 -n 1500000",
            "stream -t ipc -s 64 -n 6000000",
            &[Goal::BetterThanLibzmq(1.5)],
        )
    },
    Row {
        transport: "ipc",
        ..stream(
            "pushpull ipc 1024",
            1024,
            "thr -t ipc -s 1024 -n 500000",
            "stream -t ipc -s 1024 -n 1500000",
            &[Goal::BetterThanLibzmq(3.0)],
        )
    },
    Row {
        transport: "inproc",
        ..stream(
            "pushpull inproc 64",
            64,
            "thr -t inproc -s 64 -n 3000000",
            "ring -s 64 -n 8000000",
            &[Goal::BetterThanLibzmq(1.5)],
        )
    },
    crowd(
        "pubsub tcp 64 x 10000 connections",
        10_000,
        "crowd -c 10000",
        "conns -c 10000",
        &[Goal::NearToLimit(1.0 / 1.5), Goal::OtherAtMost(ACCEPTED, 3.0), Goal::OtherAtMost(MADE, 3.0)],
    ),
    crowd("pubsub tcp 64 x 4900 subscribers", 4_900, "scale -c 4900", "conns -c 4900", &[Goal::OtherAtMost(ACCEPTED, 3.0)]),
];

/// Idle connections by the thousand, of which each descriptor counts.
const fn crowd(
    name: &'static str,
    connections: u64,
    work: &'static str,
    limit: &'static str,
    goals: &'static [Goal],
) -> Row {
    Row { connections, pattern: "XPUB/SUB", measure: FAN_OUT, goals, ..stream(name, 64, work, limit, &[]) }
}

/// A publisher that waits at its mark, and subscribers that count what each of them gets.
const fn publish(name: &'static str, connections: u64, size: u64, work: &'static str, goals: &'static [Goal]) -> Row {
    Row { connections, pattern: "PUB/SUB", limit: None, ..stream(name, size, work, "", goals) }
}

const fn round_trip(work: &'static str, limit: &'static str, measure: Measure) -> Row {
    Row {
        name: "",
        pattern: "REQ/REP",
        transport: "tcp",
        size: 64,
        connections: 1,
        one_core: false,
        work,
        limit: Some(limit),
        measure,
        goals: &[],
    }
}

const fn stream(name: &'static str, size: u64, work: &'static str, limit: &'static str, goals: &'static [Goal]) -> Row {
    Row {
        name,
        pattern: "PUSH/PULL",
        transport: "tcp",
        size,
        connections: 1,
        one_core: false,
        work,
        limit: Some(limit),
        measure: RATE,
        goals,
    }
}

const fn fan_in(
    name: &'static str,
    connections: u64,
    work: &'static str,
    limit: &'static str,
    goals: &'static [Goal],
) -> Row {
    Row {
        name,
        pattern: "DEALER/ROUTER",
        transport: "tcp",
        size: 64,
        connections,
        one_core: false,
        work,
        limit: Some(limit),
        measure: REQUESTS,
        goals,
    }
}
