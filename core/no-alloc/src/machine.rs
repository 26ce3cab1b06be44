//! A Cortex-M4 under QEMU: vectors, start-up, semihosting, and what a panic would be.

use core::arch::{asm, global_asm};
use core::ffi::CStr;
use core::panic::PanicInfo;

// The floating-point unit is switched on first: the compiler may use its registers for copies.
global_asm!(
    r#"
    .section .vectors, "a"
    .word _stack_top
    .word reset
    .rept 14
    .word fault
    .endr

    .section .text.reset, "ax"
    .thumb_func
    .global reset
reset:
    ldr r0, =0xe000ed88
    ldr r1, [r0]
    orr r1, r1, #0xf00000
    str r1, [r0]
    dsb
    isb
    ldr r0, =_bss_start
    ldr r1, =_bss_end
    movs r2, #0
1:  cmp r0, r1
    beq 2f
    str r2, [r0], #4
    b 1b
2:  bl main
    .thumb_func
fault:
    movs r0, #0x18
    ldr r1, =0x20023
    bkpt 0xab
    b fault
    .ltorg
"#
);

/// Asks the debugger, here QEMU, for `operation`.
fn semihosting(operation: u32, argument: usize) {
    // SAFETY: a breakpoint that QEMU takes for a call; it writes to no memory of ours.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack)) };
}

/// Writes `text` to QEMU's standard error (SYS_WRITE0).
pub fn print(text: &CStr) {
    semihosting(0x04, text.as_ptr().addr());
}

/// Ends QEMU with status 0 when all is `well`, else with 1 (SYS_EXIT: application exit, run-time error).
pub fn exit(well: bool) -> ! {
    semihosting(0x18, if well { 0x20026 } else { 0x20023 });
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(feature = "show-panics"))]
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_path_survived() -> !;
    }
    // SAFETY: an image that contains this call does not link.
    unsafe { a_panic_path_survived() }
}

/// Looks at the place, so that the image keeps the places of all paths that lead here.
#[cfg(feature = "show-panics")]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    core::hint::black_box(info.location().map(|place| (place.file(), place.line())));
    exit(false)
}
