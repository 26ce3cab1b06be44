//! The Python interpreter with pyzmq, whose wheel carries libzmq.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The wheel whose libzmq is 4.3.5.
const PYZMQ: &str = "pyzmq==27.3.0";

/// The interpreter that `OMNIMQ_PYTHON` names, or that of a virtual environment made under the target folder.
///
/// # Panics
/// When it can neither be found nor made: a test that needs libzmq is not passed over.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| match env::var_os("OMNIMQ_PYTHON") {
        Some(python) => python.into(),
        None => make(),
    })
}

fn make() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv");
    let python = folder.join("bin/python");
    let works = |python: &Path| Command::new(python).args(["-c", "import zmq"]).status().is_ok_and(|it| it.success());
    if !python.exists() || !works(&python) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYZMQ]));
    }
    python
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
