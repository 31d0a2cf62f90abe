//! The app's end of the boundary: calls from threads of ours into the JVM.

use std::net::SocketAddr;
use std::sync::Arc;

use jni::errors::Result;
use jni::objects::{GlobalRef, JObject, JString, JValue};
use jni::sys::jint;
use jni::{JNIEnv, JavaVM};
use telltale_model::{FlowKey, Protocol};

use crate::{Host, Wrong};

/// References of one call that the JVM drops after it: a thread of ours never returns to Java, which would.
const FRAME: i32 = 16;

/// The app's object as a [`Host`].
pub(crate) fn host(env: &mut JNIEnv<'_>, object: &JObject<'_>) -> std::result::Result<Host, Wrong> {
    if object.is_null() {
        return Err(Wrong::Argument("there is no host".into()));
    }
    let failed = |_| Wrong::Failed("the JVM gives no reference".into());
    let there = Arc::new(There {
        vm: env.get_java_vm().map_err(failed)?,
        object: env.new_global_ref(object).map_err(failed)?,
    });
    let (asked, told) = (Arc::clone(&there), Arc::clone(&there));
    Ok(Host {
        owner_of: Arc::new(move |key| asked.owner_of(key)),
        changed: Arc::new(move |revision| told.changed(revision)),
        stopped: Arc::new(move |reason| there.stopped(reason)),
    })
}

struct There {
    vm: JavaVM,
    object: GlobalRef,
}

impl There {
    fn owner_of(&self, key: FlowKey) -> Option<String> {
        let protocol = match key.protocol {
            Protocol::Tcp => libc::IPPROTO_TCP,
            Protocol::Udp => libc::IPPROTO_UDP,
            Protocol::Icmp => return None,
        };
        self.call(|env, object| {
            let (source, destination) = (address(env, key.app)?, address(env, key.remote)?);
            let arguments = [
                JValue::Int(protocol),
                JValue::Object(&source),
                JValue::Int(jint::from(key.app.port())),
                JValue::Object(&destination),
                JValue::Int(jint::from(key.remote.port())),
            ];
            let signature = "(ILjava/lang/String;ILjava/lang/String;I)Ljava/lang/String;";
            let answer = env.call_method(object, "ownerOf", signature, &arguments)?.l()?;
            if answer.is_null() {
                return Ok(None);
            }
            string(env, &answer.into()).map(Some)
        })
        .flatten()
    }

    fn changed(&self, revision: u64) {
        self.call(|env, object| {
            let revision = JValue::Long(revision.cast_signed());
            env.call_method(object, "changed", "(J)V", &[revision]).map(drop)
        });
    }

    fn stopped(&self, reason: &str) {
        self.call(|env, object| {
            let reason = env.new_string(reason)?;
            env.call_method(object, "stopped", "(Ljava/lang/String;)V", &[JValue::Object(&reason)]).map(drop)
        });
    }

    /// Calls the app. What it throws is no answer; it has its own way to tell of it.
    fn call<T>(&self, call: impl FnOnce(&mut JNIEnv<'_>, &JObject<'_>) -> Result<T>) -> Option<T> {
        // A thread stays attached until it ends; as a daemon it holds up no end of the JVM.
        let mut env = self.vm.attach_current_thread_as_daemon().ok()?;
        let answer = env.with_local_frame(FRAME, |env| call(env, &self.object));
        if env.exception_check().unwrap_or(true) {
            let _pending_no_more = env.exception_clear();
        }
        answer.ok()
    }
}

fn address<'local>(env: &JNIEnv<'local>, of: SocketAddr) -> Result<JString<'local>> {
    env.new_string(of.ip().to_string())
}

/// The text of a Java string.
pub(crate) fn string(env: &JNIEnv<'_>, text: &JString<'_>) -> Result<String> {
    // SAFETY: the declared type of what is passed here is java.lang.String, in an entry's signature or in that of
    // the method that was called; the checked way would look the class up each time.
    unsafe { env.get_string_unchecked(text) }.map(String::from)
}
