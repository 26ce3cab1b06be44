//! A line at each change of state, through `defmt` on a microcontroller and through `log` on a host, or nowhere.

use crate::event::Event;

/// Tells of an event of stream `at`.
#[cold]
pub(crate) fn told(at: usize, event: Event) {
    #[cfg(feature = "defmt")]
    defmt::info!("stream {=usize}: {}", at, event);
    #[cfg(feature = "log")]
    log::info!("stream {at}: {event:?}");
    let _ = (at, event);
}
