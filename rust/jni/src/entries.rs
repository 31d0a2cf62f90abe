//! What `org.telltale.app.core.Core` calls. Each goes through [`guarded`].

use std::os::fd::{FromRawFd, OwnedFd};

use jni::JNIEnv;
use jni::objects::{JByteArray, JObject, JString};
use jni::sys::{jint, jlong, jstring};
use serde_json::json;
use zeroize::Zeroizing;

use crate::guarded::guarded;
use crate::{Config, Core, Wrong, handles, jvm};

/// Bytes of the largest set of details: 5,000 contacts, 2,000 packages and 64 values of 254 bytes at most, each on a
/// line with its kind and id.
const DETAILS: usize = 4 << 20;

/// `start`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_start<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    tun: jint,
    config: JString<'local>,
    host: JObject<'local>,
) -> jlong {
    guarded(&mut env, 0, |env| {
        #[cfg(target_os = "android")]
        crate::logging::start();
        let tun = adopt(tun)?;
        let config = Config::read(&text(env, &config)?)?;
        let host = jvm::host(env, &host)?;
        Core::start(tun, config, host).map(handles::add)
    })
}

/// `replaceTun`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_replaceTun<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    handle: jlong,
    tun: jint,
    network: JString<'local>,
) -> jlong {
    guarded(&mut env, 0, |env| {
        let tun = adopt(tun)?;
        handles::get(handle)?.replace_tun(tun, &text(env, &network)?).map(u64::cast_signed)
    })
}

/// `setDetails`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_setDetails<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    handle: jlong,
    details: JByteArray<'local>,
) -> jstring {
    guarded(&mut env, std::ptr::null_mut(), |env| {
        let text = take_bytes(env, &details)?;
        let answer = handles::get(handle)?.set_details(&text)?;
        java(env, &answer)
    })
}

/// `networkChanged`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_networkChanged<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    handle: jlong,
    network: JString<'local>,
) {
    guarded(&mut env, (), |env| handles::get(handle)?.network_changed(&text(env, &network)?));
}

/// `query`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_query<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    handle: jlong,
    question: JString<'local>,
) -> jstring {
    guarded(&mut env, std::ptr::null_mut(), |env| {
        let answer = handles::get(handle)?.query(&text(env, &question)?)?;
        java(env, &answer)
    })
}

/// `stop`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_stop<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
    handle: jlong,
) {
    guarded(&mut env, (), |_env| {
        handles::take(handle)?.stop();
        Ok(())
    });
}

/// `version`.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_telltale_app_core_Core_version<'local>(
    mut env: JNIEnv<'local>,
    _core: JObject<'local>,
) -> jstring {
    guarded(&mut env, std::ptr::null_mut(), |env| java(env, &version()))
}

fn version() -> String {
    let build = option_env!("TELLTALE_BUILD").unwrap_or("");
    let licences =
        format!("{NOTICE}\nCrates of other authors that are built in, with their licences:\n\n{CRATES}");
    json!({"version": env!("CARGO_PKG_VERSION"), "build": build, "licences": licences}).to_string()
}

/// The data sets, to whom they are owed, and under which licence.
const NOTICE: &str = include_str!("../../../NOTICE");

/// Name and licence of each crate that is built in; scripts/licences keeps it.
const CRATES: &str = include_str!("../crates.txt");

/// A descriptor that the app has given away; none where the number is negative.
fn adopt(number: jint) -> Result<Option<OwnedFd>, Wrong> {
    if number < 0 {
        return Ok(None);
    }
    // SAFETY: no pointers are passed.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(Wrong::Argument("the tun is not open".into()));
    }
    // SAFETY: the descriptor is open, as the call above has shown, and docs/boundary.md says that it is ours from
    // here: nobody else in this process uses it.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(number) }))
}

fn text(env: &JNIEnv<'_>, text: &JString<'_>) -> Result<String, Wrong> {
    if text.is_null() {
        return Err(Wrong::Argument("a text is missing".into()));
    }
    jvm::string(env, text).map_err(|_no_string| Wrong::Failed("a text cannot be read".into()))
}

/// What an array of the app holds, which is zeroed there, whatever follows.
fn take_bytes(env: &JNIEnv<'_>, array: &JByteArray<'_>) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let failed = |_| Wrong::Failed("the details cannot be read".into());
    if array.is_null() {
        return Err(Wrong::Argument("there are no details".into()));
    }
    let length = env.get_array_length(array).map_err(failed)?;
    let length = usize::try_from(length).unwrap_or(0);
    let mut bytes = Zeroizing::new(vec![0_i8; length]);
    let read = env.get_byte_array_region(array, 0, &mut bytes).map_err(failed);
    env.set_byte_array_region(array, 0, &vec![0; length]).map_err(failed)?;
    read?;
    if length > DETAILS {
        return Err(Wrong::Argument("these are more details than can be looked for".into()));
    }
    Ok(Zeroizing::new(bytes.iter().map(|byte| byte.cast_unsigned()).collect()))
}

fn java(env: &JNIEnv<'_>, text: &str) -> Result<jstring, Wrong> {
    let string = env.new_string(text).map_err(|_no_memory| Wrong::Failed("the JVM has no memory".into()))?;
    Ok(string.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_no_descriptor_is_refused_and_a_negative_one_is_none() {
        assert!(adopt(-1).unwrap().is_none());
        assert!(adopt(1 << 20).is_err());
    }

    #[test]
    fn the_version_names_itself_and_its_licences() {
        let version: serde_json::Value = serde_json::from_str(&version()).unwrap();
        assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
        assert!(version["licences"].as_str().unwrap().contains("Apache"));
    }
}
