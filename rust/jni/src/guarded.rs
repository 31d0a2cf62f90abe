//! The one function that every entry goes through: what fails or panics becomes a Java exception.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jni::JNIEnv;

use crate::Wrong;

/// What is told of a panic. Its own words might hold what was worked on.
const MISTAKE: &str = "Telltale met a mistake of its own; please report it";

/// Does the work; where it fails, throws and answers `otherwise`, which the JVM ignores.
pub(crate) fn guarded<'local, T>(
    env: &mut JNIEnv<'local>,
    otherwise: T,
    work: impl FnOnce(&mut JNIEnv<'local>) -> Result<T, Wrong>,
) -> T {
    // What a panic leaves half done is behind locks that forgive it, or ends with the call.
    let done = catch_unwind(AssertUnwindSafe(|| work(env)));
    let wrong = match done {
        Ok(Ok(answer)) => return answer,
        Ok(Err(wrong)) => wrong,
        Err(_panic) => Wrong::Failed(MISTAKE.into()),
    };
    // An exception that is pending already says what went wrong before.
    let _pending = env.throw_new(class(&wrong), wrong.to_string());
    otherwise
}

fn class(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::Argument(_) => "java/lang/IllegalArgumentException",
        Wrong::Stale => "java/lang/IllegalStateException",
        Wrong::Failed(_) => "java/lang/RuntimeException",
    }
}
