//! Socket types: their zmq.h numbers, their names on the wire, and who may talk to whom (RFC 28 to 31, 41, 48 to 52).

macro_rules! socket_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, [$($peer:ident),*];)*) => {
        /// The type of a socket, by its zmq.h number.
        ///
        /// ```
        /// use omnimq_core::SocketType;
        /// let announced = SocketType::from_name(b"DEALER").unwrap();
        /// assert!(SocketType::Router.pairs_with(announced) && !SocketType::Push.pairs_with(announced));
        /// assert_eq!(SocketType::from_number(announced.number()), Some(announced));
        /// assert_eq!(announced.to_string(), "DEALER");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(u8)]
        pub enum SocketType {
            $($(#[$doc])* $name = $number,)*
        }

        impl SocketType {
            /// All of them, in the order of their numbers.
            pub const ALL: [Self; 21] = [$(Self::$name),*];

            /// Its name in the `Socket-Type` property.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The type of this zmq.h number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The type of this `Socket-Type` value, compared exactly as libzmq does.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                Self::ALL.into_iter().find(|socket_type| socket_type.name().as_bytes() == name)
            }

            /// Whether a `peer` of that type may be talked to. Nothing talks ZMTP with STREAM and DGRAM.
            pub const fn pairs_with(self, peer: Self) -> bool {
                let peers: u32 = match self { $(Self::$name => 0 $(| 1 << Self::$peer as u8)*,)* };
                peers >> peer as u8 & 1 != 0
            }
        }
    };
}

socket_types! {
    /// One peer, both ways (RFC 31).
    Pair = 0, "PAIR", [Pair];
    /// Fans out to subscribers (RFC 29).
    Pub = 1, "PUB", [Sub, XSub];
    /// Receives what it subscribed to (RFC 29).
    Sub = 2, "SUB", [Pub, XPub];
    /// Asks, then awaits the reply (RFC 28).
    Req = 3, "REQ", [Rep, Router];
    /// Replies to whoever asked last (RFC 28).
    Rep = 4, "REP", [Req, Dealer];
    /// Round robin out, fair queue in (RFC 28).
    Dealer = 5, "DEALER", [Rep, Dealer, Router];
    /// Addresses peers by routing id (RFC 28).
    Router = 6, "ROUTER", [Req, Dealer, Router];
    /// Receives work (RFC 30).
    Pull = 7, "PULL", [Push];
    /// Hands out work (RFC 30).
    Push = 8, "PUSH", [Pull];
    /// PUB that shows subscriptions to the application (RFC 29).
    XPub = 9, "XPUB", [Sub, XSub];
    /// SUB whose subscriptions are messages (RFC 29).
    XSub = 10, "XSUB", [Pub, XPub];
    /// Raw TCP, no ZMTP.
    Stream = 11, "STREAM", [];
    /// Replies to clients by routing id, draft (RFC 41).
    Server = 12, "SERVER", [Client];
    /// Talks to servers, draft (RFC 41).
    Client = 13, "CLIENT", [Server];
    /// Sends to groups, draft (RFC 48).
    Radio = 14, "RADIO", [Dish];
    /// Receives from the groups it joined, draft (RFC 48).
    Dish = 15, "DISH", [Radio];
    /// Gathers single-frame work, draft (RFC 49).
    Gather = 16, "GATHER", [Scatter];
    /// Scatters single-frame work, draft (RFC 49).
    Scatter = 17, "SCATTER", [Gather];
    /// Raw UDP, draft.
    Dgram = 18, "DGRAM", [];
    /// Peer to peer by routing id, draft (RFC 51).
    Peer = 19, "PEER", [Peer];
    /// Single-frame PAIR, draft (RFC 52).
    Channel = 20, "CHANNEL", [Channel];
}

impl SocketType {
    /// Its zmq.h number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether a peer announcing `name` may be talked to.
    pub fn accepts(self, name: &[u8]) -> bool {
        Self::from_name(name).is_some_and(|peer| self.pairs_with(peer))
    }
}

impl core::fmt::Display for SocketType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_come_back() {
        for (number, socket_type) in (0u8..).zip(SocketType::ALL) {
            assert_eq!(socket_type.number(), number);
            assert_eq!(SocketType::from_number(number), Some(socket_type));
            assert_eq!(SocketType::from_name(socket_type.name().as_bytes()), Some(socket_type));
        }
        for number in 21..=u8::MAX {
            assert_eq!(SocketType::from_number(number), None);
        }
        for name in [&b""[..], b"dealer", b"DEALER\0", b"DEAL", b"XREQ"] {
            assert_eq!(SocketType::from_name(name), None);
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn types_are_shown_by_their_names() {
        use alloc::format;
        assert_eq!(format!("{} {:>6}", SocketType::XPub, SocketType::Req), "XPUB    REQ");
    }

    /// Every legal pair, written out; all others are refused.
    #[test]
    fn pairs_are_those_of_the_rfcs() {
        use SocketType::*;
        let legal = [
            (Pair, Pair),
            (Pub, Sub),
            (Pub, XSub),
            (XPub, Sub),
            (XPub, XSub),
            (Req, Rep),
            (Req, Router),
            (Rep, Dealer),
            (Dealer, Dealer),
            (Dealer, Router),
            (Router, Router),
            (Push, Pull),
            (Server, Client),
            (Radio, Dish),
            (Gather, Scatter),
            (Peer, Peer),
            (Channel, Channel),
        ];
        for a in SocketType::ALL {
            for b in SocketType::ALL {
                let expected = legal.contains(&(a, b)) || legal.contains(&(b, a));
                assert_eq!(a.pairs_with(b), expected, "{a} and {b}");
                assert_eq!(a.accepts(b.name().as_bytes()), expected, "{a} and {b}");
            }
            assert!(!a.accepts(b"") && !a.accepts(b"NOSUCH"));
        }
    }
}
