//! LAN9118, the Ethernet controller of the MPS2 boards (datasheet of Microchip, as QEMU has it): one frame each way, polled.

use core::ptr::{read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Its line into the interrupt controller.
pub(crate) const IRQ: u16 = 13;

const BASE: usize = 0x4020_0000;
/// Octets of the longest frame, with its check sum, in words.
const WORDS: usize = 1520 / 4;

#[derive(Clone, Copy)]
enum Register {
    RxData = 0x00,
    TxData = 0x20,
    RxStatus = 0x40,
    TxStatus = 0x48,
    IrqConfig = 0x54,
    InterruptStatus = 0x58,
    InterruptEnable = 0x5c,
    ByteTest = 0x64,
    FifoInterrupt = 0x68,
    TxConfig = 0x70,
    HardwareConfig = 0x74,
    RxFifo = 0x7c,
    TxFifo = 0x80,
    MacCommand = 0xa4,
    MacData = 0xa8,
}

/// Registers behind `MacCommand`.
mod mac {
    pub(super) const CONTROL: u32 = 1;
    pub(super) const ADDRESS_HIGH: u32 = 2;
    pub(super) const ADDRESS_LOW: u32 = 3;
    pub(super) const BUSY: u32 = 1 << 31;
    pub(super) const READ: u32 = 1 << 30;
}

/// A frame has come.
const RX_LEVEL: u32 = 1 << 3;
const RX_ERROR: u32 = 1 << 15;

fn read(register: Register) -> u32 {
    // SAFETY: the boards have the controller's registers here.
    unsafe { read_volatile(with_exposed_provenance(BASE + register as usize)) }
}

fn write(register: Register, value: u32) {
    // SAFETY: as `read`; what is written moves frames within the controller only.
    unsafe { write_volatile(with_exposed_provenance_mut(BASE + register as usize), value) }
}

fn mac_command(command: u32) {
    write(Register::MacCommand, mac::BUSY | command);
    while read(Register::MacCommand) & mac::BUSY != 0 {}
}

/// The controller, and room for a frame each way.
pub(crate) struct Lan9118 {
    rx: [u32; WORDS],
    tx: [u32; WORDS],
}

impl Lan9118 {
    pub(crate) const fn new() -> Self {
        Self { rx: [0; WORDS], tx: [0; WORDS] }
    }
    /// Resets it and lets frames pass; `None` when it is not there.
    pub(crate) fn start(&mut self, address: [u8; 6]) -> Option<()> {
        if read(Register::ByteTest) != 0x8765_4321 {
            return None;
        }
        write(Register::HardwareConfig, 1);
        while read(Register::HardwareConfig) & 1 != 0 {}
        // Store and forward, 5 KiB for frames to send.
        write(Register::HardwareConfig, 1 << 20 | 5 << 16);
        write(Register::InterruptEnable, 0);
        write(Register::InterruptStatus, u32::MAX);
        // An interrupt at the first frame received.
        write(Register::FifoInterrupt, 0x4800_0000);
        let [a, b, c, d, e, f] = address;
        write(Register::MacData, u32::from_le_bytes([a, b, c, d]));
        mac_command(mac::ADDRESS_LOW);
        write(Register::MacData, u32::from_le_bytes([e, f, 0, 0]));
        mac_command(mac::ADDRESS_HIGH);
        write(Register::TxConfig, 1 << 1);
        mac_command(mac::READ | mac::CONTROL);
        // Transmitter and receiver on.
        write(Register::MacData, read(Register::MacData) | 1 << 3 | 1 << 2);
        mac_command(mac::CONTROL);
        // The line is active low at reset: only from here on may the interrupt controller listen to it.
        write(Register::IrqConfig, 1 << 8 | 1 << 4 | 1);
        Some(())
    }
    /// Lets the next frame wake the processor.
    pub(crate) fn listen() {
        write(Register::InterruptStatus, RX_LEVEL);
        write(Register::InterruptEnable, RX_LEVEL);
    }
    /// Takes the interrupt line back.
    pub(crate) fn hush() {
        write(Register::InterruptEnable, 0);
    }
    /// Whether a frame waits.
    pub(crate) fn has_frame() -> bool {
        read(Register::RxFifo) >> 16 & 0xff != 0
    }
    /// Whether a frame of any length may be sent. Clears the reports on those that went.
    fn has_room() -> bool {
        while read(Register::TxFifo) >> 16 & 0xff != 0 {
            read(Register::TxStatus);
        }
        read(Register::TxFifo) & 0xffff >= 4 * WORDS as u32 + 64
    }
}

/// A frame that has come, without its check sum.
pub(crate) struct Received<'a>(&'a [u8]);

/// Room for a frame to send.
pub(crate) struct Sending<'a>(&'a mut [u32; WORDS]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let len = len.min(4 * WORDS);
        // SAFETY: words are four octets each, and any octets are words.
        let frame = unsafe { core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<u8>(), len) };
        let filled = fill(frame);
        // First and last part of a frame, its length, its tag.
        write(Register::TxData, 1 << 13 | 1 << 12 | len as u32);
        write(Register::TxData, len as u32);
        for word in self.0.iter().take(len.div_ceil(4)) {
            write(Register::TxData, *word);
        }
        filled
    }
}

impl Device for Lan9118 {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;
    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        if !Self::has_frame() || !Self::has_room() {
            return None;
        }
        let status = read(Register::RxStatus);
        let len = (status >> 16 & 0x3fff) as usize;
        for at in 0..len.div_ceil(4) {
            let word = read(Register::RxData);
            if let Some(place) = self.rx.get_mut(at) {
                *place = word;
            }
        }
        if status & RX_ERROR != 0 {
            return None;
        }
        // SAFETY: words are four octets each.
        let octets = unsafe { core::slice::from_raw_parts(self.rx.as_ptr().cast::<u8>(), 4 * WORDS) };
        Some((Received(octets.get(..len.checked_sub(4)?)?), Sending(&mut self.tx)))
    }
    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Self::has_room().then_some(Sending(&mut self.tx))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}
