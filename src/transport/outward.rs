//! Opens TCP connections: which of a name's addresses are tried, and from which address of ours.
//!
//! `dial` decides what is dialled, and for how long at most.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::LinkError;
use super::failure::{self, ServerLabel};
use super::stream::ByteStream;
use crate::model::state::LinkState;

/// `AddressFamily`: which kind of address a name may stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AddressFamily {
    #[default]
    Any,
    V4,
    V6,
}

/// Our end of a connection, as the user's configuration wants it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LocalEnd {
    pub(super) family: AddressFamily,
    /// `BindAddress`: a name or an address of this machine.
    pub(super) address: Option<String>,
}

impl AddressFamily {
    /// As `ssh -G` has it.
    pub(super) fn of(value: &str) -> Self {
        match value {
            "inet" => Self::V4,
            "inet6" => Self::V6,
            _ => Self::Any,
        }
    }

    fn takes(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Opens a connection to the first address that answers. Each but the last has `share`, so that one
/// that drops packets leaves time for the next.
pub(super) async fn connect(
    place: &ServerLabel,
    end: &LocalEnd,
    share: Duration,
) -> Result<Box<dyn ByteStream>, LinkError> {
    let found = tokio::net::lookup_host((place.address.as_str(), place.port)).await;
    let found = found.map_err(|error| failure::unknown_name(place, &error))?;
    let addresses = of_family(place, found.collect(), end.family)?;
    let Some((last, others)) = addresses.split_last() else {
        return Err(failure::unknown_name(
            place,
            &io::ErrorKind::NotFound.into(),
        ));
    };
    let from = sources(place, end).await?;
    for address in others {
        let connecting = connect_from(&from, *address);
        if let Ok(Ok(stream)) = tokio::time::timeout(share, connecting).await {
            return Ok(without_delay(stream));
        }
    }
    let connected = connect_from(&from, *last).await;
    connected
        .map(without_delay)
        .map_err(|error| match &end.address {
            Some(address) if is_of_source(&error) => no_source(place, address, &error),
            _ => failure::dialling(place, &error),
        })
}

fn of_family(
    place: &ServerLabel,
    all: Vec<SocketAddr>,
    family: AddressFamily,
) -> Result<Vec<SocketAddr>, LinkError> {
    let had_some = !all.is_empty();
    let taken: Vec<SocketAddr> = all.into_iter().filter(|one| family.takes(one)).collect();
    if taken.is_empty() && had_some {
        return Err(failure::denied(
            format!(
                "{place} has no {} address, and AddressFamily asks for one",
                family.name()
            ),
            "mend AddressFamily in ~/.ssh/config, or give `address` in the inventory",
        ));
    }
    Ok(taken)
}

/// The addresses of ours to dial from; `None` is whichever the system takes.
async fn sources(
    place: &ServerLabel,
    end: &LocalEnd,
) -> Result<Option<Vec<SocketAddr>>, LinkError> {
    let Some(address) = &end.address else {
        return Ok(None);
    };
    let found = tokio::net::lookup_host((address.as_str(), 0)).await;
    let found = found.map_err(|error| no_source(place, address, &error))?;
    Ok(Some(found.collect()))
}

async fn connect_from(sources: &Option<Vec<SocketAddr>>, to: SocketAddr) -> io::Result<TcpStream> {
    let Some(sources) = sources else {
        return TcpStream::connect(to).await;
    };
    let source = sources.iter().find(|one| one.is_ipv4() == to.is_ipv4());
    let source = source.ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = if to.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(*source)?;
    socket.connect(to).await
}

fn is_of_source(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
}

/// The address may come back: that of a tunnel is there while the tunnel is.
fn no_source(place: &ServerLabel, address: &str, error: &io::Error) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("cannot dial {place} from {address} (BindAddress): {error}"),
        "bring up the network that has the address, or mend BindAddress in ~/.ssh/config",
    )
}

/// Nagle's algorithm would hold back every small request for up to 40 ms.
fn without_delay(stream: TcpStream) -> Box<dyn ByteStream> {
    let _ = stream.set_nodelay(true);
    Box::new(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_the_addresses_of_the_family_that_is_asked_for() {
        let place = ServerLabel {
            name: "web".into(),
            address: "web".into(),
            port: 22,
        };
        let both: Vec<SocketAddr> = ["10.0.0.1:22", "[::1]:22"]
            .map(|text| text.parse().expect("an address"))
            .into();
        for (value, taken) in [
            ("any", &both[..]),
            ("inet", &both[..1]),
            ("inet6", &both[1..]),
        ] {
            let family = AddressFamily::of(value);
            let got = of_family(&place, both.clone(), family).expect("some");
            assert_eq!(got, taken, "{value}");
        }
        let error = of_family(&place, both[..1].to_vec(), AddressFamily::V6).expect_err("none");
        assert!(error.reason().contains("no IPv6 address"), "{error}");
    }
}
