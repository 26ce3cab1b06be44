//! Sockets, halves and monitors as streams, sockets and halves as sinks: feature `stream`.
//!
//! Cancel-safe, like the futures: what is dropped while it waits has taken no message and sent none. A stream ends when
//! the context ends, a monitor's when its socket has gone. A sink takes a message when there is room for it; should its
//! peer go in the moment between, the sink keeps that one message until there is room again, before all that is sent
//! later, in whichever way.
//!
//! `send`, `flush` and `next` of the extension traits are named like calls of the sockets' own, which the compiler prefers
//! where both exist: write `SinkExt::send(&mut socket, message)`, or `feed`.
//!
//! ```
//! # use futures::executor::block_on;
//! use futures::{SinkExt, StreamExt};
//! use omnimq::{Context, Message, Pull, Push};
//! # fn main() -> Result<(), omnimq::Error> {
//! let context = Context::new()?;
//! let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
//! push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
//! # block_on(async {
//! for n in 0..3_u8 {
//!     push.feed(Message::from(&[n])).await?;
//! }
//! let mut messages = pull.take(3);
//! while let Some(message) = messages.next().await {
//!     println!("{:?}", message?);
//! }
//! # Ok(())
//! # })
//! # }
//! ```

use crate::error::{Error, SendError};
use crate::event::Event;
use crate::message::Message;
use crate::monitor::Monitor;
use crate::poller::Readiness;
use crate::socket::Socket;
use crate::split::{RecvHalf, SendHalf};
use crate::typed::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
use futures_core::Stream;
use futures_sink::Sink;
use omnimq_core::SocketType;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl Stream for Socket {
    type Item = Result<Message, Error>;
    /// Ends with the context. Other errors do not end it: a stream that goes on after one may tell it again.
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.get_mut().poll_recv(context) {
            Poll::Ready(Err(Error::Terminated)) => Poll::Ready(None),
            other => other.map(Some),
        }
    }
}

impl Sink<Message> for Socket {
    /// With the message that was not sent.
    type Error = SendError<Message>;
    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let socket = self.get_mut();
        ready!(socket.poll_held(context))?;
        socket.poll_room(context).map(Ok)
    }
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Self::Error> {
        let socket = self.get_mut();
        match socket.try_send(message) {
            Err(SendError { message, error: Error::WouldBlock }) => {
                socket.aside().held = Some(message);
                Ok(())
            }
            done => done,
        }
    }
    /// What was sent has left for the background, which writes it without being asked.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let socket = self.get_mut();
        ready!(socket.poll_held(context))?;
        socket.flush();
        Poll::Ready(Ok(()))
    }
    /// As a flush: dropping is what closes a socket.
    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_flush(context)
    }
}

impl Socket {
    /// Waits until there is room for a message, where that is known before it is given.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // A socket that takes turns, or does not send, has to be given the message to say so.
        if matches!(self.socket_type(), SocketType::Req | SocketType::Rep | SocketType::Pull | SocketType::Sub) {
            return Poll::Ready(());
        }
        let sock = self.sock();
        if sock.has_room() {
            return Poll::Ready(());
        }
        sock.writers.announce(context.waker());
        if sock.readiness(Readiness::SEND).send {
            sock.writers.withdraw();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

macro_rules! streams {
    ($($name:ident)*) => { $(
        impl Stream for $name {
            type Item = Result<Message, Error>;
            /// As that of [`Socket`].
            fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                Pin::new(self.get_mut().socket()).poll_next(context)
            }
        }
    )* };
}

macro_rules! sinks {
    ($($name:ident)*) => { $(
        impl Sink<Message> for $name {
            /// With the message that was not sent.
            type Error = SendError<Message>;
            fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                Pin::new(self.get_mut().socket()).poll_ready(context)
            }
            fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Self::Error> {
                Pin::new(self.get_mut().socket()).start_send(message)
            }
            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                Pin::new(self.get_mut().socket()).poll_flush(context)
            }
            fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                Pin::new(self.get_mut().socket()).poll_close(context)
            }
        }
    )* };
}

streams!(RecvHalf Pair Sub Req Rep Dealer Router Pull XPub XSub);
sinks!(SendHalf Pair Pub Req Rep Dealer Router Push XPub XSub);

impl Stream for Monitor {
    type Item = Event;
    /// Ends when the socket has gone.
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_recv(context)
    }
}
