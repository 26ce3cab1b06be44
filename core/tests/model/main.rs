//! Sockets under random operations against a small model of the rules, on both storages, and the storages against one
//! another.
//!
//! The same cases on every run, unless `PROPTEST_RNG_SEED` names others; `PROPTEST_CASES` says how many.
#![cfg(feature = "alloc")]

mod model;
mod names;
mod peers;
mod queue;
mod rules;
mod step;
mod subject;

use model::Model;
use omnimq_core::{AnyPattern, Fixed, Heap, LocalStorage};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use step::{Seen, Step};
use subject::{Setting, Subject};

/// Room for all that a trial can come to.
type Roomy = Fixed<4, 4, 2048, 160, 32>;

type Outcome<T> = Result<T, TestCaseError>;

/// A runner that says which seed it has.
fn runner() -> TestRunner {
    let default = ProptestConfig::default();
    let seed = match default.rng_seed {
        RngSeed::Random => 28,
        RngSeed::Fixed(seed) => seed,
    };
    println!("PROPTEST_RNG_SEED={seed}");
    TestRunner::new(ProptestConfig { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..default })
}

/// What is seen of a socket step by step, each of which is what the model says.
fn trial<S: LocalStorage>(setting: &Setting, steps: &[Step]) -> Outcome<Vec<Option<Seen>>> {
    let mut model = Model::new(setting, rules::of(setting.pattern, &setting.options));
    let mut subject = Subject::<S>::new(setting);
    let mut trace = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let Some(pipe) = model.resolve(step) else { continue };
        let seen = subject.act(number, step, pipe);
        let expected = model.act(number, step, pipe, &seen);
        model.settle();
        prop_assert_eq!(&seen, &expected, "step {} {:?} of pipe {}", number, step, pipe);
        prop_assert!(subject.pipes().iter().eq(model.peers.all.keys()), "pipes after step {} {:?}", number, step);
        prop_assert_eq!(subject.dropped(), model.peers.dropped, "dropped after step {} {:?}", number, step);
        trace.push((!model.rules.was_unordered()).then_some(seen));
    }
    Ok(trace)
}

fn trials(pattern: AnyPattern, test: impl Fn(&Setting, &[Step]) -> Outcome<()>) {
    let cases = ([1_u32..=4, 1..=4], any::<u32>(), step::steps(pattern));
    let run = |(marks, chance, steps): (_, _, Vec<Step>)| test(&Setting::new(pattern, marks, chance), &steps);
    runner().run(&cases, run).unwrap_or_else(|failure| panic!("{failure}"));
}

macro_rules! patterns {
    ($($name:ident $pattern:ident)*) => { $(
        mod $name {
            use super::*;

            #[test]
            fn heap_equals_the_model() {
                trials(AnyPattern::$pattern, |setting, steps| trial::<Heap>(setting, steps).map(drop));
            }
            #[test]
            fn fixed_equals_the_model() {
                trials(AnyPattern::$pattern, |setting, steps| trial::<Roomy>(setting, steps).map(drop));
            }
            #[test]
            fn fixed_and_heap_agree() {
                trials(AnyPattern::$pattern, |setting, steps| {
                    prop_assert_eq!(trial::<Roomy>(setting, steps)?, trial::<Heap>(setting, steps)?);
                    Ok(())
                });
            }
        }
    )* };
}

patterns! {
    pair Pair
    publish Pub
    subscribe Sub
    req Req
    rep Rep
    dealer Dealer
    router Router
    pull Pull
    push Push
    xpub XPub
    xsub XSub
}
