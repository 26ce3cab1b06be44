//! The game servers as the gateway knows them: processes, their journals, who is whose neighbour.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::account::Log;
use crate::fleet::{Member, wait_until};
use crate::{journal, plan};

/// One life of one server.
struct Life {
    name: String,
    journal: PathBuf,
    killed: bool,
}

/// A server that lives.
struct Server {
    member: Member,
    /// Where neighbours hand players over.
    router: String,
    /// Its place among all lives.
    life: usize,
}

/// All servers.
pub(crate) struct Company {
    folder: PathBuf,
    feed: String,
    scores: String,
    servers: Vec<Server>,
    lives: Vec<Life>,
}

/// What servers said of their hand-overs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Travels {
    /// Players who arrived, as those who sent them say.
    pub(crate) handed: u64,
    /// The same, as those who took them in say.
    pub(crate) hosted: u64,
    /// Hand-overs and answers that were not as they should be.
    pub(crate) wrong: u64,
    /// Servers from which nobody went anywhere.
    pub(crate) idle: u64,
}

impl Company {
    /// A company without servers, whose journals are in `folder`.
    pub(crate) fn new(folder: &Path, feed: &str, scores: &str) -> Self {
        let (folder, feed, scores) = (folder.to_owned(), feed.to_owned(), scores.to_owned());
        Self { folder, feed, scores, servers: Vec::new(), lives: Vec::new() }
    }

    /// Starts a life of server `place`.
    fn start(&mut self, place: usize, life: usize) -> Result<Server> {
        let name = format!("server-{place:02}.{life}");
        let path = self.folder.join(format!("{name}.journal"));
        let journal = path.to_str().context("the folder's name is not UTF-8")?;
        let member = Member::spawn(name.as_str(), &["server", &name, &self.feed, &self.scores, journal])?;
        self.lives.push(Life { name, journal: path, killed: false });
        Ok(Server { member, router: String::new(), life: self.lives.len() - 1 })
    }

    /// Starts `count` more servers at once; each hands players to the one before it, the first to the last.
    pub(crate) fn found(&mut self, count: usize) -> Result<()> {
        for place in 0..count {
            let server = self.start(place, 1)?;
            self.servers.push(server);
        }
        for server in &mut self.servers {
            server.router = server.member.expect("router")?;
        }
        (0..count).try_for_each(|place| self.introduce(place))
    }

    /// Starts one more server.
    pub(crate) fn hire(&mut self) -> Result<()> {
        let place = self.servers.len();
        let mut server = self.start(place, 1)?;
        server.router = server.member.expect("router")?;
        self.servers.push(server);
        self.introduce(place)
    }

    /// Tells server `place` who its neighbour is.
    fn introduce(&mut self, place: usize) -> Result<()> {
        let neighbour = place.checked_sub(1).unwrap_or(plan::FIRST - 1);
        let line = format!("neighbour {}", self.servers[neighbour].router);
        self.servers[place].member.tell(&line)
    }

    /// Kills server `place` with SIGKILL.
    pub(crate) fn kill(&mut self, place: usize) -> Result<()> {
        let server = &mut self.servers[place];
        server.member.kill()?;
        self.lives[server.life].killed = true;
        Ok(())
    }

    /// Starts a server that was killed again, and tells the one after it.
    pub(crate) fn restart(&mut self, place: usize) -> Result<()> {
        let mut server = self.start(place, 2)?;
        server.router = server.member.expect("router")?;
        self.servers[place] = server;
        self.introduce(place)?;
        self.introduce(place + 1)
    }

    /// Waits until everybody who lives has had a message.
    pub(crate) fn everybody_works(&self) -> Result<()> {
        let idle = || self.living().find(|life| journal::len(&life.journal) == 0);
        if wait_until(|| idle().is_none()) {
            return Ok(());
        }
        let name = idle().map_or("nobody", |life| life.name.as_str());
        bail!("{name} had no message within {:?}", plan::PATIENCE)
    }

    fn living(&self) -> impl Iterator<Item = &Life> {
        self.servers.iter().map(|server| &self.lives[server.life])
    }

    /// The number of journals' entries of servers that were not killed.
    pub(crate) fn noted(&self) -> u64 {
        self.living().map(|life| journal::len(&life.journal)).sum()
    }

    /// Each server that lives, and how many entries its journal has.
    pub(crate) fn scores(&self) -> Vec<(&str, u64)> {
        self.living().map(|life| (life.name.as_str(), journal::len(&life.journal))).collect()
    }

    /// Reads all journals, in the order in which the servers were started.
    pub(crate) fn logs(&self) -> Result<Vec<Log>> {
        let read = |life: &Life| Ok(Log { entries: journal::read(&life.journal)?, killed: life.killed });
        self.lives.iter().map(read).collect()
    }

    /// Lets everybody who is on the way arrive.
    pub(crate) fn end_travels(&mut self) -> Result<Travels> {
        self.servers.iter_mut().try_for_each(|server| server.member.tell("finish"))?;
        let mut travels = Travels::default();
        for server in &self.servers {
            let [handed, hosted, wrong] = server.member.expect_numbers("travelled")?;
            travels.handed += handed;
            travels.hosted += hosted;
            travels.wrong += wrong;
            travels.idle += u64::from(handed == 0);
        }
        Ok(travels)
    }

    /// Ends every server: all are asked first, then waited for.
    pub(crate) fn close(mut self) -> Result<()> {
        self.servers.iter_mut().for_each(|server| server.member.release());
        self.servers.into_iter().try_for_each(|server| server.member.finish())
    }
}
