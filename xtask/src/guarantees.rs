//! `docs/guarantees.md` holds what OmniMQ promises: a table of promise, test and last figure.
//!
//! A test is named as `file.rs::name`, as `package::path::name` or as a command, `cargo xtask name`. Each name must lead to
//! a test in the source; after a run of the tests each must have passed.

use serde_json::Value;

use crate::source::{Finding, Source, as_group, as_word, each_level, is_punct};
use crate::tidy::functions;

/// The page itself.
pub(crate) const PAGE: &str = "docs/guarantees.md";

/// Commands that take too long for every run of the tests, or whose result is a figure.
const APART: [&str; 3] = ["bench", "fuzz", "mutants"];

/// One promise's test, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    line: usize,
    name: String,
}

/// The tests that the page names, in its order.
pub(crate) fn named(page: &str) -> Vec<Named> {
    let mut names = Vec::new();
    for (number, row) in page.lines().enumerate().filter(|(_, row)| row.starts_with('|')) {
        let cell = row.split('|').nth(2).unwrap_or_default();
        let quoted = cell.split('`').skip(1).step_by(2);
        names.extend(quoted.map(|name| Named { line: number + 1, name: name.trim().to_string() }));
    }
    names
}

/// Rows without a test, and names that lead to none.
pub(crate) fn findings(tree: &[Source], metadata: &Value, commands: &[&str]) -> Vec<Finding> {
    let Some(page) = tree.iter().find(|source| source.path == PAGE) else {
        return vec![Finding { path: PAGE.into(), line: 0, what: "is missing".into() }];
    };
    let named = named(&page.text);
    let mut found: Vec<Finding> = rows(&page.text)
        .filter(|line| named.iter().all(|test| test.line != *line))
        .map(|line| page.finding(line, "a promise without a test"))
        .collect();
    for test in &named {
        if let Some(what) = unknown(&test.name, tree, metadata, commands) {
            found.push(page.finding(test.line, what));
        }
    }
    found
}

/// The lines of the table's body: what follows a rule of dashes.
fn rows(page: &str) -> impl Iterator<Item = usize> {
    let mut in_body = false;
    page.lines().enumerate().filter_map(move |(number, row)| {
        let rule = row.starts_with('|') && row.contains("---");
        in_body = row.starts_with('|') && (in_body || rule);
        (in_body && !rule).then_some(number + 1)
    })
}

fn unknown(name: &str, tree: &[Source], metadata: &Value, commands: &[&str]) -> Option<String> {
    if let Some(command) = name.strip_prefix("cargo xtask ") {
        let known = command.split_whitespace().next().is_some_and(|word| commands.contains(&word));
        return (!known).then(|| format!("`{name}`: there is no such command"));
    }
    let Some((place, test)) = name.rsplit_once("::") else {
        return Some(format!("`{name}`: name a test as file.rs::name or package::path::name"));
    };
    let folder = match place.split_once(".rs") {
        Some((file, _)) => format!("{file}.rs"),
        None => match package_folder(place.split("::").next().unwrap_or(place), metadata) {
            Some(folder) => folder,
            None => return Some(format!("`{name}`: there is no such package")),
        },
    };
    let mut there = tree.iter().filter(|source| source.path == folder || source.path.starts_with(&format!("{folder}/")));
    (!there.any(|source| holds_test(source, test))).then(|| format!("`{name}`: there is no such test"))
}

/// The folder of one of our packages, relative to the top.
fn package_folder(package: &str, metadata: &Value) -> Option<String> {
    let packages = metadata["packages"].as_array()?;
    let ours = metadata["workspace_members"].as_array()?;
    let package = packages.iter().find(|one| one["name"] == package && ours.contains(&one["id"]))?;
    let folder = package["manifest_path"].as_str()?.strip_suffix("/Cargo.toml")?;
    Some(folder.strip_prefix(metadata["workspace_root"].as_str()?)?.trim_start_matches('/').to_string())
}

/// Whether a file holds this test: a test function, or a name that a macro call makes into one.
fn holds_test(source: &Source, test: &str) -> bool {
    if functions(source).iter().any(|function| function.test && function.name == test) {
        return true;
    }
    let mut made = false;
    each_level(&source.tokens, &mut |level| {
        for window in level.windows(3) {
            let [_, bang, group] = window else { continue };
            let Some(group) = as_group(group).filter(|_| is_punct(bang, '!')) else { continue };
            made |= group.stream().into_iter().any(|token| as_word(&token).is_some_and(|word| word == test));
        }
    });
    made
}

/// The promises whose test is not among the tests and steps that passed. Commands that no run of the tests includes
/// are left out: their figure is the proof.
pub(crate) fn unproved(page: &str, passed: &[String]) -> Vec<String> {
    let ran = |name: &str| match name.strip_prefix("cargo xtask ") {
        Some(command) => APART.iter().any(|apart| command.starts_with(apart)) || passed.iter().any(|step| step == name),
        None => {
            let last = name.rsplit("::").next().unwrap_or(name);
            passed.iter().any(|test| test.split("::").any(|part| part == last))
        }
    };
    named(page).into_iter().map(|test| test.name).filter(|name| !ran(name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEST: &str = "#[cfg(test)] mod tests { #[test] fn holds() {} fn not_a_test() {} made!(by_macro); }";

    fn lines(page: &str) -> Vec<usize> {
        let tree = [Source::parse(PAGE, page).unwrap(), Source::parse("core/src/pipe.rs", TEST).unwrap()];
        let package = json!({"id": "c", "name": "omnimq-core", "manifest_path": "/x/core/Cargo.toml"});
        let metadata = json!({"packages": [package], "workspace_members": ["c"], "workspace_root": "/x"});
        findings(&tree, &metadata, &["no-alloc"]).into_iter().map(|finding| finding.line).collect()
    }

    fn page(test: &str) -> String {
        format!("# Guarantees\n\n| promise | test | last figure |\n|---|---|---|\n| It holds. | {test} | 1 |\n")
    }

    #[test]
    fn tests_that_exist_are_found() {
        for test in [
            "`core/src/pipe.rs::holds`",
            "`omnimq-core::pipe::tests::holds`",
            "`core/src/pipe.rs::by_macro`",
            "`cargo xtask no-alloc`",
        ] {
            assert!(lines(&page(test)).is_empty(), "{test}");
        }
    }

    #[test]
    fn tests_that_do_not_exist_are_told() {
        for test in [
            "`core/src/pipe.rs::gone`",
            "`core/src/pipe.rs::not_a_test`",
            "`core/src/socket.rs::holds`",
            "`omnimq::pipe::holds`",
            "`cargo xtask dance`",
            "`holds`",
            "none",
            "`core/src/pipe.rs::holds`, `core/src/pipe.rs::gone`",
        ] {
            assert_eq!(lines(&page(test)), [5], "{test}");
        }
    }

    #[test]
    fn a_promise_is_proved_by_a_test_that_passed() {
        let passed =
            ["pipe::tests::holds".to_string(), "scenario::by_macro::heap".to_string(), "cargo xtask no-alloc".to_string()];
        let open = |test: &str| unproved(&page(test), &passed);
        assert!(open("`core/src/pipe.rs::holds`").is_empty());
        assert!(open("`tests/scenario.rs::by_macro`").is_empty());
        assert!(open("`cargo xtask no-alloc`").is_empty());
        assert_eq!(open("`core/src/pipe.rs::gone`, `core/src/pipe.rs::holds`"), ["core/src/pipe.rs::gone"]);
        assert!(open("`cargo xtask bench --rows reqrep`").is_empty());
        assert_eq!(open("`cargo xtask demo`"), ["cargo xtask demo"]);
    }
}
