//! Stacks by the unwinder that std links into every program anyway. Names are left to whoever reads the log: they
//! stand in the program's file, which is large.

use std::ffi::{c_int, c_void};

/// `struct _Unwind_Context`, of which only the unwinder knows what is in it.
#[repr(C)]
struct Context {
    hidden: [u8; 0],
}

/// `_URC_NO_REASON`: go on.
const GO_ON: c_int = 0;
/// `_URC_END_OF_STACK`: enough.
const ENOUGH: c_int = 5;

type Each<'a> = &'a mut dyn FnMut(usize) -> bool;

// Itanium C++ ABI: Exception Handling, level I, and what GCC and LLVM both added to it.
unsafe extern "C" {
    fn _Unwind_Backtrace(
        each: extern "C" fn(*mut Context, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
}

/// Calls `each` with the addresses of the frames, innermost first, until it says no.
pub(super) fn walk(mut each: Each<'_>) {
    extern "C" fn frame(context: *mut Context, argument: *mut c_void) -> c_int {
        // SAFETY: `argument` is what `walk` gives, which outlives the call of the unwinder and which nobody else
        // uses meanwhile.
        let each = unsafe { &mut *argument.cast::<Each<'_>>() };
        // SAFETY: the unwinder hands out its context for the time of this call.
        let address = unsafe { _Unwind_GetIP(context) };
        if address != 0 && each(address) {
            GO_ON
        } else {
            ENOUGH
        }
    }
    let argument = (&raw mut each).cast::<c_void>();
    // SAFETY: `frame` has the type that is asked for, and does not unwind: nor does `each`, which keeps a number.
    unsafe { _Unwind_Backtrace(frame, argument) };
}

/// Nothing: there are no names here.
pub(super) fn resolve(_address: usize, _each: &mut dyn FnMut(String)) {}
