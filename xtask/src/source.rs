//! A file of the tree as the rules see it: its path, its text and, for Rust, its tokens.
//!
//! Rules read tokens instead of text, so a word in a comment or a string never counts as code,
//! and code inside a macro call counts like any other.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::process::root;

/// Folders that hold no source of ours.
const SKIPPED: [&str; 6] = ["target", "corpus", "artifacts", "node_modules", "__pycache__", "mutants.out"];

/// Dotted names that belong to the tree; the others belong to tools.
const DOTTED: [&str; 3] = [".ci", ".cargo", ".gitignore"];

/// One text file of the tree.
pub(crate) struct Source {
    /// Relative to the top folder, with `/` between the parts.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) text: String,
    /// Empty unless the file is Rust.
    pub(crate) tokens: TokenStream,
}

impl Source {
    /// Takes a file's text apart.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self> {
        let tokens = if path.ends_with(".rs") {
            text.parse::<TokenStream>().map_err(|error| anyhow!("{path}: {error}"))?
        } else {
            TokenStream::new()
        };
        Ok(Self { path: path.to_string(), text: text.to_string(), tokens })
    }

    /// What a rule found in this file.
    pub(crate) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

/// Every text file of the tree, in the order of their paths.
pub(crate) fn tree() -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    walk(&root(), "", &mut paths)?;
    paths.sort();
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        let octets = std::fs::read(root().join(&path)).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(octets) {
            sources.push(Source::parse(&path, &text)?);
        }
    }
    Ok(sources)
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) || name.starts_with('.') && !DOTTED.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the top folder.
    pub(crate) path: String,
    /// Counted from 1; 0 when the whole file is meant.
    pub(crate) line: usize,
    /// What is wrong and what to do about it.
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Calls `visit` with the tokens of every nesting level.
pub(crate) fn each_level(tokens: &TokenStream, visit: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<TokenTree> = tokens.clone().into_iter().collect();
    visit(&level);
    for token in &level {
        if let TokenTree::Group(group) = token {
            each_level(&group.stream(), visit);
        }
    }
}

/// The tokens without the items under `#[cfg(test)]`.
pub(crate) fn shipped(tokens: &TokenStream) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut rest = tokens.clone().into_iter().peekable();
    while let Some(token) = rest.next() {
        if is_punct(&token, '#') && rest.peek().is_some_and(is_cfg_test) {
            let ends = |token: &TokenTree| is_punct(token, ';') || as_body(token).is_some();
            rest.find(ends);
            continue;
        }
        kept.extend([match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), shipped(&group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    kept
}

/// Whether a token is the group of `#[cfg(test)]`.
pub(crate) fn is_cfg_test(token: &TokenTree) -> bool {
    as_group(token).is_some_and(|group| group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Whether a token is this character.
pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether a token is this word.
pub(crate) fn is_word(token: &TokenTree, wanted: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == wanted)
}

/// The word a token is.
pub(crate) fn as_word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

/// The group a token is.
pub(crate) fn as_group(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    }
}

/// The group in braces a token is.
pub(crate) fn as_body(token: &TokenTree) -> Option<&Group> {
    as_group(token).filter(|group| group.delimiter() == Delimiter::Brace)
}

/// The line a token begins on.
pub(crate) fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_leaves_tests_out() {
        let source =
            "use a::b; #[cfg(test)] extern crate std; mod m { fn f() {} #[cfg(test)] mod tests { fn g() {} } } fn h() {}";
        let text = shipped(&source.parse().unwrap()).to_string();
        assert!(text.contains("fn f") && text.contains("fn h") && text.contains("a :: b"), "{text}");
        assert!(!text.contains("std") && !text.contains("fn g"), "{text}");
    }

    #[test]
    fn the_tree_holds_this_file() {
        let tree = tree().unwrap();
        assert!(tree.iter().any(|source| source.path == "xtask/src/source.rs" && !source.tokens.is_empty()));
        assert!(tree.iter().all(|source| !source.path.starts_with("target/")));
    }
}
