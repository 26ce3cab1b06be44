//! The pattern chosen at run time: the C ABI and the command line. Firmware names its types and links no more.

use super::{
    Dealer, Filters, Pair, Pattern, Pub, Pull, Push, Receives, Rep, Req, Router, Routing, Sends, Stream, Sub, XPub, XSub,
};
use crate::body::{Frame, Payload};
use crate::error::{CloseReason, FilterError, OptionError, RecvError, SendError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

impl Sends for AnyPattern {}
impl Receives for AnyPattern {}
impl Filters for AnyPattern {}

macro_rules! any_pattern {
    ($($name:ident),*) => {
        /// Any pattern, by socket type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AnyPattern {
            $(#[doc = concat!("[`", stringify!($name), "`]")] $name,)*
        }

        impl AnyPattern {
            /// The pattern of this socket type; `None` when it has none here.
            pub const fn new(socket_type: SocketType) -> Option<Self> {
                match socket_type {
                    $(SocketType::$name => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        /// The state of whichever pattern was chosen.
        pub enum AnyState<S: Storage> {
            $(#[doc = concat!("That of [`", stringify!($name), "`].")] $name(<$name as Pattern>::State<S>),)*
        }

        impl Pattern for AnyPattern {
            type State<S: Storage> = AnyState<S>;
            fn socket_type(self) -> SocketType {
                match self {
                    $(Self::$name => SocketType::$name,)*
                }
            }
            fn start<S: Storage>(self, options: &Options) -> AnyState<S> {
                match self {
                    $(Self::$name => AnyState::$name($name.start(options)),)*
                }
            }
        }

        any_pattern! { @routing ($($name),*)
            configure(&mut self, options: &Options);
            on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason>;
            on_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId, identity: S::Key) -> Result<Option<PipeId>, CloseReason>;
            on_readable(&mut self, pipes: &mut Pipes<S>, id: PipeId);
            on_writable(&mut self, pipes: &mut Pipes<S>, id: PipeId);
            takes_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> bool;
            on_subscribe(&mut self, pipes: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason>;
            on_cancel(&mut self, pipes: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason>;
            on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId);
            on_detach(&mut self, pipes: &mut Pipes<S>, id: PipeId);
            can_send(&mut self, pipes: &mut Pipes<S>) -> bool;
            can_recv(&mut self, pipes: &mut Pipes<S>) -> bool;
            subscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError>;
            unsubscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError>;
            connect_routing_id(&mut self, id: &[u8]) -> Result<(), OptionError>;
            welcome(&mut self, message: Option<S::Body>) -> Result<(), OptionError>;
        }
    };
    (@routing $names:tt $($method:ident(&mut self, $($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        impl<S: Storage> Routing<S> for AnyState<S> {
            $(any_pattern! { @method $names $method ($($arg: $type),*) ($($out)?) })*
            any_pattern! { @rest $names }
        }
    };
    (@rest ($($name:ident),*)) => {
        fn takes_topic(&self) -> bool {
            match self {
                $(Self::$name(state) => Routing::<S>::takes_topic(state),)*
            }
        }
        fn reading(&self) -> Option<PipeId> {
            match self {
                $(Self::$name(state) => state.reading(),)*
            }
        }
        fn holds(&self, id: PipeId) -> bool {
            match self {
                $(Self::$name(state) => Routing::<S>::holds(state, id),)*
            }
        }
        #[inline]
        fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
            match self {
                $(Self::$name(state) => state.send(pipes, frame),)*
            }
        }
        #[inline]
        fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
            match self {
                $(Self::$name(state) => state.recv(pipes, into),)*
            }
        }
    };
    (@method ($($name:ident),*) $method:ident $args:tt $out:tt) => {
        any_pattern! { @emit ($($name)*) $method $args $out }
    };
    (@emit ($($name:ident)*) $method:ident ($($arg:ident: $type:ty),*) ()) => {
        fn $method(&mut self, $($arg: $type),*) {
            any_pattern! { @match self $method ($($arg),*) $($name)* }
        }
    };
    (@emit ($($name:ident)*) $method:ident ($($arg:ident: $type:ty),*) ($out:ty)) => {
        fn $method(&mut self, $($arg: $type),*) -> $out {
            any_pattern! { @match self $method ($($arg),*) $($name)* }
        }
    };
    (@match $self:ident $method:ident $args:tt $($name:ident)*) => {
        match $self {
            $(Self::$name(state) => any_pattern!(@call state $method $args),)*
        }
    };
    (@call $state:ident $method:ident ($($arg:ident),*)) => { $state.$method($($arg),*) };
}

any_pattern!(Pair, Pub, Sub, Req, Rep, Dealer, Router, Pull, Push, XPub, XSub, Stream);
