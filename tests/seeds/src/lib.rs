//! What tests draw from seeds, so that a run can be repeated: numbers, decisions, the seeds of a scenario's runs, and the
//! committed corpora of the fuzz targets.

mod corpus;
mod decisions;
mod rng;
mod runs;

pub use corpus::replay;
pub use decisions::{Decisions, pieces};
pub use rng::Rng;
pub use runs::{each, each_of};
