//! What OmniMQ promises stands in tables whose second column is `test`, and every promise in them has one.
//!
//! A test is named as `file.rs::name`, or as a command, `cargo xtask name`. Each name must lead to a test in the source; after
//! a run of the tests each must have passed, in the program that the file belongs to.

use std::collections::BTreeSet;

use crate::report::Passed;
use crate::source::{Finding, Source, as_group, as_word, each_level, is_punct};
use crate::tidy::functions;

/// The pages that hold such tables.
pub(crate) const PAGES: [&str; 2] = ["docs/guarantees.md", "ARCHITECTURE.md"];

/// Commands that take too long for every run of the tests, or whose result is a figure.
const APART: [&str; 5] = ["bench", "fuzz", "mutants", "tsan", "wine"];

/// One promise: where it stands and the tests that it names.
struct Row<'a> {
    line: usize,
    names: Vec<&'a str>,
}

/// The rows of a page's tables of promises.
fn rows(page: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (number, text) in page.lines().enumerate() {
        let Some(cell) = text.strip_prefix('|').and_then(|text| text.split('|').nth(1)) else {
            inside = false;
            continue;
        };
        if inside && !cell.starts_with("--") {
            rows.push(Row { line: number + 1, names: cell.split('`').skip(1).step_by(2).collect() });
        }
        inside |= cell.trim() == "test";
    }
    rows
}

/// Missing pages, rows without a test, and names that lead to none.
pub(crate) fn findings(tree: &[Source], commands: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for path in PAGES {
        match tree.iter().find(|source| source.path == path) {
            Some(page) => found.extend(page_findings(page, tree, commands)),
            None => found.push(Finding { path: path.into(), line: 0, what: "is missing".into() }),
        }
    }
    found
}

fn page_findings(page: &Source, tree: &[Source], commands: &[&str]) -> Vec<Finding> {
    let rows = rows(&page.text);
    let mut found = Vec::new();
    if rows.is_empty() {
        found.push(page.finding(0, "has no table whose second column is `test`"));
    }
    for row in rows {
        if row.names.is_empty() {
            found.push(page.finding(row.line, "a promise without a test"));
        }
        let unknown = row.names.iter().filter_map(|name| unknown(name, tree, commands));
        found.extend(unknown.map(|what| page.finding(row.line, what)));
    }
    found
}

fn unknown(name: &str, tree: &[Source], commands: &[&str]) -> Option<String> {
    if let Some(command) = name.strip_prefix("cargo xtask ") {
        let known = command.split_whitespace().next().is_some_and(|word| commands.contains(&word));
        return (!known).then(|| format!("`{name}`: there is no such command"));
    }
    let Some((file, test)) = name.split_once("::").filter(|(file, _)| file.ends_with(".rs")) else {
        return Some(format!("`{name}`: name a test as file.rs::name"));
    };
    let there = tree.iter().any(|source| source.path == file && holds_test(source, test));
    (!there).then(|| format!("`{name}`: there is no such test"))
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
pub(crate) fn unproved(page: &str, tree: &[Source], tests: &[Passed], steps: &[String]) -> Vec<String> {
    let files: BTreeSet<&str> = tree.iter().map(|source| source.path.as_str()).collect();
    let proofs: Vec<_> = tests.iter().map(|test| whereabouts(test, &files)).collect();
    let ran = |name: &str| match name.strip_prefix("cargo xtask ") {
        Some(command) => APART.iter().any(|apart| command.starts_with(apart)) || steps.iter().any(|step| step == name),
        None => name.split_once("::").is_some_and(|(file, test)| {
            proofs.iter().any(|(where_it_is, path)| where_it_is == file && path.split("::").any(|part| part == test))
        }),
    };
    let names = rows(page).into_iter().flat_map(|row| row.names);
    names.filter(|name| !ran(name)).map(str::to_string).collect()
}

/// The file that a test stands in, and its path in there: modules that are files lead from the program's source to it.
fn whereabouts<'a>(test: &'a Passed, files: &BTreeSet<&str>) -> (String, &'a str) {
    let mut file = test.program.clone();
    let mut folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let mut path = test.name.as_str();
    while let Some((module, rest)) = path.split_once("::") {
        let own = [format!("{folder}{module}.rs"), format!("{folder}{module}/mod.rs")];
        let Some(next) = own.into_iter().find(|own| files.contains(own.as_str())) else { break };
        (file, path) = (next, rest);
        folder += &format!("{module}/");
    }
    (file, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "#[cfg(test)] mod tests { #[test] fn holds() {} fn not_a_test() {} made!(by_macro); }";

    fn lines(page: &str) -> Vec<usize> {
        let page = Source::parse("docs/guarantees.md", page).unwrap();
        let tree = [Source::parse("core/src/pipe.rs", TEST).unwrap()];
        page_findings(&page, &tree, &["no-alloc"]).into_iter().map(|finding| finding.line).collect()
    }

    fn page(test: &str) -> String {
        format!("# Guarantees\n\n| promise | test | last figure |\n|---|---|---|\n| It holds. | {test} | 1 |\n")
    }

    #[test]
    fn tests_that_exist_are_found() {
        for test in ["`core/src/pipe.rs::holds`", "`core/src/pipe.rs::by_macro`", "`cargo xtask no-alloc`"] {
            assert!(lines(&page(test)).is_empty(), "{test}");
        }
    }

    #[test]
    fn tests_that_do_not_exist_are_told() {
        for test in [
            "`core/src/pipe.rs::gone`",
            "`core/src/pipe.rs::not_a_test`",
            "`core/src/socket.rs::holds`",
            "`core::pipe::holds`",
            "`cargo xtask dance`",
            "`holds`",
            "none",
            "`core/src/pipe.rs::holds`, `core/src/pipe.rs::gone`",
        ] {
            assert_eq!(lines(&page(test)), [5], "{test}");
        }
    }

    #[test]
    fn only_tables_of_promises_are_read() {
        let other = "| property | why |\n|---|---|\n| a | `b` |\n";
        assert_eq!(lines(other), [0]);
        assert!(lines(&format!("{other}\n{}", page("`core/src/pipe.rs::holds`"))).is_empty());
        let missing = findings(&[], &[]);
        assert_eq!(missing.len(), PAGES.len());
    }

    /// What is open of the promise that names this test.
    fn open(test: &str) -> Vec<String> {
        let files =
            ["core/src/lib.rs", "core/src/pipe.rs", "core/src/socket/mod.rs", "core/tests/wire.rs", "pgm/tests/wire.rs"];
        let tree = files.map(|file| Source::parse(file, "").unwrap());
        let tests = [
            ("core/src/lib.rs", "pipe::tests::holds"),
            ("core/src/lib.rs", "socket::tests::speaks"),
            ("core/src/lib.rs", "tests::is_whole"),
            ("core/tests/wire.rs", "by_macro::heap"),
            ("pgm/tests/wire.rs", "comes_back"),
        ];
        let tests = tests.map(|(program, name)| Passed { program: program.into(), name: name.into() });
        unproved(&page(test), &tree, &tests, &["cargo xtask no-alloc".to_string()])
    }

    #[test]
    fn a_promise_is_proved_by_a_test_that_passed() {
        for test in [
            "`core/src/pipe.rs::holds`",
            "`core/src/socket/mod.rs::speaks`",
            "`core/src/lib.rs::is_whole`",
            "`core/tests/wire.rs::by_macro`",
            "`cargo xtask no-alloc`",
            "`cargo xtask bench --rows reqrep`",
        ] {
            assert!(open(test).is_empty(), "{test}");
        }
        assert_eq!(open("`core/src/pipe.rs::gone`, `core/src/pipe.rs::holds`"), ["core/src/pipe.rs::gone"]);
        assert_eq!(open("`cargo xtask demo`"), ["cargo xtask demo"]);
    }

    #[test]
    fn an_equal_name_elsewhere_proves_nothing() {
        for test in [
            "core/tests/wire.rs::comes_back",
            "core/src/lib.rs::holds",
            "core/src/pipe.rs::speaks",
            "pgm/src/pipe.rs::holds",
        ] {
            assert_eq!(open(&format!("`{test}`")), [test]);
        }
    }
}
