//! Every public item of the host library shows what it is for: by a program in its documentation, which runs with the tests,
//! or by a link to an item that has one.
//!
//! A link counts where the text says so, by "as" or "see". Items are types, traits and functions;
//! that each has documentation at all is rustc's to say.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};

use crate::source::{Finding, Source, as_body, as_group, as_word, is_punct, is_word, line_of, shipped};

/// Whose items are asked.
const LIBRARY: &str = "transport-std/src/";

/// What may stand between `pub` and the word that says what an item is.
const QUALIFIERS: [&str; 3] = ["async", "const", "unsafe"];

/// What items are.
const KINDS: [&str; 5] = ["enum", "fn", "struct", "trait", "type"];

/// How a block of code that is compiled as a program begins.
const PROGRAMS: [&str; 3] = ["", "no_run", "rust"];

/// What stands before a link to an item that shows it.
const LEADS: [&str; 3] = ["As [`", "See [`", "see [`"];

/// A public item.
struct Item<'a> {
    source: &'a Source,
    line: usize,
    /// `Socket::send`, `Context`, `proxy`.
    name: String,
    /// It has a program.
    shows: bool,
    /// The items that it leads to, by their names.
    leads: Vec<String>,
}

/// Items that show nothing.
pub(crate) fn findings(tree: &[Source]) -> Vec<Finding> {
    let sources = tree.iter().filter(|source| source.path.starts_with(LIBRARY) && source.path.ends_with(".rs"));
    let items: Vec<_> = sources.flat_map(items).collect();
    let mut book = Book::default();
    for item in &items {
        book.0.entry(&item.name).or_default().push(item);
    }
    let bare = items.iter().filter(|item| !book.shows(item, &mut Vec::new()));
    bare.map(|item| {
        item.source.finding(item.line, format!("`{}` has no example, and leads to none by \"as\" or \"see\"", item.name))
    })
    .collect()
}

/// The items by their names: several have the same where systems or features differ.
#[derive(Default)]
struct Book<'a>(HashMap<&'a str, Vec<&'a Item<'a>>>);

impl<'a> Book<'a> {
    /// Whether the item has a program or leads to one; those in `seen` are being looked at.
    fn shows(&self, item: &'a Item<'a>, seen: &mut Vec<&'a str>) -> bool {
        item.shows || item.leads.iter().any(|lead| self.reaches(lead, seen))
    }
    fn reaches(&self, name: &'a str, seen: &mut Vec<&'a str>) -> bool {
        if seen.contains(&name) {
            return false;
        }
        seen.push(name);
        self.0.get(name).is_some_and(|items| items.iter().any(|item| self.shows(item, seen)))
    }
}

/// The public items of a file.
fn items(source: &Source) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    collect(source, &shipped(&source.tokens), &Place::Free, &mut items);
    items
}

/// Where an item stands.
enum Place {
    Free,
    /// In an `impl` of this type.
    Of(String),
    /// In the call of a macro: what it makes is documented there, by a name and a colon.
    Call,
}

fn collect<'a>(source: &'a Source, tokens: &TokenStream, place: &Place, items: &mut Vec<Item<'a>>) {
    let level: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (docs, rest) in documented(&level) {
        let name = public_item(rest).or_else(|| made_item(rest).filter(|_| matches!(place, Place::Call)));
        if let (Some(name), Some(first)) = (name, rest.first()) {
            let owner = if let Place::Of(owner) = place { owner } else { "" };
            let name = if owner.is_empty() { name } else { format!("{owner}::{name}") };
            let (shows, leads) = read(&docs, owner);
            items.push(Item { source, line: line_of(first), name, shows, leads });
        }
    }
    let mut inner = Place::Free;
    for (at, token) in level.iter().enumerate() {
        let rest = level.get(at..).unwrap_or_default();
        if is_word(token, "impl") {
            inner = implemented(rest).map_or(Place::Free, Place::Of);
        } else if is_punct(token, '!') && rest.get(1).and_then(as_body).is_some() {
            inner = Place::Call;
        } else if let Some(group) = as_group(token) {
            collect(source, &group.stream(), &inner, items);
            if as_body(token).is_some() {
                inner = Place::Free;
            }
        }
    }
}

/// What has documentation at this level: the text, and what follows it and the other attributes.
fn documented(level: &[TokenTree]) -> Vec<(String, &[TokenTree])> {
    let (mut found, mut docs, mut at) = (Vec::new(), String::new(), 0);
    while let Some(rest @ [_, ..]) = level.get(at..) {
        if let [hash, attribute, ..] = rest
            && is_punct(hash, '#')
            && let Some(attribute) = as_group(attribute)
        {
            docs.extend(doc_line(attribute.stream()));
            at += 2;
            continue;
        }
        if !docs.is_empty() {
            found.push((std::mem::take(&mut docs), rest));
        }
        at += 1;
    }
    found
}

/// The line that an attribute of documentation is.
fn doc_line(attribute: TokenStream) -> Option<String> {
    let words: Vec<TokenTree> = attribute.into_iter().collect();
    match &words[..] {
        [doc, _, TokenTree::Literal(text)] if is_word(doc, "doc") => {
            Some(format!("{}\n", text.to_string().trim_start_matches('r').trim_matches('"')))
        }
        _ => None,
    }
}

/// The name of the item that begins here, if everybody may use it.
fn public_item(rest: &[TokenTree]) -> Option<String> {
    let mut words = rest.iter().map_while(as_word);
    words.next().filter(|word| word == "pub")?;
    words.find(|word| !QUALIFIERS.contains(&word.as_str())).filter(|kind| KINDS.contains(&kind.as_str()))?;
    words.next()
}

/// The name of what a macro is to make.
fn made_item(rest: &[TokenTree]) -> Option<String> {
    as_word(rest.first()?).filter(|_| rest.get(1).is_some_and(|token| is_punct(token, ':')))
}

/// The type that the `impl` which begins here is of.
fn implemented(rest: &[TokenTree]) -> Option<String> {
    let (mut depth, mut name) = (0, None);
    for token in rest.iter().skip(1).take_while(|token| as_body(token).is_none() && !is_word(token, "where")) {
        if is_punct(token, '<') {
            depth += 1;
        } else if is_punct(token, '>') {
            depth -= 1;
        } else if depth == 0 {
            name = as_word(token).or(name);
        }
    }
    name
}

/// Whether a program is among these lines, and which items they lead to before the first heading.
fn read(docs: &str, owner: &str) -> (bool, Vec<String>) {
    let (mut shows, mut inside, mut prose, mut headed) = (false, false, String::new(), false);
    for line in docs.lines().map(str::trim) {
        if let Some(what) = line.strip_prefix("```") {
            shows |= !inside && PROGRAMS.contains(&what);
            inside = !inside;
        } else if !inside {
            headed |= line.starts_with("# ");
            if !headed {
                prose.push_str(line);
                prose.push(' ');
            }
        }
    }
    let after =
        LEADS.iter().flat_map(|lead| prose.match_indices(lead)).filter_map(|(at, lead)| prose.get(at + lead.len()..));
    (shows, after.filter_map(|after| linked(after, owner)).collect())
}

/// The name of the item that a link means, from what follows its first quote.
fn linked(after: &str, owner: &str) -> Option<String> {
    let (text, after) = after.split_once("`]")?;
    let target = after.strip_prefix('(').and_then(|after| after.split_once(')')).map_or(text, |(target, _)| target);
    let target = target.strip_prefix("crate::").unwrap_or(target);
    Some(target.strip_prefix("Self::").map_or_else(|| target.to_string(), |name| format!("{owner}::{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: [usize; 0] = [];

    const PROGRAM: &str = "/// ```\n/// f();\n/// ```\n";

    /// The lines of what is found in a file of the library.
    fn found(text: &str) -> Vec<usize> {
        let source = Source::parse("transport-std/src/a.rs", &text.replace("PROGRAM", PROGRAM)).unwrap();
        findings(&[source]).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn items_are_asked_for_a_program() {
        assert_eq!(found("/// A.\npub struct A;"), [2]);
        assert_eq!(found("/// A.\nPROGRAMpub struct A;"), NOWHERE);
        assert_eq!(found("/// A.\n#[inline]\npub const fn a() {}\n/// B.\npub trait B { /// C.\nfn c(); }"), [3, 5]);
        assert_eq!(found("/// A.\n/// ```text\n/// a\n/// ```\npub fn a() {}"), [5], "no program");
        assert_eq!(found("/// A.\n/// ```compile_fail\n/// a\n/// ```\npub fn a() {}"), [5], "what not to write");
    }

    #[test]
    fn others_are_not_asked() {
        assert_eq!(found("/// A.\npub(crate) fn a() {}\n/// B.\nfn b() {}\n/// C.\npub const C: u8 = 1;"), NOWHERE);
        assert_eq!(found("impl A for B { /// C.\nfn c() {} }\n#[cfg(test)] mod tests { /// D.\npub fn d() {} }"), NOWHERE);
        assert_eq!(found("PROGRAMpub struct A { /// B.\npub b: u8 }\nPROGRAMpub enum C { /// D.\nD }"), NOWHERE);
        let core = Source::parse("core/src/a.rs", "/// A.\npub fn a() {}").unwrap();
        assert!(findings(&[core]).is_empty());
    }

    #[test]
    fn links_lead_to_programs() {
        let text =
            |doc: &str| format!("PROGRAMpub struct A;\nimpl<T> A<T> {{ PROGRAMpub fn a() {{}}\n{doc}\npub fn b() {{}} }}");
        let lines = |doc: &str| found(&text(doc)).len();
        for good in
            ["/// As [`A::a`].", "/// As\n/// [`a`](Self::a).", "/// B: see [`A`].", "/// See [`that`](crate::A::a)."]
        {
            assert_eq!(lines(good), 0, "{good}");
        }
        for bad in ["/// [`A::a`] is another.", "/// As [`A::c`].", "/// As [`A::b`].", "/// # Errors\n/// As [`A::a`]."] {
            assert_eq!(lines(bad), 1, "{bad}");
        }
        let chain = "PROGRAMpub fn a() {}\n/// As [`a`].\npub fn b() {}\n/// As [`b`].\npub fn c() {}";
        assert_eq!(found(chain), NOWHERE);
        assert_eq!(found("/// As [`b`].\npub fn a() {}\n/// As [`a`].\npub fn b() {}"), [2, 4], "a circle");
    }

    #[test]
    fn what_macros_make_is_asked_too() {
        let made = "macro_rules! typed { () => { impl $name { /// A.\npub fn a() {} } } }\ntyped! { /// B.\nB: a b;\nPROGRAMC: a; }";
        assert_eq!(found(made), [2, 4]);
    }
}
