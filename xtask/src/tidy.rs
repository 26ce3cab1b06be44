//! The rules of the house that neither rustc nor clippy knows. Each is a pure function over one file.

use proc_macro2::TokenTree;

use crate::source::{Finding, Source, as_body, as_group, as_word, each_level, is_punct, is_word, line_of};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 60;

/// Files and functions that may be longer, each with its reason: (path, function or "", reason).
const LONG: [(&str, &str, &str); 0] = [];

/// Where `unsafe` may stand: calls of the operating system, the C ABI, start-up code of firmware.
const UNSAFE: [&str; 5] =
    ["transport-std/src/sys/", "pgm/src/link/sys.rs", "bindings/c/", "core/no-alloc/", "examples/firmware/"];

/// Where the operating system's crates may be named, among the host library's sources.
const SYSTEM: &str = "transport-std/src/sys/";

/// Crates that are the operating system under another name.
const SYSTEM_CRATES: [&str; 7] = ["getifaddrs", "libc", "mio", "polling", "rustix", "socket2", "windows_sys"];

type Rule = fn(&Source) -> Vec<Finding>;

/// Every rule of this file.
const RULES: [Rule; 9] =
    [header, file_length, function_length, banners, leftovers, machine_paths, unsafe_code, core_attributes, system_calls];

/// What the rules find in the tree.
pub(crate) fn findings(tree: &[Source]) -> Vec<Finding> {
    tree.iter().flat_map(|source| RULES.iter().flat_map(move |rule| rule(source))).chain(stale_exceptions(tree)).collect()
}

/// Every source file says in its first lines what it is.
fn header(source: &Source) -> Vec<Finding> {
    let in_src = source.path.starts_with("src/") || source.path.contains("/src/");
    if !in_src || !source.path.ends_with(".rs") || source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![source.finding(1, "begins without a `//!` header that says what it is")]
}

fn file_length(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    if !source.path.ends_with(".rs") || lines <= FILE_LINES || excepted(&source.path, "") {
        return Vec::new();
    }
    vec![source.finding(0, format!("{lines} lines, more than {FILE_LINES}: two things live in one room"))]
}

fn function_length(source: &Source) -> Vec<Finding> {
    functions(source)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES && !excepted(&source.path, &function.name))
        .map(|function| {
            let Function { name, line, lines, .. } = function;
            source.finding(line, format!("`{name}` has {lines} lines, more than {FUNCTION_LINES}"))
        })
        .collect()
}

/// A comment that draws a line parts what a name, a type or a file of its own would part better.
fn banners(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate().filter(|_| [".rs", ".c"].iter().any(|end| source.path.ends_with(end)));
    let drawn = |line: &str| {
        let comment = line.trim_start();
        let comment = comment.strip_prefix("//").or_else(|| comment.strip_prefix("/*"))?.trim_start();
        ["---", "===", "***", "###"].into_iter().find(|rule| comment.starts_with(rule))
    };
    lines.filter_map(|(number, line)| Some(source.finding(number + 1, format!("`{}`: a banner", drawn(line)?)))).collect()
}

/// Nothing half done: no stubs, no debugging aids, no tests that do not run.
fn leftovers(source: &Source) -> Vec<Finding> {
    const FIX: &str = concat!("FIX", "ME");
    const UNRUN: &str = concat!("```ig", "nore");
    let mut found = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for word in [FIX, UNRUN].into_iter().filter(|word| line.contains(word)) {
            found.push(source.finding(number + 1, format!("`{word}`: finish it or take it out")));
        }
    }
    each_level(&source.tokens, &mut |level| {
        for pair in level.windows(2) {
            let [first, second] = pair else { continue };
            let stub = ["todo", "unimplemented", "dbg"].into_iter().find(|name| is_word(first, name));
            if let Some(name) = stub.filter(|_| is_punct(second, '!')) {
                found.push(source.finding(line_of(first), format!("`{name}!` stands in the tree")));
            }
            let attribute = as_group(second).filter(|_| is_punct(first, '#'));
            if attribute.is_some_and(|group| group.stream().into_iter().next().is_some_and(|word| is_word(&word, "ignore")))
            {
                found.push(source.finding(line_of(first), "a test that is not run shows nothing"));
            }
        }
    });
    found
}

/// No path of the machine that the tree was written on.
fn machine_paths(source: &Source) -> Vec<Finding> {
    const PATHS: [&str; 4] =
        [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/tmp/ba", "sh_jobs")];
    let lines = source.text.lines().enumerate();
    let named = |line: &str| PATHS.into_iter().find(|path| starts_a_path(line, path));
    lines.filter_map(|(number, line)| Some(source.finding(number + 1, format!("names `{}`", named(line)?)))).collect()
}

/// Whether `path` occurs as the beginning of an absolute path, not in the middle of another.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | '-' | '.' | '}' | '*'))
    })
}

fn unsafe_code(source: &Source) -> Vec<Finding> {
    if UNSAFE.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for token in level.iter().filter(|token| is_word(token, "unsafe")) {
            found.push(source.finding(line_of(token), format!("`unsafe` outside {}", UNSAFE.join(", "))));
        }
    });
    found
}

/// The core is for machines without an operating system, and rustc is to hold it to that.
fn core_attributes(source: &Source) -> Vec<Finding> {
    if source.path != "core/src/lib.rs" {
        return Vec::new();
    }
    let missing = |attribute: &&str| !source.text.lines().any(|line| line.trim() == *attribute);
    let wanted = ["#![no_std]", "#![forbid(unsafe_code)]"];
    wanted.into_iter().filter(missing).map(|attribute| source.finding(0, format!("lacks `{attribute}`"))).collect()
}

/// In the host library one folder talks to the operating system.
fn system_calls(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("transport-std/src/") || source.path.starts_with(SYSTEM) {
        return Vec::new();
    }
    let mut found = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for window in level.windows(3) {
            let [word, colon, other] = window else { continue };
            if is_punct(colon, ':') && is_punct(other, ':') && SYSTEM_CRATES.iter().any(|name| is_word(word, name)) {
                found.push(source.finding(line_of(word), format!("`{word}` outside {SYSTEM}")));
            }
        }
    });
    found
}

/// A function with a body.
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Whether an attribute makes it a test.
    pub(crate) test: bool,
    line: usize,
    lines: usize,
}

/// The functions of a file, those inside macro calls too.
pub(crate) fn functions(source: &Source) -> Vec<Function> {
    let mut functions = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for (at, token) in level.iter().enumerate().filter(|(_, token)| is_word(token, "fn")) {
            let Some(name) = level.get(at + 1).and_then(as_word) else { continue };
            let after = level.get(at..).unwrap_or_default();
            let end = after.iter().find(|token| is_punct(token, ';') || as_body(token).is_some());
            let Some(body) = end.and_then(as_body) else { continue };
            let line = line_of(token);
            let lines = body.span_close().end().line + 1 - line;
            functions.push(Function { name, line, lines, test: is_test(level.get(..at).unwrap_or_default()) });
        }
    });
    functions
}

/// Whether the attributes just before a function make it a test: `#[test]`, also by a path that ends so.
fn is_test(before: &[TokenTree]) -> bool {
    let item = before.iter().rposition(|token| is_punct(token, ';') || as_body(token).is_some());
    let own = before.get(item.map_or(0, |at| at + 1)..).unwrap_or_default();
    own.windows(2).any(|pair| {
        let [hash, group] = pair else { return false };
        let last = as_group(group).and_then(|group| group.stream().into_iter().last());
        is_punct(hash, '#') && last.is_some_and(|word| is_word(&word, "test"))
    })
}

fn excepted(path: &str, function: &str) -> bool {
    LONG.iter().any(|(file, name, _)| (*file, *name) == (path, function))
}

/// An exception that nothing needs hides the next offender.
fn stale_exceptions(tree: &[Source]) -> Vec<Finding> {
    let needed = |path: &str, name: &str| {
        tree.iter().filter(|source| source.path == path).any(|source| match name {
            "" => source.text.lines().count() > FILE_LINES,
            _ => functions(source).iter().any(|function| function.name == name && function.lines > FUNCTION_LINES),
        })
    };
    let stale = LONG.iter().filter(|(path, name, _)| !needed(path, name));
    stale
        .map(|(path, name, _)| Finding { path: (*path).into(), line: 0, what: format!("needs no exception for `{name}`") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: [usize; 0] = [];

    fn found(rule: Rule, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::parse(path, text).unwrap()).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn header_is_asked_of_sources() {
        assert_eq!(found(header, "core/src/pipe.rs", "// not a header\nstruct A;"), [1]);
        assert_eq!(found(header, "core/src/pipe.rs", "//! Pipes.\nstruct A;"), NOWHERE);
        assert_eq!(found(header, "core/tests/smoke.rs", "struct A;"), NOWHERE);
    }

    #[test]
    fn file_length_has_a_limit() {
        assert_eq!(found(file_length, "core/src/a.rs", &"\n".repeat(FILE_LINES + 1)), [0]);
        assert_eq!(found(file_length, "core/src/a.rs", &"\n".repeat(FILE_LINES)), NOWHERE);
        assert_eq!(found(file_length, "tests/bench/a.c", &"\n".repeat(FILE_LINES + 1)), NOWHERE);
    }

    #[test]
    fn function_length_has_a_limit() {
        let with = |lines: usize| format!("//! A.\n\nfn long(x: fn(u8) -> u8) {{{}}}\n", "\n".repeat(lines - 1));
        assert_eq!(found(function_length, "core/src/a.rs", &with(FUNCTION_LINES + 1)), [3]);
        assert_eq!(found(function_length, "core/src/a.rs", &with(FUNCTION_LINES)), NOWHERE);
        let in_macro = format!("proptest! {{ {} }}", with(FUNCTION_LINES + 1).replace("//! A.", ""));
        assert_eq!(found(function_length, "core/src/a.rs", &in_macro), [3]);
        assert_eq!(
            found(function_length, "core/src/a.rs", &format!("trait A {{ fn f();\n fn g() {{}} {} }}", "\n".repeat(99))),
            NOWHERE
        );
    }

    #[test]
    fn banners_are_found() {
        let drawn = "fn f() {}\n    // ---- sending ----\n//===\n// a --- b\n/// | a |---|\n// -- no";
        assert_eq!(found(banners, "core/src/a.rs", drawn), [2, 3]);
        assert_eq!(found(banners, "tests/bench/a.c", "int a;\n/* ---- running ---- */\n/* a --- b */"), [2]);
        assert_eq!(found(banners, "README.md", "//==="), NOWHERE);
    }

    #[test]
    fn leftovers_are_found() {
        let stub = concat!("fn f() { to", "do!() }\nfn g() { a(|| un", "implemented!()); d", "bg!(1); }");
        assert_eq!(found(leftovers, "core/src/a.rs", stub), [1, 2, 2]);
        assert_eq!(found(leftovers, "core/src/a.rs", concat!("#[test]\n#[ig", "nore = \"slow\"]\nfn f() {}")), [2]);
        assert_eq!(found(leftovers, "ci.sh", concat!("# FIX", "ME later")), [1]);
        assert_eq!(found(leftovers, "core/src/a.rs", concat!("/// ```ig", "nore\nfn f() {}")), [1]);
        assert_eq!(found(leftovers, "core/src/a.rs", "fn todo() { let ignore = 1; } // do it"), NOWHERE);
    }

    #[test]
    fn machine_paths_are_found() {
        assert_eq!(found(machine_paths, "README.md", concat!("see\n/ro", "ot/x and `/ho", "me/me`")), [2]);
        assert_eq!(found(machine_paths, "a.sh", concat!("cd /wo", "rk/x")), [1]);
        assert_eq!(found(machine_paths, "a.md", concat!("crates/wo", "rk/x, https://a.b/ho", "me/")), NOWHERE);
    }

    #[test]
    fn unsafe_stays_in_its_places() {
        let text = "fn f() { unsafe { g() } }";
        assert_eq!(found(unsafe_code, "core/src/a.rs", text), [1]);
        assert_eq!(found(unsafe_code, "transport-std/src/socket.rs", text), [1]);
        assert_eq!(found(unsafe_code, "transport-std/src/sys/linux.rs", text), NOWHERE);
        assert_eq!(
            found(unsafe_code, "core/src/a.rs", "#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"),
            NOWHERE
        );
    }

    #[test]
    fn core_attributes_are_asked_for() {
        assert_eq!(found(core_attributes, "core/src/lib.rs", "//! #![no_std]\n#![forbid(unsafe_code)]"), [0]);
        assert_eq!(found(core_attributes, "core/src/lib.rs", "#![no_std]\n#![forbid(unsafe_code)]"), NOWHERE);
    }

    #[test]
    fn system_calls_stay_in_their_folder() {
        let text = "use rustix::net;\nfn f() { libc::getpid(); }";
        assert_eq!(found(system_calls, "transport-std/src/socket.rs", text), [1, 2]);
        assert_eq!(found(system_calls, "transport-std/src/sys/unix.rs", text), NOWHERE);
        assert_eq!(found(system_calls, "transport-std/src/socket.rs", "use crate::sys;"), NOWHERE);
    }

    #[test]
    fn tests_are_told_from_other_functions() {
        let text = "#[test] fn a() {} fn b() {} proptest! { #![config(x)] #[test] fn c(x in 0..1) {} } #[tokio::test] async fn d() {}";
        let all = functions(&Source::parse("a.rs", text).unwrap());
        let tests: Vec<_> = all.iter().filter(|function| function.test).map(|function| function.name.as_str()).collect();
        assert_eq!((tests, all.len()), (vec!["a", "d", "c"], 4));
    }

    #[test]
    fn exceptions_that_nothing_needs_are_found() {
        assert_eq!(stale_exceptions(&[]).len(), LONG.len());
    }
}
