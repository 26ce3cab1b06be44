//! One way, as fast as it goes: PUSH to PULL, PUB to SUBs.

use crate::args::Args;
use crate::stage::Stage;
use crate::{Outcome, measured, now};
use omnimq::{Pub, Pull, Push, Sub};

pub(crate) fn receiver(args: &Args, stage: &Stage) -> Outcome {
    let mut pull = Pull::with(&stage.context, args.options())?;
    stage.announce(&pull.bind(args.site())?);
    let (mut first, mut sum) = (0.0, 0u64);
    for n in 0..args.count {
        let message = pull.recv()?;
        assert_eq!(message.bytes().len(), args.size, "wrong size");
        sum += u64::from(message.bytes().first().copied().unwrap_or(0));
        if n == 0 {
            first = now();
        }
    }
    measured([("first", first), ("last", now()), ("sum", sum as f64)])
}

pub(crate) fn sender(args: &Args, stage: &Stage) -> Outcome {
    let mut push = Push::with(&stage.context, args.options())?;
    push.connect(stage.endpoint(args))?;
    let body = vec![b'x'; args.size];
    let start = now();
    for _ in 0..args.count {
        push.send(body.as_slice())?;
    }
    let end = now();
    drop(push);
    stage.end();
    measured([("start", start), ("end", end)])
}

pub(crate) fn publisher(args: &Args, stage: &Stage) -> Outcome {
    let mut options = args.options();
    options.pattern.nodrop = true;
    let mut publisher = Pub::with(&stage.context, options)?;
    stage.announce(&publisher.bind(args.site())?);
    stage.wait()?;
    let body = vec![b'x'; args.size];
    let start = now();
    for _ in 0..args.count {
        publisher.send(body.as_slice())?;
    }
    let end = now();
    drop(publisher);
    stage.end();
    measured([("start", start), ("end", end)])
}

pub(crate) fn subscriber(args: &Args, stage: &Stage) -> Outcome {
    let mut sub = Sub::with(&stage.context, args.options())?;
    sub.subscribe("")?;
    sub.connect(stage.endpoint(args))?;
    let mut first = 0.0;
    for n in 0..args.count {
        sub.recv()?;
        if n == 0 {
            first = now();
        }
    }
    measured([("first", first), ("last", now())])
}
