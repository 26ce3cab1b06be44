//! Who may know whom: the arrows between the packages, and between the modules of the core.
//!
//! Packages are judged by `cargo metadata`, modules by the paths that their shipped code names.

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

use crate::source::{Finding, Source, as_body, as_word, each_level, is_cfg_test, is_punct, is_word, line_of, shipped};

/// What each package may depend on among ours.
const PACKAGES: [(&str, &[&str]); 11] = [
    ("omnimq-core", &[]),
    ("omnimq", &["omnimq-core", "omnimq-pgm"]),
    ("omnimq-smoltcp", &["omnimq-core"]),
    ("omnimq-pgm", &["omnimq-core"]),
    ("omnimq-c", &["omnimq"]),
    ("omnimq-cli", &["omnimq"]),
    ("omnimq-tests", &["omnimq-core", "omnimq", "omnimq-smoltcp", "omnimq-pgm", "omnimq-c", "omnimq-seeds"]),
    ("omnimq-raw", &[]),
    ("omnimq-seeds", &[]),
    ("omnimq-examples", &["omnimq-core", "omnimq", "omnimq-smoltcp", "omnimq-pgm"]),
    ("xtask", &[]),
];

/// What anybody's tests may depend on, and nothing else.
const FOR_TESTS: [&str; 2] = ["omnimq-raw", "omnimq-seeds"];

/// What the core may depend on: crates that need neither std nor an operating system.
const CORE_CRATES: [&str; 2] = ["defmt", "log"];

/// Licences that go with ours.
const LICENCES: [&str; 13] = [
    "0BSD",
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What the modules of the core may not name: (module, what it may not name, what of that it may).
const MODULES: [(&str, &[&str], &[&str]); 8] = [
    ("connection", &["socket", "pattern", "node"], &[]),
    ("flow", &["connection", "socket", "pattern", "node", "time"], &[]),
    ("pattern", &["wire", "time", "connection", "flow", "node"], &["wire::SocketType"]),
    ("socket", &["wire", "time", "connection", "flow", "node"], &["wire::SocketType"]),
    ("pipe", &["wire", "time", "connection", "flow", "socket", "pattern", "node"], &[]),
    ("storage", &["wire", "time", "connection", "flow", "socket", "pattern", "node"], &[]),
    (
        "time",
        &["body", "connection", "flow", "limits", "node", "options", "pattern", "pipe", "socket", "storage", "wire"],
        &[],
    ),
    ("endpoint", &["connection", "flow", "node", "pattern", "pipe", "socket", "storage", "wire"], &["wire::SocketType"]),
];

/// What the package arrows and licences find in the output of `cargo metadata`.
pub(crate) fn package_findings(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = metadata["workspace_members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = packages.iter().filter(|package| ours.contains(&package["id"])).filter_map(name).collect();
    let mut found = Vec::new();
    for package in packages {
        match name(package) {
            Some(own) if names.contains(&own) => found.extend(dependencies(own, package, &names)),
            Some(foreign) => found.extend(licence(foreign, package)),
            None => {}
        }
    }
    found
}

fn name(package: &Value) -> Option<&str> {
    package["name"].as_str()
}

fn dependencies(own: &str, package: &Value, ours: &[&str]) -> Vec<Finding> {
    let manifest = |what: String| Finding { path: format!("{own}'s Cargo.toml"), line: 0, what };
    let Some((_, allowed)) = PACKAGES.iter().find(|(name, _)| *name == own) else {
        return vec![manifest("not in the table of packages: say what it may depend on".into())];
    };
    let mut found = Vec::new();
    for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let Some(to) = name(dependency) else { continue };
        let ships = dependency["kind"].as_str() != Some("dev");
        let permitted = allowed.contains(&to) || (FOR_TESTS.contains(&to) && !ships);
        if ours.contains(&to) && to != own && !permitted {
            found.push(manifest(format!("{own} may not depend on {to}")));
        }
        if own == "omnimq-core" && ships && !ours.contains(&to) {
            if !CORE_CRATES.contains(&to) {
                found.push(manifest(format!("the core may not depend on {to}")));
            }
            if dependency["uses_default_features"].as_bool() == Some(true) {
                found.push(manifest(format!("{to} needs default-features = false: its defaults may ask for std")));
            }
        }
    }
    found
}

fn licence(foreign: &str, package: &Value) -> Option<Finding> {
    let expression = package["license"].as_str().unwrap_or("none given");
    (!permitted(expression)).then(|| Finding {
        path: "Cargo.lock".into(),
        line: 0,
        what: format!("{foreign}: licence `{expression}` does not go with MIT OR Apache-2.0"),
    })
}

/// Whether an SPDX expression leaves a choice that goes with ours.
fn permitted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    let verdict = any_of(&words, &mut at);
    verdict && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize) -> bool {
    let mut verdict = all_of(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        verdict |= all_of(words, at);
    }
    verdict
}

fn all_of(words: &[&str], at: &mut usize) -> bool {
    let mut verdict = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        verdict &= one(words, at);
    }
    verdict
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let verdict = any_of(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += usize::from(closed);
        return verdict && closed;
    }
    match (words.get(*at), words.get(*at + 1)) {
        (Some(&"WITH"), Some(exception)) => {
            *at += 2;
            LICENCES.contains(&format!("{word} WITH {exception}").as_str())
        }
        _ => LICENCES.contains(word),
    }
}

/// What the module arrows find in the core. Files that only tests are compiled with are not looked at.
pub(crate) fn module_findings(tree: &[Source]) -> Vec<Finding> {
    let tests: Vec<String> = tree.iter().flat_map(test_files).collect();
    tree.iter().filter(|source| !tests.contains(&source.path)).flat_map(file_findings).collect()
}

/// The files of the modules that a file declares under `#[cfg(test)]`.
fn test_files(source: &Source) -> Vec<String> {
    let Some(module) = core_module(&source.path) else { return Vec::new() };
    let mut files = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for window in level.windows(5) {
            let [hash, attribute, keyword, name, end] = window else { continue };
            let declared = is_punct(hash, '#') && is_cfg_test(attribute) && is_word(keyword, "mod") && is_punct(end, ';');
            if let Some(name) = as_word(name).filter(|_| declared) {
                let path = module.iter().chain([&name]).map(String::as_str).collect::<Vec<_>>().join("/");
                files.extend([format!("core/src/{path}.rs"), format!("core/src/{path}/mod.rs")]);
            }
        }
    });
    files
}

fn file_findings(source: &Source) -> Vec<Finding> {
    let Some(module) = core_module(&source.path) else { return Vec::new() };
    let code = shipped(&source.tokens);
    let mut found = std_findings(source, &code);
    let mut paths = Vec::new();
    named_paths(&code, &module, &mut paths);
    let Some(own) = module.first() else { return found };
    for (path, line) in paths {
        let Some(to) = path.split("::").next().filter(|to| to != own) else { continue };
        if to.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            found.push(source.finding(line, format!("`crate::{to}`: name it by its module, so that the arrow shows")));
        } else if let Some(reason) = forbidden(own, to, &path) {
            found.push(source.finding(line, reason));
        }
    }
    found
}

fn forbidden(own: &str, to: &str, path: &str) -> Option<String> {
    if own == "wire" {
        return Some(format!("`{path}`: wire knows only itself and core::"));
    }
    let (_, never, except) = MODULES.iter().find(|(module, ..)| *module == own)?;
    let excepted = except.iter().any(|allowed| path == *allowed || path.starts_with(&format!("{allowed}::")));
    (never.contains(&to) && !excepted).then(|| format!("`{path}`: {own} may not know {to}"))
}

/// The module path of a file of the core that ships: `core/src/wire/frame.rs` is `[wire, frame]`, `lib.rs` is `[]`.
fn core_module(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix("core/src/")?.strip_suffix(".rs")?;
    let mut module: Vec<String> = inner.split('/').map(str::to_string).collect();
    if module.iter().any(|part| part == "tests") {
        return None;
    }
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    Some(module)
}

/// `std` in the core: by a path, a `use` or an `extern crate`.
fn std_findings(source: &Source, code: &TokenStream) -> Vec<Finding> {
    let mut found = Vec::new();
    each_level(code, &mut |level| {
        for (at, token) in level.iter().enumerate().filter(|(_, token)| is_word(token, "std")) {
            let before = at.checked_sub(1).and_then(|at| level.get(at));
            let path = [at + 1, at + 2].into_iter().all(|at| level.get(at).is_some_and(|next| is_punct(next, ':')));
            if path || before.is_some_and(|word| is_word(word, "crate") || is_word(word, "use")) {
                found.push(source.finding(line_of(token), "`std` in the core"));
            }
        }
    });
    found
}

/// Every path from the crate's root that the tokens name, with its line.
fn named_paths(tokens: &TokenStream, module: &[String], paths: &mut Vec<(String, usize)>) {
    let level: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut inner_module = None;
    for (at, token) in level.iter().enumerate() {
        if is_word(token, "mod") {
            inner_module = level.get(at + 1).and_then(as_word);
        }
        if let TokenTree::Group(group) = token {
            let mut inside = module.to_vec();
            inside.extend(as_body(token).and(inner_module.take()));
            named_paths(&group.stream(), &inside, paths);
        }
        let middle = at.checked_sub(1).and_then(|at| level.get(at)).is_some_and(|before| is_punct(before, ':'));
        if let Some(base) = base(&level, at, module).filter(|_| !middle) {
            rest_of_path(level.get(at + 1..).unwrap_or_default(), base, line_of(token), paths);
        }
    }
}

/// Where a path that begins with `crate`, `self` or `super` starts.
fn base(level: &[TokenTree], at: usize, module: &[String]) -> Option<Vec<String>> {
    let is_path = level.get(at + 1).is_some_and(|next| is_punct(next, ':'));
    let word = level.get(at).and_then(as_word).filter(|_| is_path)?;
    match word.as_str() {
        "crate" => Some(Vec::new()),
        "self" => Some(module.to_vec()),
        "super" => Some(module.split_last().map(|(_, outer)| outer.to_vec()).unwrap_or_default()),
        _ => None,
    }
}

/// Follows `::a::b` and `::{a, b::c}` and keeps what they name.
fn rest_of_path(rest: &[TokenTree], mut path: Vec<String>, line: usize, paths: &mut Vec<(String, usize)>) {
    let mut rest = rest;
    while let [first, second, next, after @ ..] = rest {
        if !is_punct(first, ':') || !is_punct(second, ':') {
            break;
        }
        match next {
            TokenTree::Ident(word) if word == "super" => drop(path.pop()),
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Group(group) => return use_group(&group.stream(), &path, paths),
            _ => break,
        }
        rest = after;
    }
    paths.push((path.join("::"), line));
}

fn use_group(tokens: &TokenStream, path: &[String], paths: &mut Vec<(String, usize)>) {
    let level: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for element in level.split(|token| is_punct(token, ',')) {
        let Some((first, rest)) = element.split_first() else { continue };
        let mut inner = path.to_vec();
        inner.extend(as_word(first).filter(|word| word != "self"));
        rest_of_path(rest, inner, line_of(first), paths);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOWHERE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        module_findings(&[Source::parse(path, text).unwrap()]).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn wire_knows_only_itself() {
        assert_eq!(
            lines("core/src/wire/mod.rs", "use crate::error::CloseReason;\nuse core::fmt;\nuse crate::wire::frame;"),
            [1]
        );
        assert_eq!(lines("core/src/wire/frame.rs", "use super::Greeting;\nuse super::super::time::Instant;"), [2]);
        assert_eq!(lines("core/src/wire/frame.rs", "fn f() -> u8 {\n crate::limits::DEFAULT }"), [2]);
    }

    #[test]
    fn connection_knows_no_sockets() {
        assert_eq!(
            lines("core/src/connection/mod.rs", "use crate::socket::Socket;\nuse crate::{pipe::Signal, pattern};"),
            [1, 2]
        );
        assert_eq!(
            lines("core/src/connection/mod.rs", "use crate::wire::{self, Greeting};\nuse crate::time::Instant;"),
            NOWHERE
        );
        assert_eq!(lines("core/src/connection/null.rs", "mod inner {\n use super::super::super::pattern::Pub; }"), [2]);
    }

    #[test]
    fn pattern_knows_no_bytes_time_or_connections() {
        let text = "use crate::wire::FrameHeader;\nuse crate::time::Instant;\nuse crate::connection::Local;\nuse crate::wire::SocketType;";
        assert_eq!(lines("core/src/pattern/req.rs", text), [1, 2, 3]);
        assert_eq!(lines("core/src/pattern/req.rs", "use crate::wire::{SocketType, Greeting};"), [1]);
        assert_eq!(lines("core/src/socket.rs", "use crate::connection::Connection;"), [1]);
    }

    #[test]
    fn leaves_and_pipes_know_nothing_above_them() {
        assert_eq!(lines("core/src/time.rs", "use crate::socket::Socket;"), [1]);
        assert_eq!(lines("core/src/pipe.rs", "use crate::wire::Frame;\nuse crate::body::Body;"), [1]);
        assert_eq!(lines("core/src/storage/fixed.rs", "use crate::socket::Pipes;\nuse super::Storage;"), [1]);
    }

    #[test]
    fn core_names_no_std() {
        let text =
            "use std::vec::Vec;\nextern crate std;\nfn f() { std::process::abort() }\n#[cfg(test)]\nextern crate std;";
        assert_eq!(lines("core/src/node.rs", text), [1, 2, 3]);
        assert_eq!(
            lines("core/src/node.rs", "#[cfg(test)]\nmod tests { use std::vec::Vec; }\n/// std::vec\nfn f(std: u8) {}"),
            NOWHERE
        );
        assert_eq!(lines("transport-std/src/lib.rs", "use std::vec::Vec;"), NOWHERE);
    }

    #[test]
    fn files_of_tests_are_left_out() {
        let parent = Source::parse("core/src/storage/mod.rs", "#[cfg(test)]\nmod models;\nmod fixed;").unwrap();
        let files =
            ["models", "fixed"].map(|name| Source::parse(&format!("core/src/storage/{name}.rs"), "use std::vec;").unwrap());
        let [models, fixed] = files;
        let found = module_findings(&[parent, models, fixed]);
        assert_eq!(found.into_iter().map(|finding| finding.path).collect::<Vec<_>>(), ["core/src/storage/fixed.rs"]);
    }

    #[test]
    fn core_names_items_by_their_module() {
        assert_eq!(lines("core/src/pattern/req.rs", "use crate::Socket;"), [1]);
        assert_eq!(lines("core/src/pattern/req.rs", "pub(crate) struct A;"), NOWHERE);
    }

    fn metadata(own: &str, dependency: Value) -> Value {
        let member = |name: &str| json!({"id": name, "name": name, "license": "MIT", "dependencies": []});
        let mut package = member(own);
        package["dependencies"] = json!([dependency]);
        json!({
            "packages": [package, member("omnimq-tests"), member("omnimq-raw"), member("omnimq-pgm"), member("omnimq-smoltcp")],
            "workspace_members": [own, "omnimq-tests", "omnimq-raw", "omnimq-pgm", "omnimq-smoltcp"],
        })
    }

    fn refused(own: &str, to: &str) -> bool {
        !package_findings(&metadata(own, json!({"name": to, "kind": null, "uses_default_features": false}))).is_empty()
    }

    #[test]
    fn packages_follow_the_arrows() {
        assert!(refused("omnimq-core", "omnimq-pgm"));
        assert!(refused("omnimq", "omnimq-smoltcp"));
        assert!(refused("omnimq", "omnimq-tests"));
        assert!(refused("omnimq", "omnimq-raw"));
        assert!(refused("xtask", "omnimq-pgm"));
        assert!(refused("unheard-of", "serde"));
        assert!(!refused("omnimq", "omnimq-pgm"));
        assert!(!refused("omnimq", "polling"));
    }

    #[test]
    fn core_takes_no_std_crates() {
        assert!(refused("omnimq-core", "socket2"));
        assert!(!refused("omnimq-core", "log"));
        let defaults = metadata("omnimq-core", json!({"name": "log", "kind": null, "uses_default_features": true}));
        assert_eq!(package_findings(&defaults).len(), 1);
        let for_tests = metadata("omnimq-core", json!({"name": "proptest", "kind": "dev", "uses_default_features": true}));
        assert_eq!(package_findings(&for_tests), []);
        let peer = metadata("omnimq", json!({"name": "omnimq-raw", "kind": "dev", "uses_default_features": true}));
        assert_eq!(package_findings(&peer), []);
    }

    #[test]
    fn licences_are_read() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(permitted(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND LGPL-2.1", "MPL-2.0", "", "none given", "(MIT", "MIT)", "MIT WITH strings"] {
            assert!(!permitted(bad), "{bad}");
        }
        let foreign = json!({"packages": [{"id": "x", "name": "x", "license": "AGPL-3.0"}], "workspace_members": []});
        assert_eq!(package_findings(&foreign).len(), 1);
    }
}
