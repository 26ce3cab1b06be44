//! There and back: REQ and REP.

use crate::args::Args;
use crate::stage::Stage;
use crate::{Outcome, measured, now};
use omnimq::{Rep, Req};

pub(crate) fn answerer(args: &Args, stage: &Stage) -> Outcome {
    let mut rep = Rep::with(&stage.context, args.options())?;
    stage.announce(&rep.bind(args.site())?);
    for _ in 0..args.count + args.count / 20 + 1 {
        let message = rep.recv()?;
        rep.send(message)?;
    }
    drop(rep);
    stage.end();
    measured([])
}

pub(crate) fn asker(args: &Args, stage: &Stage) -> Outcome {
    let mut req = Req::with(&stage.context, args.options())?;
    req.connect(stage.endpoint(args))?;
    let body = vec![b'x'; args.size];
    let (warm, mut start) = (args.count / 20 + 1, 0.0);
    let mut trips = Vec::with_capacity(args.count as usize);
    for n in 0..args.count + warm {
        if n == warm {
            start = now();
        }
        let sent = now();
        req.send(body.as_slice())?;
        assert_eq!(req.recv()?.bytes().len(), args.size, "wrong size");
        if n >= warm {
            trips.push((now() - sent) * 1e6);
        }
    }
    let wall = now() - start;
    trips.sort_by(f64::total_cmp);
    let at = |part: f64| trips[((trips.len() - 1) as f64 * part) as usize];
    measured([("wall", wall), ("p50", at(0.5)), ("p99", at(0.99)), ("p999", at(0.999))])
}
