//! Ending well: on Ctrl-C take in no more work, finish what was begun, close, and say what could not be closed.
//!
//! Teaches: a signal becomes a message like any other, so that one loop hears both; `shutdown` ends every wait with
//! `Terminated`; dropped sockets linger until what they sent has left; `term_timeout` waits for that, but not for ever.
//!
//! Run: `cargo run --bin shutdown`, then press Ctrl-C, or send it SIGTERM.

use anyhow::{Context as _, Result, ensure};
use omnimq::{Context, Error, Poller, Pull, Push, Readiness};
use std::thread;
use std::time::Duration;

const STOP: usize = 0;
const RESULTS: usize = 1;
const WORK: usize = 2;

/// Tasks begun and not finished, at most: what there is to wait for in the end.
const AT_ONCE: u64 = 20;

/// How long closing may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Doubles what comes, until the context ends.
fn work(mut pull: Pull, mut push: Push) -> Result<()> {
    loop {
        match pull.recv() {
            Ok(task) => {
                thread::sleep(Duration::from_millis(1)); // hard work
                push.send([task.bytes(), task.bytes()].concat())?;
            }
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Deals tasks and collects results until `stop` says something, then collects the results that are missing.
fn serve(tasks: &mut Push, results: &mut Pull, stop: &mut Pull) -> Result<()> {
    let mut poller = Poller::new()?;
    poller.add(STOP, stop.as_socket(), Readiness::RECEIVE);
    poller.add(RESULTS, results.as_socket(), Readiness::RECEIVE);
    poller.add(WORK, tasks.as_socket(), Readiness::SEND);
    let (mut begun, mut finished) = (0_u64, 0);
    let mut stopping = false;
    while !stopping || finished < begun {
        let takes_in = !stopping && begun - finished < AT_ONCE;
        poller.modify(WORK, if takes_in { Readiness::SEND } else { Readiness::default() })?;
        for (key, _) in poller.wait(None)? {
            match *key {
                STOP => {
                    stop.try_recv()?;
                    stopping = true;
                }
                RESULTS => {
                    let result = results.try_recv()?;
                    ensure!(result.bytes() == b"taptap", "a wrong result: {result:?}");
                    finished += 1;
                }
                _ => {
                    tasks.try_send("tap")?;
                    begun += 1;
                }
            }
        }
    }
    println!("no new work; all that was begun is finished");
    Ok(())
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut stop = Pull::new(&context)?;
    stop.bind("inproc://stop")?;
    let mut interrupt = Push::new(&context)?;
    interrupt.connect("inproc://stop")?;
    let mut interrupt = Some(interrupt); // closed after the first signal
    ctrlc::set_handler(move || drop(interrupt.take().map(|mut push| push.try_send("stop"))))?;

    let (mut tasks, mut results) = (Push::new(&context)?, Pull::new(&context)?);
    let (from, to) = (tasks.bind("tcp://127.0.0.1:*")?, results.bind("tcp://127.0.0.1:*")?);
    let mut workers = Vec::new();
    for _ in 0..2 {
        let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
        pull.connect(&from)?;
        push.connect(&to)?;
        workers.push(thread::spawn(move || work(pull, push)));
    }
    println!("working; press Ctrl-C to stop");
    serve(&mut tasks, &mut results, &mut stop)?;

    context.shutdown(); // the workers wait for tasks: this ends their wait
    workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))?;
    drop((tasks, results, stop));
    context.term_timeout(PATIENCE).context("something is still open")?;
    println!("closed: nothing is left open");
    Ok(())
}
