//! `telltale replay` as people call it.

#[cfg(test)]
mod format;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod packets;
#[cfg(test)]
mod programs;
