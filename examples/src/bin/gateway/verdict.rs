//! What came of it: the figures, the bounds, and which of them are broken.

use std::time::Duration;

use crate::account::{Account, Evenness};
use crate::company::Travels;
use crate::plan::{self, Way};

/// Everything that was counted and measured.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) account: Account,
    /// Orders that the gateway told its clients it has taken.
    pub(crate) asked: u64,
    pub(crate) way: Way,
    pub(crate) evenness: Option<Evenness>,
    pub(crate) join_ms: Option<f64>,
    pub(crate) travels: Travels,
    /// Servers whose last published score is not what their journal says.
    pub(crate) misreported: Vec<String>,
    pub(crate) msgs_per_s_1kb: f64,
    pub(crate) elapsed: Duration,
}

impl Figures {
    /// The last line of the demo.
    pub(crate) fn line(&self) -> String {
        let Account { sent, received, lost, duplicates, in_flight_at_kill, .. } = self.account;
        let evenness = self.evenness.map_or(f64::NAN, |evenness| evenness.ratio);
        let (join_ms, rate) = (self.join_ms.unwrap_or(f64::NAN), self.msgs_per_s_1kb);
        format!(
            "demo: sent={sent} received={received} lost={lost} duplicates={duplicates} \
             in_flight_at_kill={in_flight_at_kill} evenness={evenness:.4} join_ms={join_ms:.1} msgs_per_s_1kb={rate:.0}"
        )
    }

    /// A sentence for each bound that does not hold.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut broken = self.broken_account();
        match self.evenness {
            None => broken.push("evenness cannot be told: a server got nothing".into()),
            Some(Evenness { least, .. }) if least < plan::EVENNESS_SAMPLE => {
                broken.push(format!("evenness cannot be told from {least} messages, {} are needed", plan::EVENNESS_SAMPLE));
            }
            Some(Evenness { ratio, .. }) if ratio > plan::EVENNESS => {
                broken.push(format!("evenness {ratio:.4} is over {}", plan::EVENNESS));
            }
            Some(_) => {}
        }
        match self.join_ms {
            None => broken.push("a server never had a first message".into()),
            Some(ms) if ms > plan::JOIN_MS => broken.push(format!("joining took {ms:.1} ms, over {} ms", plan::JOIN_MS)),
            Some(_) => {}
        }
        let Travels { handed, hosted, wrong, idle } = self.travels;
        if wrong > 0 {
            broken.push(format!("{wrong} hand-overs between servers were wrong"));
        }
        if idle > 0 || hosted == 0 || handed == 0 {
            broken.push(format!("{idle} servers handed nobody over, of {handed} sent and {hosted} taken in"));
        }
        for name in &self.misreported {
            broken.push(format!("the scoreboard and the journal of {name} differ"));
        }
        if self.elapsed > plan::WHOLE {
            broken.push(format!("it took {:.1} s, over {:.0} s", self.elapsed.as_secs_f64(), plan::WHOLE.as_secs_f64()));
        }
        broken
    }

    fn broken_account(&self) -> Vec<String> {
        let Account { sent, lost, duplicates, in_flight_at_kill, strays, disorder, .. } = self.account;
        let mut broken = Vec::new();
        if sent != self.asked || sent == 0 {
            broken.push(format!("clients were told of {} orders, {sent} were sent", self.asked));
        }
        for (count, what) in [
            (lost, "messages were lost"),
            (duplicates, "messages arrived more than once"),
            (strays, "messages arrived where they were not sent"),
            (disorder, "messages arrived before an earlier one"),
        ] {
            if count > 0 {
                broken.push(format!("{count} {what}"));
            }
        }
        let bound = self.way.messages();
        if in_flight_at_kill > bound {
            broken.push(format!("{in_flight_at_kill} were in flight at the kill, over {bound} = {}", self.way));
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Figures {
        Figures {
            account: Account { sent: 100, received: 90, in_flight_at_kill: 10, ..Account::default() },
            asked: 100,
            way: Way::measure().unwrap(),
            evenness: Some(Evenness { ratio: 1.01, least: 500 }),
            join_ms: Some(50.0),
            travels: Travels { handed: 5, hosted: 6, wrong: 0, idle: 0 },
            misreported: Vec::new(),
            msgs_per_s_1kb: 1_234_567.8,
            elapsed: Duration::from_secs(12),
        }
    }

    #[test]
    fn the_last_line_has_its_form() {
        let line = "demo: sent=100 received=90 lost=0 duplicates=0 in_flight_at_kill=10 evenness=1.0100 join_ms=50.0 \
                    msgs_per_s_1kb=1234568";
        assert_eq!(good().line(), line);
        assert_eq!(good().broken(), [""; 0]);
    }

    #[test]
    fn each_broken_bound_is_told_alone() {
        type Break = fn(&mut Figures);
        let table: [(Break, &str); 17] = [
            (|it| it.asked = 99, "clients were told of 99 orders, 100 were sent"),
            (|it| it.account.lost = 2, "2 messages were lost"),
            (|it| it.account.duplicates = 3, "3 messages arrived more than once"),
            (|it| it.account.strays = 4, "4 messages arrived where they were not sent"),
            (|it| it.account.disorder = 5, "5 messages arrived before an earlier one"),
            (|it| it.account.in_flight_at_kill = it.way.messages() + 1, "were in flight at the kill, over"),
            (|it| it.evenness = None, "evenness cannot be told: a server got nothing"),
            (|it| it.evenness = Some(Evenness { ratio: 1.0, least: 499 }), "evenness cannot be told from 499 messages"),
            (|it| it.evenness = Some(Evenness { ratio: 1.0101, least: 900 }), "evenness 1.0101 is over 1.01"),
            (|it| it.join_ms = None, "a server never had a first message"),
            (|it| it.join_ms = Some(50.1), "joining took 50.1 ms, over 50 ms"),
            (|it| it.travels.wrong = 1, "1 hand-overs between servers were wrong"),
            (|it| it.travels.idle = 7, "7 servers handed nobody over"),
            (|it| it.travels.hosted = 0, "of 5 sent and 0 taken in"),
            (|it| it.misreported.push("server-01.1".into()), "the scoreboard and the journal of server-01.1 differ"),
            (|it| it.elapsed = Duration::from_millis(30_100), "it took 30.1 s, over 30 s"),
            (|it| (it.account, it.asked) = (Account::default(), 0), "clients were told of 0 orders, 0 were sent"),
        ];
        for (spoil, sentence) in table {
            let mut figures = good();
            spoil(&mut figures);
            let broken = figures.broken();
            assert_eq!(broken.len(), 1, "{broken:?}");
            assert!(broken[0].contains(sentence), "{broken:?}, not {sentence}");
        }
    }

    #[test]
    fn what_may_be_under_way_follows_the_options() {
        let marks = plan::feed_options();
        let queues = u64::from(marks.send_hwm) + u64::from(marks.recv_hwm);
        let way = good().way;
        assert!(way.messages() > queues, "{way}");
        assert!(way.messages() < 20 * queues, "{way}: the kernel's buffers are not bounded by the options");
    }
}
