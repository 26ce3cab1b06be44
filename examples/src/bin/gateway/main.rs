//! The gateway of a game company. Clients (REQ) ask it (REP); it numbers their orders and feeds game servers with them
//! (PUSH to PULL). The servers hand players to one another (DEALER to ROUTER) and publish their scores (PUB to SUB).
//!
//! All are processes over tcp: this program again, in the role that its first argument names. Ten servers are there at
//! the start, forty join while it runs, one is killed with SIGKILL and restarted. Then every server's journal is
//! compared with what the gateway handed out. Last comes a run of a million messages of 1 KB. The exit status is 0 when
//! every bound holds; otherwise the broken ones are told on standard error, and the journals stay where they are.

mod account;
mod clients;
mod company;
mod desk;
mod fleet;
mod flood;
mod journal;
mod order;
mod plan;
mod scoreboard;
mod server;
mod travel;
mod verdict;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use omnimq::PeerId;

use account::{Account, Evenness, Log};
use company::Company;
use desk::Desk;
use fleet::{Member, wait_until};
use scoreboard::Scoreboard;
use verdict::Figures;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => return direct(),
        ["server", name, feed, scores, journal] => server::run(name, feed, scores, Path::new(journal)),
        ["clients", gateway] => clients::run(gateway),
        ["sink"] => flood::sink(),
        ["source", endpoint] => flood::source(endpoint),
        _ => {
            eprintln!("usage: gateway (the rest of the command line is for the processes it starts)");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", words.get(..2).unwrap_or(&words).join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Says a line to whoever started this process.
pub(crate) fn say(line: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).context("nobody listens")
}

/// Plays everything and judges it.
fn direct() -> ExitCode {
    let start = Instant::now();
    let (folder, played) = match fresh_folder() {
        Ok(folder) => (folder.display().to_string(), play(&folder)),
        Err(error) => (String::from("nowhere"), Err(error)),
    };
    let figures = played.map(|figures| Figures { elapsed: start.elapsed(), ..figures });
    let mut broken = match &figures {
        Ok(figures) => figures.broken(),
        Err(error) => vec![format!("{error:#}")],
    };
    if broken.is_empty()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        broken.push(format!("cannot remove {folder}: {error}"));
    }
    for sentence in &broken {
        eprintln!("demo failed: {sentence}");
    }
    if !broken.is_empty() {
        eprintln!("demo failed: the journals are in {folder}");
    }
    if let Ok(figures) = &figures {
        println!("{}", figures.line());
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A folder that nobody else has.
fn fresh_folder() -> Result<PathBuf> {
    for n in 0u32.. {
        let folder = std::env::temp_dir().join(format!("omnimq-demo-{}.{n}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        }
    }
    bail!("no name is free in {}", std::env::temp_dir().display())
}

/// The whole play, scene by scene.
fn play(folder: &Path) -> Result<Figures> {
    let context = omnimq::Context::new()?;
    let board = Scoreboard::open(&context)?;
    let desk = Desk::open(&context)?;
    let mut company = Company::new(folder, &desk.feed, &board.endpoint);
    let mut clients = Member::spawn("clients", &["clients", &desk.clients])?;
    let played = grow(&mut company, &desk, &board).and_then(|()| lose_one(&mut company, &desk, &board));
    if desk.has_failed() {
        desk.close().context("the gateway's desk")?;
        bail!("the gateway's desk closed by itself");
    }
    played?;
    board.stage("everybody finishes");
    clients.release();
    let [asked] = clients.expect_numbers("asked")?;
    clients.finish()?;
    let closed = desk.close()?;
    settle(&company, &closed.handed)?;
    let travels = company.end_travels()?;
    let misreported = misreported(&company, &board);
    let logs = company.logs()?;
    company.close()?;
    drop(closed.push);
    board.close()?;
    let account = Account::new(&closed.handed, &logs);
    println!("{} lives of servers, {} players handed over; a million messages of 1 KB follow", logs.len(), travels.handed);
    Ok(Figures {
        account,
        asked,
        way: plan::Way::measure()?,
        evenness: evenness(&logs, closed.handed.len() as u64),
        join_ms: account::median_join_ms(&logs),
        travels,
        misreported,
        msgs_per_s_1kb: flood::play()?,
        elapsed: std::time::Duration::ZERO,
    })
}

/// Ten servers, then forty more while messages flow.
fn grow(company: &mut Company, desk: &Desk, board: &Scoreboard) -> Result<()> {
    board.stage("the first servers");
    company.found(plan::FIRST)?;
    company.everybody_works()?;
    flow(desk, plan::WITH_FIRST)?;
    for n in 1..=plan::JOINING {
        board.stage(format!("server {n} of {} joins", plan::JOINING));
        company.hire()?;
    }
    company.everybody_works()
}

/// One server is killed and comes back while messages flow.
fn lose_one(company: &mut Company, desk: &Desk, board: &Scoreboard) -> Result<()> {
    board.stage("everybody plays");
    flow(desk, plan::WITH_ALL)?;
    board.stage("one is killed and restarted");
    company.kill(plan::VICTIM)?;
    company.restart(plan::VICTIM)?;
    company.everybody_works()?;
    board.stage("everybody plays on");
    flow(desk, plan::WITH_ALL)
}

/// Waits until the desk has handed out `count` more messages.
fn flow(desk: &Desk, count: u64) -> Result<()> {
    let goal = desk.sent() + count;
    wait_until(|| desk.sent() >= goal || desk.has_failed());
    if desk.sent() < goal {
        bail!(
            "{} of {count} messages were handed out within {:?}",
            count.saturating_sub(goal - desk.sent()),
            plan::PATIENCE
        );
    }
    Ok(())
}

/// Waits until the living have noted everything that was handed to them. What is missing after that was lost, and
/// the accounting will say so.
fn settle(company: &Company, handed: &[PeerId]) -> Result<()> {
    let logs = company.logs()?;
    let dead: Vec<&Log> = logs.iter().filter(|log| log.killed).collect();
    let owner = |log: &&Log| handed.get(usize::try_from(log.entries.first()?.number).ok()?).copied();
    let dead: Vec<PeerId> = dead.iter().filter_map(owner).collect();
    let due = handed.iter().filter(|peer| !dead.contains(peer)).count() as u64;
    wait_until(|| company.noted() >= due);
    Ok(())
}

/// Servers whose score on the board is not what their journal says, after some patience with those on the way.
fn misreported(company: &Company, board: &Scoreboard) -> Vec<String> {
    let scores = company.scores();
    let wrong = || scores.iter().filter(|(name, score)| board.score(name) != Some(*score));
    wait_until(|| wrong().next().is_none());
    wrong().map(|(name, _)| (*name).to_owned()).collect()
}

/// Evenness among the first servers until another joined, and among all but the killed one from when the last had
/// joined: the worse of the two.
fn evenness(logs: &[Log], sent: u64) -> Option<Evenness> {
    let (first, joined) = logs.split_at_checked(plan::FIRST)?;
    let others: Vec<&Log> = joined.iter().take(plan::JOINING).collect();
    let alone = Evenness::new(&first.iter().collect::<Vec<_>>(), account::first_number(others.iter().copied())?)?;
    let unharmed = first.iter().filter(|log| !log.killed).chain(others).collect::<Vec<_>>();
    Some(alone.worse(Evenness::new(&unharmed, sent)?))
}
