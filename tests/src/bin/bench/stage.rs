//! Where a role plays: in a process of its own, or beside the other in one context.

use crate::Failure;
use crate::args::Args;
use omnimq::Context;
use std::io::BufRead as _;

pub(crate) struct Stage {
    pub(crate) context: Context,
    /// Where the first role is bound; `None` within one process.
    endpoint: Option<String>,
}

impl Stage {
    pub(crate) fn of_its_own(args: &Args) -> Result<Self, Failure> {
        Ok(Self { context: Context::new()?, endpoint: Some(args.endpoint.clone()) })
    }
    pub(crate) fn shared() -> Result<Self, Failure> {
        Ok(Self { context: Context::new()?, endpoint: None })
    }
    /// Tells the other roles where this one is bound.
    pub(crate) fn announce(&self, endpoint: &str) {
        if self.endpoint.is_some() {
            println!("endpoint {endpoint}");
        }
    }
    /// Where the first role is bound.
    pub(crate) fn endpoint<'a>(&'a self, args: &'a Args) -> &'a str {
        self.endpoint.as_deref().unwrap_or(args.site())
    }
    /// Waits for a word of the conductor's.
    pub(crate) fn wait(&self) -> std::io::Result<()> {
        std::io::stdin().lock().read_line(&mut String::new()).map(drop)
    }
    /// Waits until all that was sent has gone, when the sockets have been dropped.
    pub(crate) fn end(&self) {
        if self.endpoint.is_some() {
            self.context.term();
        }
    }
}
