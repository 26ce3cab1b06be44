//! Octets in: greeting, commands and messages, as far as the pipe takes them.

use super::{Connection, Local, Phase, Reception};
use crate::body::{Body, Frame, Input};
use crate::error::{CloseReason, Limit, Refusal};
use crate::pipe::PipeWriter;
use crate::time::Instant;
use crate::wire::{FrameHeader, Run, SocketType, Version};

/// What message frames are to the local socket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// Messages.
    Messages,
    /// XPUB: subscriptions, if they begin with 0 or 1, else messages.
    Both,
    /// PUB: subscriptions or nothing.
    Subscriptions,
    /// PUSH: nothing. Kept messages would wait for ever, and hold back what comes after them.
    Nothing,
}

impl Duty {
    #[inline]
    const fn of(socket_type: SocketType) -> Self {
        match socket_type {
            SocketType::XPub => Self::Both,
            SocketType::Pub => Self::Subscriptions,
            SocketType::Push => Self::Nothing,
            _ => Self::Messages,
        }
    }
    #[inline]
    const fn subscribes(self) -> bool {
        matches!(self, Self::Subscriptions | Self::Both)
    }
}

impl<B: Body> Connection<B> {
    #[inline]
    pub(super) fn receive<I, W>(
        &mut self,
        local: Local<'_>,
        input: &I,
        at: &mut usize,
        pipe: &mut W,
        now: Instant,
    ) -> Result<(), CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        if !self.is_ready() {
            self.shake_hands(local, input, at, pipe, now)?;
        }
        if self.is_ready() { self.traffic(local, input, at, pipe) } else { Ok(()) }
    }
    /// Everything before the traffic phase. A deadline that has passed counts, whether or not it has been handled.
    #[cold]
    fn shake_hands<I, W>(
        &mut self,
        local: Local<'_>,
        input: &I,
        at: &mut usize,
        pipe: &mut W,
        now: Instant,
    ) -> Result<(), CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        self.state.expire(now)?;
        while let Phase::Greeting(incoming) = &mut self.state.phase {
            let Some(&octet) = input.bytes().get(*at) else { return Ok(()) };
            *at = at.saturating_add(1);
            self.state.spent = self.state.spent.saturating_add(1);
            if let Some(version) = incoming.push(octet, self.state.mechanism.name())? {
                self.greeted(version)?;
            }
        }
        while let Phase::Handshake(_) = self.state.phase {
            let Some(header) = self.inflow.header(input.bytes(), at)? else { return Ok(()) };
            self.state.admit(header)?;
            if !self.inflow.gather(header, input.bytes(), at)? {
                return Ok(());
            }
            let body = self.inflow.bytes(header, input, *at);
            if !self.state.on_handshake(local, body, pipe)? {
                return Ok(());
            }
            self.inflow.discard(header, input.bytes(), at);
        }
        Ok(())
    }
    /// The peer's version is known: the place where older ones branch off.
    fn greeted(&mut self, version: Version) -> Result<(), CloseReason> {
        match version {
            Version::V3_0 | Version::V3_1 => {
                self.state.phase = Phase::Handshake(version);
                Ok(())
            }
            Version::V1Unversioned | Version::V1 | Version::V2 => Err(CloseReason::UnsupportedVersion),
        }
    }
    #[inline]
    fn traffic<I, W>(&mut self, local: Local<'_>, input: &I, at: &mut usize, pipe: &mut W) -> Result<(), CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        let duty = Duty::of(local.socket_type);
        let mut runs = W::RUNS && duty == Duty::Messages;
        loop {
            if W::RUNS && runs && self.state.reception == Reception::First && self.inflow.is_boundary() {
                runs = self.hand_over(input, at, pipe);
            }
            let Some(header) = self.inflow.header(input.bytes(), at)? else { break };
            if header.command {
                self.state.admit(header)?;
            }
            if !self.inflow.gather(header, input.bytes(), at)? || !self.deliver(duty, header, input, at, pipe)? {
                break;
            }
        }
        Ok(())
    }
    /// Hands over the whole messages at the front of the input; false when the pipe would not have them so.
    #[inline]
    fn hand_over<I, W>(&mut self, input: &I, at: &mut usize, pipe: &mut W) -> bool
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        let room = usize::try_from(pipe.room()).unwrap_or(usize::MAX);
        let octets = input.bytes().get(*at..).unwrap_or_default();
        let run = Run::scan(octets, self.inflow.max(), room, self.state.limits.frames);
        let end = at.saturating_add(run.len);
        match u32::try_from(run.messages) {
            Ok(0) => true,
            Ok(messages) if pipe.write_run(input, *at..end, messages).is_ok() => {
                *at = end;
                true
            }
            _ => false,
        }
    }
    /// Passes a frame on whose body is at hand; false when it has to wait.
    #[inline]
    fn deliver<I, W>(
        &mut self,
        duty: Duty,
        header: FrameHeader,
        input: &I,
        at: &mut usize,
        pipe: &mut W,
    ) -> Result<bool, CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        if (header.command || (duty != Duty::Messages && self.state.reception != Reception::Open))
            && let Some(taken) = self.deliver_aside(duty, header, input, *at, pipe)?
        {
            if taken {
                self.inflow.discard(header, input.bytes(), at);
            }
            return Ok(taken);
        }
        if self.state.reception != Reception::Open {
            if !pipe.writable() {
                return Ok(false);
            }
            self.state.frames = 0;
        }
        if self.state.frames >= self.state.limits.frames {
            return Err(CloseReason::Limit(Limit::Frames));
        }
        self.state.frames = self.state.frames.saturating_add(1);
        let body = self.inflow.take(header, input, at, 0).ok_or(CloseReason::TooLarge)?;
        pipe.write(Frame { body, more: header.more }).map_err(|(_, refusal)| match refusal {
            Refusal::TooLarge => CloseReason::TooLarge,
            Refusal::Full => CloseReason::Unwanted,
        })?;
        self.state.reception = if header.more { Reception::Open } else { Reception::First };
        Ok(true)
    }
    /// Passes on what does not go up as a message: `Some(false)` when it has to wait, `None` for a message.
    #[cold]
    fn deliver_aside<I, W>(
        &mut self,
        duty: Duty,
        header: FrameHeader,
        input: &I,
        at: usize,
        pipe: &mut W,
    ) -> Result<Option<bool>, CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        let body = self.inflow.bytes(header, input, at);
        if header.command {
            return self.state.on_command(duty.subscribes(), body, pipe).map(Some);
        }
        let taken = match (duty, body.first()) {
            (Duty::Subscriptions | Duty::Both, Some(0 | 1)) if self.state.reception == Reception::First => {
                self.state.on_subscription(body, pipe)?
            }
            (Duty::Messages | Duty::Both, _) => return Ok(None),
            (Duty::Subscriptions | Duty::Nothing, _) => true,
        };
        if taken {
            self.state.reception = if header.more { Reception::Rest } else { Reception::First };
        }
        Ok(Some(taken))
    }
}
