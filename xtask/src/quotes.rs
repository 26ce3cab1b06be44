//! Files that the README shows are built elsewhere in the tree: what it shows of them is what stands there.
//!
//! A code block quotes a file when the line before it ends with a link to the file and a colon. Rust is quoted whole.

use crate::source::{Finding, Source};

const PAGE: &str = "README.md";

/// What must be quoted, because a reader begins with it.
const BEGINNINGS: [&str; 4] = [
    "examples/firmware/Cargo.toml",
    "examples/firmware/.cargo/config.toml",
    "examples/firmware/memory.x",
    "examples/firmware/src/bin/quick.rs",
];

/// One code block that quotes a file.
struct Quote<'a> {
    line: usize,
    path: &'a str,
    text: String,
}

/// The quotes of a page.
fn quotes(page: &str) -> Vec<Quote<'_>> {
    let mut found: Vec<Quote<'_>> = Vec::new();
    let (mut before, mut open, mut quoting) = ("", false, false);
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            open = !open;
            let path = before.strip_suffix("):").and_then(|before| before.rsplit_once("](")).map(|(_, path)| path);
            quoting = open && path.is_some();
            found.extend(path.filter(|_| open).map(|path| Quote { line: number + 1, path, text: String::new() }));
        } else if let Some(quote) = found.last_mut().filter(|_| open && quoting) {
            quote.text.extend([line, "\n"]);
        }
        if !line.is_empty() {
            before = line;
        }
    }
    found
}

/// Quotes that are not what stands in their files, and beginnings that are not quoted.
pub(crate) fn findings(tree: &[Source]) -> Vec<Finding> {
    let Some(page) = tree.iter().find(|source| source.path == PAGE) else {
        return vec![Finding { path: PAGE.into(), line: 0, what: "is missing".into() }];
    };
    let quotes = quotes(&page.text);
    let wrong = quotes.iter().filter(|quote| !holds(tree, quote));
    let wrong = wrong.map(|quote| page.finding(quote.line, format!("is not what stands in {}", quote.path)));
    let missing = BEGINNINGS.iter().filter(|path| quotes.iter().all(|quote| quote.path != **path));
    wrong.chain(missing.map(|path| page.finding(0, format!("does not show {path}")))).collect()
}

fn holds(tree: &[Source], quote: &Quote<'_>) -> bool {
    let file = tree.iter().find(|source| source.path == quote.path);
    file.is_some_and(|file| {
        let lines = format!("\n{}", file.text);
        let whole = file.text == quote.text;
        whole || (!quote.path.ends_with(".rs") && !quote.text.is_empty() && lines.contains(&format!("\n{}", quote.text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let file = |path: &str, text: &str| Source::parse(path, text).unwrap();
        let tree = [file(PAGE, page), file("a.toml", "one = 1\ntwo = 2\n"), file("b.rs", "fn b() {}\n\nfn c() {}\n")];
        let found = findings(&tree).into_iter().map(|finding| finding.to_string());
        found.filter(|what| !what.contains("does not show")).collect()
    }

    #[test]
    fn what_stands_in_the_file_is_quoted_whole_lines_and_rust_whole() {
        for sound in [
            "See [`a.toml`](a.toml):\n\n```toml\ntwo = 2\n```\n",
            "See [`b.rs`](b.rs):\n```rs\nfn b() {}\n\nfn c() {}\n```\nand more.\n\n```rs\nfn d() {}\n```\n",
            "See [`b.rs`](b.rs), and this:\n```sh\ncargo\n```\n",
        ] {
            assert_eq!(found(sound), [""; 0], "{sound}");
        }
        for wrong in [
            "See [`a.toml`](a.toml):\n\n```toml\ntwo = 3\n```\n",
            "See [`a.toml`](a.toml):\n\n```toml\n = 2\n```\n",
            "See [`a.toml`](a.toml):\n\n```toml\n```\n",
            "See [`b.rs`](b.rs):\n```rs\nfn c() {}\n```\n",
            "See [`c.rs`](c.rs):\n```rs\nfn c() {}\n```\n",
        ] {
            assert_eq!(found(wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn beginnings_are_missed() {
        let page = [Source::parse(PAGE, "nothing\n").unwrap()];
        assert_eq!(findings(&page).len(), BEGINNINGS.len());
        assert_eq!(findings(&[]).len(), 1);
    }
}
