//! How a peer can break the wire format.

/// What is wrong with octets received. Each closes the connection with a protocol error (EPROTO).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WireError {
    /// A ZMTP 1.0 frame of length 0: the length counts the flags octet (RFC 13).
    EmptyV1Frame,
    /// A frame longer than the limit set by the receiver (EMSGSIZE).
    Oversize,
    /// A frame length of 2^63 or more.
    LengthOverflow,
    /// A command frame with MORE: commands are single frames (RFC 37 section 3.3).
    CommandWithMore,
    /// A command without a name, with a name longer than its frame, or not allowed where it came.
    BadCommand,
    /// A PING without its two TTL octets.
    BadPing,
    /// An ERROR whose reason is longer than its frame.
    BadError,
    /// A property without a name, or cut short, or octets after the last property.
    BadMetadata,
    /// A greeting that no version begins with.
    BadGreeting,
    /// A mechanism field that is not a name padded with zeros.
    BadMechanism,
    /// An identity frame of ZMTP 1.0 or 2.0 that is longer than 255 octets or announces more frames.
    BadIdentity,
}

impl core::fmt::Display for WireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::EmptyV1Frame => "a ZMTP 1.0 frame of length 0",
            Self::Oversize => "a frame longer than allowed",
            Self::LengthOverflow => "a frame length of 2^63 or more",
            Self::CommandWithMore => "a command frame that announces more frames",
            Self::BadCommand => "a malformed or misplaced command",
            Self::BadPing => "a PING without its TTL",
            Self::BadError => "a malformed ERROR command",
            Self::BadMetadata => "malformed metadata",
            Self::BadGreeting => "a malformed greeting",
            Self::BadMechanism => "a malformed mechanism name",
            Self::BadIdentity => "a malformed identity frame",
        })
    }
}

impl core::error::Error for WireError {}
