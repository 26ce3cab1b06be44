//! The board as a role sees it: a network interface, a clock, sleep.

use crate::arena::Arena;
use crate::lan9118::{IRQ, Lan9118};
use crate::machine;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use smoltcp::iface::{Config, Context, Interface, PollIngressSingleResult, PollResult, SocketSet};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Address};

/// Where QEMU's network says the host is.
pub const HOST: IpAddress = IpAddress::Ipv4(Ipv4Address::new(10, 0, 2, 2));
const OWN: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0f];

/// The controller's interrupt.
#[derive(Clone, Copy)]
struct Network;

// SAFETY: the number is that of the boards' Ethernet controller and never changes.
unsafe impl InterruptNumber for Network {
    fn number(self) -> u16 {
        IRQ
    }
}

#[exception]
unsafe fn DefaultHandler(_: i16) {
    // It has done its work: the processor is awake.
    Lan9118::hush();
}

/// The board.
pub struct Board {
    device: &'static mut Lan9118,
    interface: Interface,
}

impl Board {
    /// Octets that it takes of an arena.
    pub const ROOM: usize = size_of::<Lan9118>();

    /// Starts the clock and the network; `None` when the board lacks something.
    pub fn start<const N: usize>(arena: &'static Arena<N>) -> Option<Self> {
        let mut peripherals = cortex_m::Peripherals::take()?;
        machine::start_clock(&mut peripherals.SYST);
        let device = arena.put(Lan9118::new)?;
        device.start(ADDRESS)?;
        // SAFETY: no critical section is built on this interrupt being masked.
        unsafe { NVIC::unmask(Network) };
        let mut config = Config::new(EthernetAddress(ADDRESS).into());
        // A product draws this at random.
        config.random_seed = 0x1234_5678;
        let mut interface = Interface::new(config, device, machine::now());
        interface.update_ip_addrs(|addresses| {
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(OWN), 24));
        });
        Some(Self { device, interface })
    }
    /// The time.
    pub fn now(&self) -> Instant {
        machine::now()
    }
    /// Takes the frames that have come. The answers leave with [`send`](Self::send): after the sockets have been read, so
    /// that what they say of their windows is true.
    // A function in every image, as `send` is: what images are compared by is theirs alone.
    #[inline(never)]
    pub fn take(&mut self, sockets: &mut SocketSet<'_>) {
        let now = machine::now();
        while self.interface.poll_ingress_single(now, self.device, sockets) != PollIngressSingleResult::None {}
    }
    /// Sends the frames that are due.
    #[inline(never)]
    pub fn send(&mut self, sockets: &mut SocketSet<'_>) {
        let now = machine::now();
        self.interface.poll_maintenance(now);
        while self.interface.poll_egress(now, self.device, sockets) != PollResult::None {}
    }
    /// What sockets want to know of the interface.
    pub fn context(&mut self) -> &mut Context {
        self.interface.context()
    }
    /// Sends what is due, then sleeps until a frame comes, at most for a tick of the clock, unless the interface has something to do.
    pub fn rest(&mut self, sockets: &mut SocketSet<'_>) {
        self.send(sockets);
        let busy = self.interface.poll_delay(machine::now(), sockets) == Some(Duration::ZERO);
        if !busy && !Lan9118::has_frame() {
            Lan9118::listen();
            cortex_m::asm::wfi();
        }
    }
    /// The most octets of stack that were in use so far.
    pub fn stack(&self) -> usize {
        machine::stack()
    }
}
