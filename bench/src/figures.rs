//! What is measured, and how several runs of it become one figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A thing that is measured. The order is that of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quantity {
    /// Payload that arrived, in Mbit/s.
    Goodput,
    /// Connections, questions or exchanges that were finished, each second.
    Rate,
    /// Datagrams that arrived, each second.
    Packets,
    /// CPU seconds of the engine for each GB (10^9 bytes) of payload.
    CpuPerGb,
    /// CPU microseconds of the engine for each connection, question or exchange.
    CpuEach,
    /// CPU microseconds of the engine for each datagram.
    CpuPerPacket,
    /// Half of the round trips took at most so many microseconds.
    P50,
    /// 99 of 100 round trips took at most so many microseconds.
    P99,
    /// Memory of the engine, in MB (10^6 bytes).
    Resident,
    /// Memory of the engine for each flow, in bytes, over what it had at start.
    ResidentEach,
    /// Memory of the kernel for each flow, in bytes: sockets of app, engine and server together.
    KernelEach,
    /// Flows that were served, in percent.
    Served,
    /// Times a thread of the engine woke up, each second.
    WakeUps,
    /// Times a thread of the engine woke up, for each exchange.
    WakeUpsEach,
    /// Datagrams that did not arrive, in percent.
    Loss,
    /// CPU seconds of the whole machine for each GB.
    MachinePerGb,
    /// How much of one core the engine used, in percent.
    EngineBusy,
    /// Cores of the machine that were busy.
    MachineBusy,
    /// Times a thread of the engine went to sleep, for each MB.
    SwitchesPerMb,
    /// Packets that the tun had no room for.
    TunDrops,
    /// TCP segments that any of the kernels sent again.
    Retransmits,
}

/// Which is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Quantity {
    /// The head of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Goodput => "Mbit/s",
            Self::Rate => "per s",
            Self::Packets => "packets/s",
            Self::CpuPerGb => "CPU s/GB",
            Self::CpuEach | Self::CpuPerPacket => "CPU us",
            Self::P50 => "p50 us",
            Self::P99 => "p99 us",
            Self::Resident => "RSS MB",
            Self::ResidentEach => "RSS B each",
            Self::KernelEach => "kernel B each",
            Self::Served => "served %",
            Self::WakeUps => "wakes/s",
            Self::WakeUpsEach => "wakes each",
            Self::Loss => "lost %",
            Self::MachinePerGb => "all s/GB",
            Self::EngineBusy => "busy%",
            Self::MachineBusy => "cores",
            Self::SwitchesPerMb => "sw/MB",
            Self::TunDrops => "drops",
            Self::Retransmits => "resent",
        }
    }

    /// Whether it is compared with direct and with the peers; the others explain.
    pub(crate) fn better(self) -> Option<Better> {
        match self {
            Self::Goodput | Self::Rate | Self::Packets => Some(Better::Higher),
            Self::CpuPerGb | Self::CpuEach | Self::CpuPerPacket | Self::P50 | Self::P99 => {
                Some(Better::Lower)
            }
            Self::Resident | Self::ResidentEach | Self::WakeUps => Some(Better::Lower),
            Self::KernelEach | Self::Served | Self::WakeUpsEach | Self::Loss | Self::MachinePerGb => None,
            Self::EngineBusy
            | Self::MachineBusy
            | Self::SwitchesPerMb
            | Self::TunDrops
            | Self::Retransmits => None,
        }
    }
}

/// What one run has brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    values: BTreeMap<Quantity, f64>,
    /// What was wrong with what came through, if anything.
    pub(crate) problem: Option<String>,
    /// Cores that were busy with something else.
    pub(crate) background: f64,
}

impl Figures {
    /// Keeps a value.
    pub(crate) fn set(&mut self, quantity: Quantity, value: f64) {
        self.values.insert(quantity, value);
    }

    /// Forgets a value that means nothing here.
    pub(crate) fn remove(&mut self, quantity: Quantity) {
        self.values.remove(&quantity);
    }

    /// Keeps a value, if there is one.
    pub(crate) fn set_some(&mut self, quantity: Quantity, value: Option<f64>) {
        if let Some(value) = value {
            self.set(quantity, value);
        }
    }

    /// Notes what was wrong; the first is kept.
    pub(crate) fn note(&mut self, problem: impl FnOnce() -> String) {
        self.problem.get_or_insert_with(problem);
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (Quantity, f64)> {
        self.values.iter().map(|(quantity, value)| (*quantity, *value))
    }
}

/// The middle and the ends of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` of no values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let [low, high] = [(sorted.len() - 1) / 2, sorted.len() / 2].map(|place| sorted.get(place).copied());
        Some(Self { median: f64::midpoint(low?, high?), least, most })
    }
}

/// The value that this part of the sorted values does not exceed.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = (sorted.len() as f64 * part).ceil() - 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the slice")]
    sorted.get(place.max(0.0) as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.5, least: 1.0, most: 4.0 });
        assert_eq!(Spread::of(&[5.0, 1.0, 3.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(100.0));
        assert_eq!(percentile(&values, 0.99), Some(198.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
