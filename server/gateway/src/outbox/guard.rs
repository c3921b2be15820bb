//! Which addresses a delivery may go to.
//!
//! Receivers are named by merchants, so without a guard a delivery could be aimed at the
//! operator's own network. A URL is checked when it is stored and again before each attempt, and
//! a host name is judged by the addresses that are really connected to: the connector gets them
//! from [`GuardedResolver`], so an answer that changes after the check (DNS rebinding) changes
//! nothing. Literal addresses never reach a resolver; [`AddressGuard::check_url`] judges those.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use url::{Host, Url};

/// Longest URL taken for a receiver, in characters.
pub const WEBHOOK_URL_CHARS_MAX: usize = 2_000;

/// Names one resolver looks up at a time, at most. A name server that never answers holds a thread for longer
/// than an attempt lasts, and passwords, documents and blocks are worked on by the same threads, 512 in all.
const LOOKUPS_MAX: usize = 128;

/// What no operator's switch opens, because no single host listens there.
const NOT_UNICAST: [IpNet; 3] = [
    v4(224, 0, 0, 0, 4), // multicast
    v4(240, 0, 0, 0, 4), // reserved, and the broadcast address
    v6(0xff00, 0, 0, 8), // multicast
];

const NOT_PUBLIC_V4: [IpNet; 14] = [
    v4(0, 0, 0, 0, 8),        // "this network"; 0.0.0.0 reaches the machine itself
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT, where one cloud keeps its metadata
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // a cloud's host service on a public-looking address
    v4(169, 254, 0, 0, 16),   // link-local, where most clouds keep their metadata
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarking
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
];

/// The only IPv6 space given out for global unicast. Outside it lie `::`, loopback, IPv4 in
/// `::/96`, NAT64 in 64:ff9b::/32, discard in 100::/64, SRv6 in 5f00::/16, unique local in
/// fc00::/7, link-local in fe80::/10 and site-local in fec0::/10.
const GLOBAL_UNICAST_V6: IpNet = v6(0x2000, 0, 0, 3);

/// The parts of [`GLOBAL_UNICAST_V6`] that are not public or that carry an IPv4 address inside.
const NOT_PUBLIC_V6: [IpNet; 4] = [
    v6(0x2001, 0, 0, 23),      // protocol assignments: Teredo, benchmarking, ORCHID
    v6(0x2001, 0x0db8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),      // 6to4
    v6(0x3fff, 0, 0, 20),      // documentation
];

/// Names of the machine itself that need no resolver.
const LOCAL_NAMES: [&str; 4] = [
    "localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "ip6-loopback",
];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0),
        prefix,
    ))
}

/// The operator's rule about receivers. Merchants never set any part of it.
#[derive(Clone, Debug)]
pub struct AddressGuard {
    allow_private: bool,
    allow: Vec<IpNet>,
}

/// Why a URL is not taken as a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    /// Longer than [`WEBHOOK_URL_CHARS_MAX`].
    #[error("the URL is longer than 2000 characters")]
    TooLong,
    /// No absolute URL with a host, or one with blanks or control characters in it.
    #[error("the URL is malformed")]
    Malformed,
    /// Neither `http` nor `https`.
    #[error("the URL scheme is neither http nor https")]
    Scheme,
    /// A user name or a password.
    #[error("the URL holds a user name or password")]
    Userinfo,
    /// A fragment, which would never be sent.
    #[error("the URL holds a fragment")]
    Fragment,
    /// A host that is known to be out of bounds without asking a resolver.
    #[error("the URL points to an address that is not allowed")]
    Address,
}

/// Why a host name gave no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum LookupRefusal {
    /// The name does not resolve.
    #[error("the host name does not resolve")]
    Unresolved(#[source] io::Error),
    /// It resolves to refused addresses only.
    #[error("the host name resolves to no allowed address")]
    Refused,
}

impl AddressGuard {
    /// `allow_private` opens everything that is not public (`EXCHEQUER_WEBHOOK_ALLOW_PRIVATE`);
    /// `allow` opens the named networks alone.
    #[must_use]
    pub fn new(allow_private: bool, allow: Vec<IpNet>) -> Self {
        Self {
            allow_private,
            allow,
        }
    }

    /// Whether a delivery may connect to this address. An IPv4 address mapped into IPv6 is
    /// judged as the IPv4 address.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if self.allow.iter().any(|net| net.contains(&ip)) {
            return true;
        }
        if NOT_UNICAST.iter().any(|net| net.contains(&ip)) {
            return false;
        }
        self.allow_private || is_public(ip)
    }

    /// Reads and judges a receiver's URL. Only the result may be connected to: its host is in
    /// the one spelling that the connector understands as the guard did (`0x7f.1` is 127.0.0.1).
    ///
    /// # Errors
    /// [`UrlRefusal`], in the order of its variants.
    pub fn check_url(&self, url: &str) -> Result<Url, UrlRefusal> {
        if url.chars().count() > WEBHOOK_URL_CHARS_MAX {
            return Err(UrlRefusal::TooLong);
        }
        // The parser would drop these silently, and what is shown would not be what is called.
        if url
            .chars()
            .any(|symbol| symbol.is_whitespace() || symbol.is_control())
        {
            return Err(UrlRefusal::Malformed);
        }
        let url = Url::parse(url).map_err(|_| UrlRefusal::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlRefusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefusal::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(UrlRefusal::Fragment);
        }
        let allowed = match url.host() {
            None => return Err(UrlRefusal::Malformed),
            Some(Host::Ipv4(ip)) => self.permits(ip.into()),
            Some(Host::Ipv6(ip)) => self.permits(ip.into()),
            Some(Host::Domain(name)) => !is_local_name(name) || self.permits_loopback(),
        };
        if allowed {
            Ok(url)
        } else {
            Err(UrlRefusal::Address)
        }
    }

    fn permits_loopback(&self) -> bool {
        self.permits(Ipv4Addr::LOCALHOST.into()) || self.permits(Ipv6Addr::LOCALHOST.into())
    }

    /// Keeps the permitted ones of the addresses a name resolved to.
    fn vet(
        &self,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, LookupRefusal> {
        let permitted: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| self.permits(address.ip()))
            .collect();
        if permitted.is_empty() {
            Err(LookupRefusal::Refused)
        } else {
            Ok(permitted)
        }
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(_) => {
            GLOBAL_UNICAST_V6.contains(&ip) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&ip))
        }
    }
}

/// Expects a name as `url` gives it: lower case, perhaps with a final dot.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    LOCAL_NAMES.contains(&name) || name.ends_with(".localhost")
}

/// The system's resolver, reduced to the addresses that the guard permits.
#[derive(Clone, Debug)]
pub struct GuardedResolver {
    guard: Arc<AddressGuard>,
    lookups: Arc<Semaphore>,
}

impl GuardedResolver {
    /// A resolver for clients that must obey `guard`.
    #[must_use]
    pub fn new(guard: Arc<AddressGuard>) -> Self {
        Self {
            guard,
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Resolve for GuardedResolver {
    /// Fails with [`LookupRefusal`]; the connector fills in the port.
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.guard);
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let place = lookups.acquire_owned().await?;
            // The place is given back when the lookup ends, which may be long after anybody waits for it.
            let lookup = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0)
                    .to_socket_addrs()
                    .map(Iterator::collect::<Vec<SocketAddr>>);
                drop(place);
                found
            });
            let found = lookup.await?.map_err(LookupRefusal::Unresolved)?;
            let addresses: Addrs = Box::new(guard.vet(found)?.into_iter());
            Ok::<Addrs, Box<dyn Error + Send + Sync>>(addresses)
        })
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
