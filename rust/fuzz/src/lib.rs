//! The bodies of the fuzz targets, each a function of a string of bytes.

pub mod relay;
