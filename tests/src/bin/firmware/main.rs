//! The host's side of `cargo xtask firmware`: boots each role on one board and plays its peers with libzmq.
//!
//! Arguments: the machine of QEMU, the folder of its images, and a role if it is to be the only one. One line
//! `firmware: BOARD ROLE ok …` for each role that does what it promises; the first that does not ends the program with
//! status 1.

mod board;
mod roles;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(machine), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: firmware BOARD FOLDER");
        return ExitCode::FAILURE;
    };
    let bench = roles::Bench { machine, folder: PathBuf::from(folder) };
    let only = arguments.next();
    for (role, play) in roles::ROLES.into_iter().filter(|(role, _)| only.as_deref().is_none_or(|only| only == *role)) {
        println!("{} {role}", bench.machine);
        let start = Instant::now();
        match play(&bench) {
            Ok(figures) => {
                println!("  {:.1} s", start.elapsed().as_secs_f64());
                println!("firmware: {} {role} ok {figures}", bench.machine);
            }
            Err(error) => {
                eprintln!("firmware: {} {role} FAILED: {error}", bench.machine);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
