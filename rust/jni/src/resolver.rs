//! Android's resolver (API 29), found when it is needed: a stub of libandroid to link with would tell nothing more.

use std::ffi::{CStr, c_void};
use std::mem;

use telltale_driver::ResolverCalls;

/// Its functions; `None` where this Android lacks one.
pub(crate) fn calls() -> Option<ResolverCalls> {
    // SAFETY: the name is a C string; the library stays loaded, for nobody closes it.
    let library = unsafe { libc::dlopen(c"libandroid.so".as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        return None;
    }
    let (send, result) = (find(library, c"android_res_nsend")?, find(library, c"android_res_nresult")?);
    let cancel = find(library, c"android_res_cancel")?;
    // SAFETY: these are the functions of <android/multinetwork.h>, whose signatures are those of the fields.
    unsafe {
        Some(ResolverCalls {
            send: mem::transmute::<*mut c_void, unsafe extern "C" fn(u64, *const u8, usize, u32) -> i32>(
                send,
            ),
            result: mem::transmute::<*mut c_void, unsafe extern "C" fn(i32, *mut i32, *mut u8, usize) -> i32>(
                result,
            ),
            cancel: mem::transmute::<*mut c_void, unsafe extern "C" fn(i32)>(cancel),
        })
    }
}

fn find(library: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the library is loaded, and the name is a C string.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}
