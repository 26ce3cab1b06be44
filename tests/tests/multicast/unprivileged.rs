//! The suite's networks made without any privilege: root is given up, so that user namespaces have to do.

use crate::ours;
use omnimq_tests::multicast::{Host, Net, Program, Whose, available, endpoint};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Tells the process that has given root up where our program is.
const CHILD: &str = "OMNIMQ_TEST_WITHOUT_ROOT";

#[test]
fn networks_need_no_root() {
    match std::env::var_os(CHILD) {
        Some(program) => exchange(Path::new(&program)),
        None if nix::unistd::geteuid().is_root() => as_nobody(),
        None => exchange(ours()),
    }
}

/// Over raw IP, whose capability is the namespace's alone, and a network that loses.
fn exchange(program: &Path) {
    assert!(!nix::unistd::geteuid().is_root());
    if !available() {
        return;
    }
    let net = Net::new();
    net.lose(Host::B, 50);
    let start = |host, role| {
        let to = endpoint("pgm", false, host);
        Program::start(&net, host, Whose::Ours, program, &[role, &to, "count=500", "size=500", "rate=20000"])
    };
    let subscriber = start(Host::B, "sub");
    net.await_member(Host::B, "239.192.1.1", 1);
    let mut publisher = start(Host::A, "pub");
    publisher.go();
    let heard = subscriber.heard();
    publisher.stop();
    assert_eq!((heard.received + heard.first, heard.missing, heard.disorder, heard.corrupt), (500, 0, 0, 0), "{heard:?}");
    println!("{heard:?} as user {}", nix::unistd::geteuid());
}

/// Runs this test as a user who may do nothing, with programs from where that user may read.
fn as_nobody() {
    let folder = std::env::temp_dir().join(format!("omnimq-multicast-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let (test, program) = (folder.join("test"), folder.join("pgm"));
    std::fs::copy(std::env::current_exe().expect("a test has a file"), &test).expect("a copy");
    std::fs::copy(ours(), &program).expect("a copy");
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"]).arg(test);
    nobody.args(["--exact", "unprivileged::networks_need_no_root", "--nocapture"]).env(CHILD, program);
    let output = nobody.current_dir("/").output();
    let _ = std::fs::remove_dir_all(&folder);
    let output = output.expect("setpriv of util-linux runs");
    let said = String::from_utf8_lossy(&output.stdout);
    // Skipped is told by the same words as if it had been this process.
    for line in said.lines().filter(|line| line.contains("SKIPPED")) {
        let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes());
    }
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{said}{}", String::from_utf8_lossy(&output.stderr));
}
