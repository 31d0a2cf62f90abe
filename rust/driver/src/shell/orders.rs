//! What the relay is told while it runs, done.

use std::io;
use std::mem;

use telltale_engine::Tunnel;

use super::Shell;
use crate::dns::Resolver;
use crate::orders::{List, Network, NewTun, Orders};
use crate::sys;
use crate::tun::Tun;

impl Shell {
    /// Does what was told. An error means that there is no tun.
    pub(super) fn obey(&mut self, List { network, tun }: List) -> io::Result<()> {
        self.now = self.clock.now();
        if let Some(tun) = tun {
            self.replace_tun(tun)?;
        }
        if let Some(network) = network {
            self.change_network(network);
        }
        self.settle()
    }

    /// The tun is gone: goes on with the new one that waits, or closes the orders and gives the error back.
    pub(super) fn rescue(&mut self, orders: &Orders, mut error: io::Error) -> io::Result<()> {
        while let Some(orders) = orders.take_rescue() {
            match self.obey(orders) {
                Ok(()) => return Ok(()),
                Err(another) => error = another,
            }
        }
        Err(error)
    }

    /// New sockets follow the default network. Old ones stay with the address that they have, and end with it.
    fn change_network(&mut self, network: Network) {
        // What was tried in vain there says nothing of this one.
        self.stall.answered();
        self.resolver.cancel(&mut self.inputs);
        self.resolver = Resolver::new(network.name_servers);
        self.sockets.change_network(self.epoll.get_ref(), network.online, sys::is_gone, &mut self.inputs);
        if network.another {
            self.mappings.change_network();
            self.echoes.change_network();
        }
    }

    fn replace_tun(&mut self, NewTun { tun, mtu, addresses, resolvers }: NewTun) -> io::Result<()> {
        // What apps have put into the old one still counts; whether it is gone already does not.
        let _gone = self.take_packets();
        let tun = Tun::new(tun, mtu)?;
        let offload = tun.offload();
        let old = mem::replace(&mut self.tun, tun);
        self.tun.take_over(old);
        self.sockets.cut_for(self.tun.longest());
        self.streams.fill(self.tun.longest());
        self.engine.replace_tun(self.now, Tunnel { mtu, addresses, resolvers, offload });
        Ok(())
    }
}
