//! `cargo xtask size`: what the firmware's images take, beside an image of bare TCP with the same buffers.
//!
//! Flash and RAM are read from images without log; the stack is measured in the same images with log, while libzmq plays
//! their peers. Ends with lines `size: IMAGE flash=N ram=N stack=N over_echo=N`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::firmware::{BOARDS, Board, Build, folder, host, image};
use crate::image::Image;

/// Images of one role, and the one with all of them.
const ROLES: [(&str, &str); 6] = [
    ("telemetry", "telemetry"),
    ("actuator", "actuator"),
    ("rpc", "rpc"),
    ("pipeline", "pipeline"),
    ("router", "router"),
    ("roles", "telemetry,actuator,rpc,pipeline,router"),
];

/// Images of one socket type, which are not run.
const SOCKETS: [&str; 11] = ["pair", "pub", "sub", "req", "rep", "dealer", "router", "pull", "push", "xpub", "xsub"];

/// What symbols of the formatting machinery and of floating point have in their names. A panic's text is never put
/// together: `panic_fmt` itself comes down to a jump to the handler, which looks at the place only.
const UNWANTED: [&str; 5] = ["4core3fmt", "4core3num3flt2dec", "8dec2flt", "__aeabi_f", "__aeabi_d"];

/// Most octets over the echo image.
const GOALS: [(&str, u64); 3] = [("telemetry", 12 << 10), ("actuator", 12 << 10), ("roles", 28 << 10)];

/// Builds, measures and prints.
pub(crate) fn run() -> Result<()> {
    let board = BOARDS[0];
    let echo = plain(board, ("plain-echo", "echo", "", "release"))?;
    let mut lines = Vec::new();
    for (role, features) in ROLES {
        let kept = format!("plain-{role}");
        let read = plain(board, (&kept, "roles", features, "release"))?;
        let plays: Vec<&str> = if role == "roles" { features.split(',').collect() } else { vec![role] };
        let stack = stack(board, (role, "roles", features), &plays)?;
        lines.push(line(role, &read, Some(stack), echo.text));
    }
    for socket in SOCKETS {
        let (kept, feature) = (format!("plain-socket-{socket}"), format!("socket-{socket}"));
        let read = plain(board, (&kept, "socket", &feature, "release"))?;
        lines.push(line(&feature, &read, None, echo.text));
    }
    for (name, goal) in GOALS {
        let over = lines.iter().find_map(|line| line.strip_prefix(&format!("size: {name} "))?.rsplit_once("over_echo="));
        let over: u64 = over.context("no figure")?.1.parse()?;
        if over > goal {
            println!("size: {name} is {} octets beyond its goal of {goal} over echo; the largest of it:", over - goal);
            largest(&folder(board).join(format!("plain-{name}")), &folder(board).join("plain-echo"))?;
        }
    }
    let stack = stack(board, ("echo", "echo", ""), &["echo"])?;
    let unwanted = UNWANTED.join(", ");
    println!("size: of {} images none has a symbol with one of {unwanted} in its name", 1 + lines.len());
    println!("{}", line("echo", &echo, Some(stack), echo.text));
    println!("{}", lines.join("\n"));
    Ok(())
}

fn line(name: &str, image: &Image, stack: Option<u64>, echo: u64) -> String {
    let stack = stack.map_or_else(|| "-".to_owned(), |stack| stack.to_string());
    let Image { text, bss, .. } = image;
    format!("size: {name} flash={text} ram={bss} stack={stack} over_echo={}", text.saturating_sub(echo))
}

/// An image without log, in which neither formatting nor floating point may be.
fn plain(board: Board, build: Build<'_>) -> Result<Image> {
    let path = image(board, build)?;
    let read = Image::parse(&std::fs::read(&path)?)?;
    let found: Vec<&str> = read.names().filter(|name| UNWANTED.iter().any(|part| name.contains(part))).collect();
    if !found.is_empty() {
        bail!("{} holds {}", path.display(), found.join(", "));
    }
    Ok(read)
}

/// The most stack that an image takes while it does its work: what is most of all `plays`.
fn stack(board: Board, (name, program, features): (&str, &str, &str), plays: &[&str]) -> Result<u64> {
    let features = [features, "defmt"].join(if features.is_empty() { "" } else { "," });
    image(board, (name, program, &features, "release"))?;
    let mut most = 0;
    for play in plays {
        let mut stack = None;
        host(board)?.arg(play).each_line(|line| {
            println!("{line}");
            stack = line.trim().strip_prefix("stack ").and_then(|octets| octets.parse().ok()).or(stack);
        })?;
        most = most.max(stack.with_context(|| format!("{name} does not say what stack it took"))?);
    }
    // The next run of all roles in one image must not find it.
    std::fs::remove_file(folder(board).join(name))?;
    Ok(most)
}

/// What the image has more of than the echo image, by symbol, the largest first. What one of them has in a function of its
/// own may be part of another function in the other one: the compiler decides it anew for each.
fn largest(image: &Path, echo: &Path) -> Result<()> {
    let mut more = BTreeMap::<String, i64>::new();
    for (path, sign) in [(image, 1), (echo, -1)] {
        let image = Image::parse(&std::fs::read(path).with_context(|| path.display().to_string())?)?;
        for (name, octets) in image.code() {
            // Without what tells crates of one name apart: features change it.
            *more.entry(format!("{:#}", rustc_demangle::demangle(name))).or_default() += sign * i64::try_from(octets)?;
        }
    }
    let mut more: Vec<(String, i64)> = more.into_iter().collect();
    more.sort_unstable_by_key(|(_, octets)| std::cmp::Reverse(*octets));
    more.iter().take(20).for_each(|(name, octets)| println!("  {octets:6} {name}"));
    Ok(())
}
