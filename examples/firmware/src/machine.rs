//! What a Cortex-M under QEMU has: a clock, arguments, an exit code, a stack that can be measured.

use core::ffi::CStr;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use cortex_m_semihosting::{debug, syscall1};
use smoltcp::time::Instant;

#[cfg(feature = "defmt")]
use defmt_semihosting as _;

#[cfg(feature = "defmt")]
defmt::timestamp!("{=u32:ms}", MILLIS.load(Ordering::Relaxed));

/// Ticks of a millisecond at the boards' 25 MHz.
const TICKS: u32 = 25_000;

static MILLIS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    // No compare-and-swap: Cortex-M0 has none, and nobody else writes.
    MILLIS.store(MILLIS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Starts the clock.
pub(crate) fn start_clock(timer: &mut SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(TICKS - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// Time since the start, in microseconds: whole milliseconds, and what the timer has counted since.
#[inline(never)]
pub(crate) fn now() -> Instant {
    loop {
        let millis = MILLIS.load(Ordering::Relaxed);
        let ticks = TICKS.wrapping_sub(SYST::get_current());
        // A tick in between would put the parts of two milliseconds together.
        if millis == MILLIS.load(Ordering::Relaxed) {
            return Instant::from_micros(i64::from(millis) * 1000 + i64::from(ticks / 25));
        }
    }
}

/// The image's arguments: blanks part them.
pub struct Args {
    octets: [u8; 96],
    len: usize,
    at: usize,
}

impl Args {
    /// What QEMU was given (SYS_GET_CMDLINE), less the image's name.
    pub fn take() -> Self {
        let mut args = Self { octets: [0; 96], len: 0, at: 0 };
        let mut block = [args.octets.as_mut_ptr().addr(), args.octets.len()];
        // SAFETY: the block says where there is room and how much; the host writes no further, and its new length there.
        let refused = unsafe { syscall1!(GET_CMDLINE, block.as_mut_ptr()) };
        if refused == 0 {
            args.len = block[1].min(args.octets.len());
        }
        args.next();
        args
    }
    /// The next argument; empty when there is none.
    #[expect(clippy::should_implement_trait, reason = "it lends from itself")]
    pub fn next(&mut self) -> &[u8] {
        let rest = self.octets.get(self.at..self.len).unwrap_or_default();
        let end = rest.iter().position(|octet| matches!(octet, b' ' | 0)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(end).saturating_add(1);
        rest.get(..end).unwrap_or_default()
    }
    /// The next argument as a number; 0 when it is none.
    pub fn number(&mut self) -> u32 {
        number(self.next())
    }
}

/// The number that these digits are; other octets are passed over.
pub fn number(digits: &[u8]) -> u32 {
    let digits = digits.iter().map(|digit| digit.wrapping_sub(b'0')).filter(|digit| *digit < 10);
    digits.fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(digit.into()))
}

/// Writes `text` and a number to QEMU's standard error (SYS_WRITE0).
pub fn print(text: &CStr, mut value: usize) {
    let mut digits = [0; 12];
    digits[10] = b'\n';
    let mut at = 10;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 || at == 0 {
            break;
        }
    }
    // SAFETY: both texts end with a zero; the host only reads.
    unsafe {
        syscall1!(WRITE0, text.as_ptr());
        syscall1!(WRITE0, digits.as_ptr().add(at));
    }
}

/// The most octets of stack that were in use so far.
pub(crate) fn stack() -> usize {
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (mut at, top) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: the start-up code painted what lies between; reading it changes nothing.
    while at < top && unsafe { at.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        at = at.wrapping_add(1);
    }
    top.addr() - at.addr()
}

/// Ends QEMU with status 0 when all is `well`, else with 1, and tells how much stack was used.
pub fn exit(well: bool) -> ! {
    print(c"stack ", stack());
    debug::exit(if well { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // Where, not why: the why would bring the formatting machinery along.
    print(c"panic in line ", info.location().map_or(0, |place| place.line() as usize));
    exit(false)
}
