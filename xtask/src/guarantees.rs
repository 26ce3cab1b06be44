//! What OmniMQ promises stands in tables whose second column is `test`, and every promise in them has one.
//!
//! A test is named as `file.rs::name`, as `package::path::name` or as a command, `cargo xtask name`. Each name must lead to
//! a test in the source; after a run of the tests each must have passed.

use serde_json::Value;

use crate::source::{Finding, Source, as_group, as_word, each_level, is_punct};
use crate::tidy::functions;

/// The pages that hold such tables.
pub(crate) const PAGES: [&str; 2] = ["docs/guarantees.md", "ARCHITECTURE.md"];

/// Commands that take too long for every run of the tests, or whose result is a figure.
const APART: [&str; 4] = ["bench", "fuzz", "mutants", "tsan"];

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
pub(crate) fn findings(tree: &[Source], metadata: &Value, commands: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for path in PAGES {
        match tree.iter().find(|source| source.path == path) {
            Some(page) => found.extend(page_findings(page, tree, metadata, commands)),
            None => found.push(Finding { path: path.into(), line: 0, what: "is missing".into() }),
        }
    }
    found
}

fn page_findings(page: &Source, tree: &[Source], metadata: &Value, commands: &[&str]) -> Vec<Finding> {
    let rows = rows(&page.text);
    let mut found = Vec::new();
    if rows.is_empty() {
        found.push(page.finding(0, "has no table whose second column is `test`"));
    }
    for row in rows {
        if row.names.is_empty() {
            found.push(page.finding(row.line, "a promise without a test"));
        }
        let unknown = row.names.iter().filter_map(|name| unknown(name, tree, metadata, commands));
        found.extend(unknown.map(|what| page.finding(row.line, what)));
    }
    found
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
    let names = rows(page).into_iter().flat_map(|row| row.names);
    names.filter(|name| !ran(name)).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEST: &str = "#[cfg(test)] mod tests { #[test] fn holds() {} fn not_a_test() {} made!(by_macro); }";

    fn lines(page: &str) -> Vec<usize> {
        let page = Source::parse("docs/guarantees.md", page).unwrap();
        let tree = [Source::parse("core/src/pipe.rs", TEST).unwrap()];
        let package = json!({"id": "c", "name": "omnimq-core", "manifest_path": "/x/core/Cargo.toml"});
        let metadata = json!({"packages": [package], "workspace_members": ["c"], "workspace_root": "/x"});
        page_findings(&page, &tree, &metadata, &["no-alloc"]).into_iter().map(|finding| finding.line).collect()
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
    fn only_tables_of_promises_are_read() {
        let other = "| property | why |\n|---|---|\n| a | `b` |\n";
        assert_eq!(lines(other), [0]);
        assert!(lines(&format!("{other}\n{}", page("`core/src/pipe.rs::holds`"))).is_empty());
        let missing = findings(&[], &json!({}), &[]);
        assert_eq!(missing.len(), PAGES.len());
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
