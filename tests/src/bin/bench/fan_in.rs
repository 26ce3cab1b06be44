//! Many DEALERs of one process ask, a ROUTER answers.

use crate::args::Args;
use crate::stage::Stage;
use crate::{Outcome, measured, now};
use omnimq::{Dealer, Router};

pub(crate) fn echoer(args: &Args, stage: &Stage) -> Outcome {
    let mut router = Router::with(&stage.context, args.options())?;
    stage.announce(&router.bind(args.site())?);
    for _ in 0..args.count + (args.clients * args.window) as u64 {
        let message = router.recv()?;
        router.send(message)?;
    }
    drop(router);
    stage.end();
    measured([])
}

pub(crate) fn dealers(args: &Args, stage: &Stage) -> Outcome {
    let mut sockets = Vec::new();
    for _ in 0..args.clients {
        let mut dealer = Dealer::with(&stage.context, args.options())?;
        dealer.connect(stage.endpoint(args))?;
        sockets.push(dealer);
    }
    let body = vec![b'x'; args.size];
    let rounds = args.count / (args.clients * args.window) as u64;
    let mut start = 0.0;
    for round in 0..=rounds {
        if round == 1 {
            start = now();
        }
        for dealer in &mut sockets {
            for _ in 0..args.window {
                dealer.send(body.as_slice())?;
            }
        }
        for dealer in &mut sockets {
            for _ in 0..args.window {
                assert_eq!(dealer.recv()?.bytes().len(), args.size, "wrong size");
            }
        }
    }
    measured([("wall", now() - start)])
}
