//! Looking up names: it may take long, and neither applications nor I/O threads wait for it.

use crate::sync::{Mutex, lock};
use std::collections::VecDeque;
use std::sync::Arc;

/// Threads at most: so many names that nobody answers for hold up the others.
const THREADS: usize = 8;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that look up names; there are none when there is nothing to do.
#[derive(Default)]
pub(crate) struct Resolver(Mutex<State>);

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
}

impl Resolver {
    /// Has a thread do `job`, which may take long. When no thread can be made, it is dropped undone, or waits for one
    /// that there is.
    pub(crate) fn run(self: &Arc<Self>, job: impl FnOnce() + Send + 'static) {
        let mut state = lock(&self.0);
        state.jobs.push_back(Box::new(job));
        if state.threads == THREADS {
            return;
        }
        state.threads += 1;
        drop(state);
        let resolver = self.clone();
        if std::thread::Builder::new().name("omnimq-resolve".into()).spawn(move || resolver.work()).is_err() {
            let mut state = lock(&self.0);
            state.threads -= 1;
            let undone = if state.threads == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
            drop(state);
            drop(undone);
        }
    }
    fn work(&self) {
        loop {
            let mut state = lock(&self.0);
            let Some(job) = state.jobs.pop_front() else {
                state.threads -= 1;
                return;
            };
            drop(state);
            job();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::mpsc;

    #[test]
    fn slow_jobs_hold_up_nobody_until_all_threads_are_busy() {
        let resolver = Arc::<Resolver>::default();
        let gate = Arc::new(Barrier::new(THREADS));
        let (done, answers) = mpsc::channel();
        let say = |word: &'static str| {
            let done = done.clone();
            move || done.send(word).unwrap()
        };
        for _ in 1..THREADS {
            let gate = gate.clone();
            resolver.run(move || {
                gate.wait();
            });
        }
        resolver.run(say("quick"));
        assert_eq!(answers.recv().unwrap(), "quick");
        resolver.run(say("quick again"));
        assert_eq!(answers.recv().unwrap(), "quick again");
        gate.wait();
        while lock(&resolver.0).threads > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn many_jobs_are_all_done_by_few_threads() {
        let resolver = Arc::<Resolver>::default();
        let (done, answers) = mpsc::channel();
        for n in 0..200 {
            let (done, resolver) = (done.clone(), resolver.clone());
            resolver.clone().run(move || {
                assert!(lock(&resolver.0).threads <= THREADS);
                done.send(n).unwrap();
            });
        }
        let mut all: Vec<_> = answers.iter().take(200).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..200));
    }
}
