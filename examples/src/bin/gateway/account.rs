//! The accounting: what the gateway handed to whom, against what the servers' journals say.
//!
//! The gateway knows a peer's number, not its name. A journal belongs to one life of one server, hence to one
//! connection: the peer that took the first number in it is that server, and every other number in it has to agree.

use std::collections::HashMap;
use std::hash::Hash;

use crate::journal::Entry;

/// The journal of one life of a server.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// What it received, in order.
    pub(crate) entries: Vec<Entry>,
    /// Whether that life ended by SIGKILL.
    pub(crate) killed: bool,
}

impl Log {
    fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.number)
    }

    /// The time from `connect` to the first message, in milliseconds.
    fn join_ms(&self) -> Option<f64> {
        self.entries.first().map(|entry| entry.micros as f64 / 1e3)
    }
}

/// Where every number went. The number is the place in `handed`, which holds who took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Numbers handed out.
    pub(crate) sent: u64,
    /// Numbers in some journal.
    pub(crate) received: u64,
    /// Numbers handed to a server that was not killed, and in no journal.
    pub(crate) lost: u64,
    /// Entries beyond the first for their number, in the same journal or another.
    pub(crate) duplicates: u64,
    /// Numbers handed to the server that was killed, and in no journal.
    pub(crate) in_flight_at_kill: u64,
    /// Entries whose number was handed to somebody else, or to nobody.
    pub(crate) strays: u64,
    /// Entries with a lower number than the one before.
    pub(crate) disorder: u64,
}

impl Account {
    /// Compares.
    pub(crate) fn new<P: Copy + Eq + Hash>(handed: &[P], logs: &[Log]) -> Self {
        let mut account = Self { sent: handed.len() as u64, ..Self::default() };
        let mut seen = vec![false; handed.len()];
        let owners = owners(handed, logs);
        for (owner, log) in logs.iter().enumerate() {
            let pairs = log.entries.iter().zip(log.entries.iter().skip(1));
            account.disorder += pairs.filter(|(before, after)| after.number < before.number).count() as u64;
            for entry in &log.entries {
                let at = usize::try_from(entry.number).unwrap_or(usize::MAX);
                let (Some(peer), Some(seen)) = (handed.get(at), seen.get_mut(at)) else {
                    account.strays += 1;
                    continue;
                };
                account.strays += u64::from(owners.get(peer) != Some(&owner));
                account.duplicates += u64::from(std::mem::replace(seen, true));
            }
        }
        for (peer, seen) in handed.iter().zip(seen) {
            let killed = owners.get(peer).and_then(|owner| logs.get(*owner)).is_some_and(|log| log.killed);
            *match (seen, killed) {
                (true, _) => &mut account.received,
                (false, true) => &mut account.in_flight_at_kill,
                (false, false) => &mut account.lost,
            } += 1;
        }
        account
    }
}

/// Which log is which peer's. Of two that claim the same peer the first has it: the other's entries are strays.
fn owners<P: Copy + Eq + Hash>(handed: &[P], logs: &[Log]) -> HashMap<P, usize> {
    let mut owners = HashMap::new();
    for (n, log) in logs.iter().enumerate() {
        let first = log.first().and_then(|number| handed.get(usize::try_from(number).ok()?));
        if let Some(peer) = first {
            owners.entry(*peer).or_insert(n);
        }
    }
    owners
}

/// How evenly a group of servers was served while all of them were there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evenness {
    /// The most that one got, over the mean.
    pub(crate) ratio: f64,
    /// The least that one got.
    pub(crate) least: u64,
}

impl Evenness {
    /// Of `group`, over the numbers from the moment when the last of them had its first message, up to `end`. Within
    /// that window all their lifetimes are equal. `None` when somebody got nothing at all.
    pub(crate) fn new(group: &[&Log], end: u64) -> Option<Self> {
        let begin = group.iter().map(|log| log.first()).max()??;
        let count = |log: &&Log| log.entries.iter().filter(|entry| (begin..end).contains(&entry.number)).count() as u64;
        if group.iter().any(|log| log.entries.is_empty()) {
            return None;
        }
        let counts: Vec<u64> = group.iter().map(count).collect();
        let (most, least, sum) = (counts.iter().max()?, counts.iter().min()?, counts.iter().sum::<u64>());
        (sum > 0).then(|| Self { ratio: *most as f64 * counts.len() as f64 / sum as f64, least: *least })
    }

    /// The less even of two, with the smaller sample.
    pub(crate) fn worse(self, other: Self) -> Self {
        Self { ratio: self.ratio.max(other.ratio), least: self.least.min(other.least) }
    }
}

/// The first number that any of `logs` received.
pub(crate) fn first_number<'a>(logs: impl IntoIterator<Item = &'a Log>) -> Option<u64> {
    logs.into_iter().filter_map(Log::first).min()
}

/// The median time from `connect` to the first message; `None` when somebody never got one.
pub(crate) fn median_join_ms(logs: &[Log]) -> Option<f64> {
    let mut times: Vec<f64> = logs.iter().map(Log::join_ms).collect::<Option<_>>()?;
    times.sort_by(f64::total_cmp);
    let (below, above) = (times.get(times.len().checked_sub(1)? / 2)?, times.get(times.len() / 2)?);
    Some((below + above) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(numbers: &[u64]) -> Log {
        let entries = numbers.iter().map(|number| Entry { number: *number, micros: 1000 * (number + 1) }).collect();
        Log { entries, killed: false }
    }

    /// Thirty numbers handed to three servers in turn.
    fn handed() -> Vec<char> {
        ['a', 'b', 'c'].into_iter().cycle().take(30).collect()
    }

    fn every_third(from: u64) -> Vec<u64> {
        (from..30).step_by(3).collect()
    }

    fn logs() -> Vec<Log> {
        vec![log(&every_third(0)), log(&every_third(1)), log(&every_third(2))]
    }

    const CLEAN: Account =
        Account { sent: 30, received: 30, lost: 0, duplicates: 0, in_flight_at_kill: 0, strays: 0, disorder: 0 };

    #[test]
    fn nothing_is_amiss_when_nothing_is() {
        assert_eq!(Account::new(&handed(), &logs()), CLEAN);
        assert_eq!(Account::new(&[] as &[char], &[]), Account::default());
    }

    #[test]
    fn a_planted_loss_is_reported() {
        let mut logs = logs();
        logs[1].entries.remove(4);
        assert_eq!(Account::new(&handed(), &logs), Account { received: 29, lost: 1, ..CLEAN });
    }

    #[test]
    fn a_planted_duplicate_is_reported_in_one_journal_and_in_two() {
        let mut twice = logs();
        let again = twice[1].entries[4];
        twice[1].entries.insert(4, again);
        assert_eq!(Account::new(&handed(), &twice), Account { duplicates: 1, ..CLEAN });
        let mut elsewhere = logs();
        elsewhere[2].entries.insert(4, again);
        assert_eq!(Account::new(&handed(), &elsewhere), Account { duplicates: 1, strays: 1, ..CLEAN });
    }

    #[test]
    fn what_the_killed_server_had_not_noted_was_in_flight() {
        let mut logs = logs();
        logs[2].killed = true;
        logs[2].entries.truncate(7);
        assert_eq!(Account::new(&handed(), &logs), Account { received: 27, in_flight_at_kill: 3, ..CLEAN });
        logs[0].entries.pop();
        assert_eq!(Account::new(&handed(), &logs), Account { received: 26, in_flight_at_kill: 3, lost: 1, ..CLEAN });
    }

    #[test]
    fn who_left_no_journal_lost_everything() {
        let mut logs = logs();
        logs[0].entries.clear();
        assert_eq!(Account::new(&handed(), &logs), Account { received: 20, lost: 10, ..CLEAN });
        // Even if it was killed: nothing says which peer it was.
        logs[0].killed = true;
        assert_eq!(Account::new(&handed(), &logs), Account { received: 20, lost: 10, ..CLEAN });
    }

    #[test]
    fn numbers_of_nobody_disorder_and_a_second_claim_to_a_peer_are_reported() {
        let mut logs = logs();
        logs[0].entries.push(Entry { number: 30, micros: 0 });
        logs[1].entries.swap(3, 4);
        assert_eq!(Account::new(&handed(), &logs), Account { strays: 1, disorder: 1, ..CLEAN });
        let split = [log(&[0, 3]), log(&[6])];
        assert_eq!(Account::new(&['a'; 7], &split).strays, 1);
    }

    #[test]
    fn evenness_is_the_most_over_the_mean_while_all_were_there() {
        let all = logs();
        let group: Vec<&Log> = all.iter().collect();
        // From number 2 on: nine, nine and ten.
        let even = Evenness::new(&group, 30).unwrap();
        assert_eq!(even, Evenness { ratio: 10.0 * 3.0 / 28.0, least: 9 });
        let late = log(&[20, 23, 26]);
        // From number 20 on: 21, 24, 27 against 20, 23, 26.
        assert_eq!(Evenness::new(&[&all[0], &late], 30), Some(Evenness { ratio: 1.0, least: 3 }));
        // Up to number 24: 21 against 20, 23.
        assert_eq!(Evenness::new(&[&all[0], &late], 24), Some(Evenness { ratio: 2.0 * 2.0 / 3.0, least: 1 }));
        assert_eq!(even.worse(Evenness { ratio: 1.5, least: 90 }), Evenness { ratio: 1.5, least: 9 });
    }

    #[test]
    fn evenness_is_not_told_of_a_group_with_nothing_to_compare() {
        let all = logs();
        assert_eq!(Evenness::new(&[], 30), None);
        assert_eq!(Evenness::new(&[&all[0], &log(&[])], 30), None);
        assert_eq!(Evenness::new(&[&all[0], &all[1]], 1), None);
        assert_eq!(first_number(&all[1..]), Some(1));
        assert_eq!(first_number(&[]), None);
    }

    #[test]
    fn the_median_join_is_of_first_messages() {
        assert_eq!(median_join_ms(&logs()), Some(2.0));
        assert_eq!(median_join_ms(&logs()[..2]), Some(1.5));
        assert_eq!(median_join_ms(&[log(&[5, 9])]), Some(6.0));
        assert_eq!(median_join_ms(&[log(&[5]), log(&[])]), None);
        assert_eq!(median_join_ms(&[]), None);
    }
}
