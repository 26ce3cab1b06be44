//! Decisions drawn from octets; when they run out, every decision is 0.

/// The octets left.
#[derive(Clone, Copy, Debug)]
pub struct Decisions<'a>(pub &'a [u8]);

impl<'a> Decisions<'a> {
    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&octet, rest)) => {
                self.0 = rest;
                octet
            }
            None => 0,
        }
    }
    /// A number below `n`, which is at most 256.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.octet()) % n
    }
    /// One of `all`.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
    /// The next `len` octets, or as many as there are.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Lengths of at least 1 to cut a stream into, used over and over; the first octet says how many.
    pub fn cuts(&mut self) -> Vec<usize> {
        let count = 1 + self.below(8);
        (0..count).map(|_| usize::from(self.octet()).max(1)).collect()
    }
}

/// `stream` in pieces of those lengths.
pub fn pieces<'a>(stream: &'a [u8], lengths: &[usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut decisions = Decisions(stream);
    lengths.iter().cycle().map(move |&len| decisions.take(len)).take_while(|piece| !piece.is_empty())
}
