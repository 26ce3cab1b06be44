//! The rules of the eleven patterns, RFC 28 to 31, in the plainest words.

mod ask;
mod pair;
mod publish;
mod router;
mod subscribe;
mod work;

use crate::model::Rules;
use omnimq_core::{AnyPattern, Options};

pub(crate) fn of(pattern: AnyPattern, options: &Options) -> Box<dyn Rules> {
    match pattern {
        AnyPattern::Pair => Box::new(pair::Pair::default()),
        AnyPattern::Push => Box::new(work::Push::default()),
        AnyPattern::Pull => Box::new(work::Pull),
        AnyPattern::Dealer => Box::new(work::Dealer::new(options)),
        AnyPattern::Req => Box::new(ask::Req::new(options)),
        AnyPattern::Rep => Box::new(ask::Rep::default()),
        AnyPattern::Router => Box::new(router::Router::new(options)),
        AnyPattern::Pub => Box::new(publish::Pub::new(options)),
        AnyPattern::XPub => Box::new(publish::XPub::new(options)),
        AnyPattern::Sub => Box::new(subscribe::Sub::new(options)),
        AnyPattern::XSub => Box::new(subscribe::XSub::default()),
        AnyPattern::Stream => panic!("STREAM has no rules here"),
    }
}
