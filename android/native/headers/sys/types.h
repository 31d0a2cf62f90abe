#pragma once
/* What SQLite and libunwind use of Android's libc, for 64 bits alone, and nothing else: what is not here does not
   compile. android/native/abi-check compares types and values with those that Rust's crate libc knows. */
#if !defined(__ANDROID__) || !defined(__LP64__)
#error "LP64 Android only"
#endif
#include <stddef.h>
#include <stdint.h>
typedef long ssize_t; typedef long off_t; typedef long off64_t; typedef long loff_t; typedef unsigned long dev_t; typedef unsigned long ino_t;
typedef unsigned int mode_t; typedef unsigned int uid_t; typedef unsigned int gid_t; typedef int pid_t;
typedef unsigned int nlink_t;
typedef long blkcnt_t; typedef long time_t; typedef long suseconds_t; typedef unsigned int useconds_t; typedef int clockid_t;
