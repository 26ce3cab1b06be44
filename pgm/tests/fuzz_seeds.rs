//! The committed seeds of the fuzz targets, and every beginning of each, through the bodies of the targets.
#![cfg(feature = "alloc")]

#[expect(unreachable_pub, reason = "the bodies are public where they are a library")]
#[path = "../fuzz/src/lib.rs"]
mod bodies;

macro_rules! targets {
    ($($target:ident)*) => { $(
        #[test]
        fn $target() {
            omnimq_seeds::replay(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/", stringify!($target)), bodies::$target);
        }
    )* };
}

targets!(packet receiver source framing);
