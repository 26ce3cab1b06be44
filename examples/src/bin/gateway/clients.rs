//! The players: a process with REQ sockets, each asking the gateway to have its orders carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use omnimq::{Context, Frame, Message, Req};

use crate::{fleet, order, plan, say};

/// Plays until standard input ends, then says `asked ORDERS`: how many the gateway has taken.
pub(crate) fn run(gateway: &str) -> Result<()> {
    let context = Context::new()?;
    let ending = Arc::new(AtomicBool::new(false));
    let end = ending.clone();
    fleet::obey(|_| {}, move || end.store(true, Ordering::SeqCst));
    let mut threads = Vec::new();
    for client in 0..plan::CLIENTS as u32 {
        let mut req = Req::with(&context, plan::options())?;
        req.connect(gateway)?;
        let ending = ending.clone();
        threads.push(std::thread::spawn(move || play(&mut req, client, &ending)));
    }
    let mut taken = 0;
    for thread in threads {
        taken += thread.join().map_err(|_| anyhow!("a client panicked"))??;
    }
    say(&format!("asked {taken}"))
}

/// One client: a request each tick, or each answer if answers are slower.
fn play(req: &mut Req, client: u32, ending: &AtomicBool) -> Result<u64> {
    let (mut taken, mut tick, mut last) = (0, 0u32, None);
    let mut due = Instant::now();
    while !ending.load(Ordering::SeqCst) {
        req.send(request(client, tick))?;
        let answer = req.recv()?;
        let Some((first, count)) = parse(&answer) else { bail!("client {client} was answered {answer:?}") };
        if count != plan::ORDERS as u64 || last.is_some_and(|last| first <= last) {
            bail!("client {client} was answered {count} orders from number {first}, after {last:?}");
        }
        last = Some(first + count - 1);
        taken += count;
        tick = tick.wrapping_add(1);
        due = (due + plan::TICK).max(Instant::now());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(taken)
}

/// A frame for each order.
fn request(client: u32, tick: u32) -> Message {
    let orders = (0..plan::ORDERS as u32).map(|n| order::order(client * plan::ORDERS as u32 + n, tick));
    Message::from_frames(orders.map(|order| Frame::from(&order[..])).collect())
}

/// The gateway's answer: the number of the first order, and how many there are.
pub(crate) fn answer(first: u64, count: u64) -> Message {
    Message::from([first.to_le_bytes().to_vec(), count.to_le_bytes().to_vec()])
}

fn parse(answer: &Message) -> Option<(u64, u64)> {
    let [first, count] = answer.frames() else { return None };
    Some((u64::from_le_bytes((**first).try_into().ok()?), u64::from_le_bytes((**count).try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sound_orders_and_answers_come_back() {
        let request = request(3, 8);
        assert_eq!(request.len(), plan::ORDERS);
        assert!(request.iter().all(|order| order::is_sound(order)));
        assert_eq!(parse(&answer(12, 25)), Some((12, 25)));
        assert_eq!(parse(&request), None);
    }
}
