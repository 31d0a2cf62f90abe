//! IP, TCP, UDP and ICMP as bytes: packets of apps are taken apart here, packets to apps are built here.

mod checksum;
mod extension;
mod fragment;
mod icmp;
mod ingress;
mod joined;
pub(crate) mod limits;
mod packet;
mod reassembly;
mod smaller;

pub(crate) use fragment::fragments;
pub(crate) use icmp::{
    Unreachable, echo_reply, parse_echo_request, synthetic_echo, synthetic_kernel_echo, synthetic_tcp,
    synthetic_udp, time_exceeded, too_big, unreachable,
};
pub(crate) use ingress::{Ingress, Parsed, parse};
pub use joined::Joined;
pub(crate) use packet::{ACK, FIN, PSH, RST, SYN, TcpHeader, tcp, tcp_to_cut, udp};
pub use packet::{Packet, Payload, Unfinished};
pub(crate) use reassembly::Reassembly;
