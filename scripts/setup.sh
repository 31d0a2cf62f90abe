# Installs what the scripts need; sourced by them. Nothing is installed that is there already.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly rustup_version=1.28.2

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "${0##*/}: $*"
  exit 1
}

# need_packages PROGRAM=PACKAGE...: installs the Debian packages whose program is missing.
need_packages() {
  local pair missing=()
  # Programs of the system's own folders are often not on a user's PATH.
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  for pair in "$@"; do
    type -P "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
  done
  ((${#missing[@]})) || return 0
  type -P apt-get > /dev/null \
    || fail "these Debian packages are missing, and apt-get is not there to install them: ${missing[*]}"
  say "Installing packages: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" \
    > /dev/null || fail "apt-get could not install: ${missing[*]}"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif type -P sudo > /dev/null; then
    sudo "$@"
  else
    fail "this needs root, and sudo is not installed. As root, run: $*"
  fi
}

# The Rust of rust-toolchain.toml, by rustup; rustup itself if it is missing.
need_rust() {
  need_packages cc=gcc curl=curl ld=binutils update-ca-certificates=ca-certificates
  [[ -e /usr/include/stdlib.h ]] || need_packages missing-headers=libc6-dev
  PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  type -P rustup > /dev/null || install_rustup
  local channel
  channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$root/rust-toolchain.toml")
  rustup toolchain list | grep -q "^$channel-" && return 0
  say "Installing Rust $channel"
  rustup toolchain install "$channel" --profile minimal --component rustfmt,clippy --no-self-update
}

install_rustup() {
  local machine sum folder file
  machine=$(uname -m)
  case $machine in
    x86_64) sum=20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c ;;
    aarch64) sum=e3853c5a252fca15252d07cb23a1bdd9377a8c6f3efa01531109281ae47f841c ;;
    *) fail "install rustup by hand for $machine (https://rustup.rs), then try again" ;;
  esac
  say "Installing rustup $rustup_version into ${CARGO_HOME:-$HOME/.cargo}"
  # The program looks at its own name.
  folder=$(mktemp -d)
  file=$folder/rustup-init
  curl -fsS --proto '=https' -o "$file" \
    "https://static.rust-lang.org/rustup/archive/$rustup_version/$machine-unknown-linux-gnu/rustup-init"
  echo "$sum  $file" | sha256sum --check --quiet || fail "the download of rustup is damaged; try again"
  chmod +x "$file"
  "$file" -y --quiet --no-modify-path --profile minimal --default-toolchain none
  rm -r "$folder"
}

# What builds the app's native libraries: Rust for Android, LLVM's tools, and where there is no NDK a C compiler and
# the sources of the unwinder.
need_android_rust() {
  need_rust
  local target have
  have=$(rustup target list --installed)
  for target in aarch64-linux-android x86_64-linux-android; do
    grep -qx "$target" <<< "$have" || rustup target add "$target"
  done
  have=$(rustup component list --installed)
  grep -q '^llvm-tools' <<< "$have" || rustup component add llvm-tools
  [[ ${ANDROID_NDK_HOME:-} ]] && return
  grep -qx rust-src <<< "$have" || rustup component add rust-src
  need_packages clang=clang
}

# What builds the app, beside the above: a JDK and Maven, which fetches the rest.
need_android() {
  need_android_rust
  need_packages javac=default-jdk-headless mvn=maven
}

# toolchain_name: which of Android's own tools build the app
toolchain_name() {
  case ${ANDROID_HOME:+sdk}${ANDROID_NDK_HOME:+ndk} in
    sdkndk) echo sdk-ndk ;;
    '') echo registries ;;
    *) echo "${ANDROID_HOME:+sdk}${ANDROID_NDK_HOME:+ndk}" ;;
  esac
}

# The servers and programs of the demo. None of these packages starts a service.
need_demo() {
  need_packages ip=iproute2 unshare=util-linux apache2=apache2-bin dnsmasq=dnsmasq-base \
    dropbear=dropbear-bin curl=curl dig=bind9-dnsutils ping=iputils-ping ssh=openssh-client rsync=rsync script=bsdutils
}

# Where cargo puts programs.
target() { printf '%s\n' "${CARGO_TARGET_DIR:-$root/target}"; }
