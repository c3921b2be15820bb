#![allow(clippy::unwrap_used)]

use super::*;

fn strict() -> AddressGuard {
    AddressGuard::new(false, Vec::new())
}

fn open() -> AddressGuard {
    AddressGuard::new(true, Vec::new())
}

/// Every refused network by its first and last address, with a public neighbour where the
/// network borders on public space.
const REFUSED: &[(&str, &str)] = &[
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    ("::", "::ffff:ffff"),
    ("::1", "::127.0.0.1"),
    ("::ffff:0.0.0.0", "::ffff:0.255.255.255"),
    ("::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    ("::ffff:0:0:0", "::ffff:0:7f00:1"),
    ("64:ff9b::", "64:ff9b::ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:2::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fd00:ec2::254", "fd20:ce::254"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];

const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:1.1.1.1",
    "2000::1",
    "2001:200::1",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700::1111",
    "2a00:1450::1",
    "3ffe:ffff::1",
    "3fff:1000::1",
];

#[test]
fn refused_networks_are_refused_to_both_ends() {
    for (first, last) in REFUSED {
        for address in [first, last] {
            assert!(!strict().permits(address.parse().unwrap()), "{address}");
        }
    }
}

#[test]
fn public_neighbours_are_permitted() {
    for address in PUBLIC {
        assert!(strict().permits(address.parse().unwrap()), "{address}");
        assert!(open().permits(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn the_private_switch_opens_all_but_multicast_and_reserved() {
    for (first, last) in REFUSED {
        for address in [first, last] {
            let ip: IpAddr = address.parse().unwrap();
            let closed = match ip.to_canonical() {
                IpAddr::V4(ip) => ip.octets()[0] >= 224,
                IpAddr::V6(ip) => ip.is_multicast(),
            };
            assert_eq!(open().permits(ip), !closed, "{address}");
        }
    }
}

#[test]
fn an_allowed_network_opens_itself_alone() {
    let guard = AddressGuard::new(false, vec!["10.1.0.0/16".parse().unwrap()]);
    assert!(guard.permits("10.1.2.3".parse().unwrap()));
    assert!(guard.permits("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!guard.permits("10.2.0.1".parse().unwrap()));
    assert!(!guard.permits("127.0.0.1".parse().unwrap()));
    assert!(guard.check_url("http://10.1.0.9:8080/hook").is_ok());
    assert_eq!(
        guard.check_url("http://localhost/").err(),
        Some(UrlRefusal::Address)
    );
}

#[test]
fn ordinary_urls_are_taken_as_given() {
    let longest = format!("https://example.com/{}", "a".repeat(1_980));
    let cases = [
        "https://example.com/hook?shop=1&x=%20",
        "http://example.com:8080/hook",
        "https://1.1.1.1/hook",
        "https://[2606:4700::1111]:8443/hook",
        "https://localhost.example.com/hook",
        longest.as_str(),
    ];
    for url in cases {
        let checked = strict().check_url(url).unwrap();
        assert_eq!(checked.as_str(), url);
    }
}

#[test]
fn every_spelling_of_a_refused_host_is_refused() {
    let hosts = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "%31%32%37.0.0.1",
        "①②⑦.⓪.⓪.①",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "%6cocalhost",
        "shop.localhost",
        "localhost.localdomain",
        "ip6-localhost",
    ];
    for host in hosts {
        let url = format!("http://{host}:8080/hook");
        assert_eq!(
            strict().check_url(&url).err(),
            Some(UrlRefusal::Address),
            "{url}"
        );
        assert!(open().check_url(&url).is_ok(), "{url}");
    }
}

#[test]
fn other_urls_are_refused_by_name() {
    let too_long = format!("https://example.com/{}", "a".repeat(1_981));
    let cases = [
        (too_long.as_str(), UrlRefusal::TooLong),
        ("", UrlRefusal::Malformed),
        ("/hook", UrlRefusal::Malformed),
        ("example.com/hook", UrlRefusal::Malformed),
        ("https://", UrlRefusal::Malformed),
        ("https://exa mple.com/", UrlRefusal::Malformed),
        ("https://example.com/a b", UrlRefusal::Malformed),
        (" https://example.com/", UrlRefusal::Malformed),
        ("https://example.com/\r\nx: y", UrlRefusal::Malformed),
        ("https://example.com/\0", UrlRefusal::Malformed),
        ("https://example.com:99999/", UrlRefusal::Malformed),
        ("http://127.0.0.1.5/", UrlRefusal::Malformed),
        ("ftp://example.com/", UrlRefusal::Scheme),
        ("file:///etc/passwd", UrlRefusal::Scheme),
        ("javascript:alert(1)", UrlRefusal::Scheme),
        ("https://user@example.com/", UrlRefusal::Userinfo),
        ("https://:secret@example.com/", UrlRefusal::Userinfo),
        ("https://example.com@127.0.0.1/", UrlRefusal::Userinfo),
        ("https://example.com/#top", UrlRefusal::Fragment),
        ("https://example.com/#", UrlRefusal::Fragment),
    ];
    for (url, refusal) in cases {
        assert_eq!(open().check_url(url).err(), Some(refusal), "{url:?}");
    }
}

#[test]
fn of_a_mixed_answer_only_permitted_addresses_remain() {
    let public: SocketAddr = "1.1.1.1:0".parse().unwrap();
    let metadata: SocketAddr = "169.254.169.254:0".parse().unwrap();
    let mapped: SocketAddr = "[::ffff:127.0.0.1]:0".parse().unwrap();
    let vetted = strict().vet([metadata, public, mapped]).unwrap();
    assert_eq!(vetted, [public]);
    assert!(matches!(
        strict().vet([metadata, mapped]),
        Err(LookupRefusal::Refused)
    ));
}

#[tokio::test]
async fn a_name_that_leads_inside_gives_no_address() {
    let lookup = |guard: AddressGuard| {
        GuardedResolver::new(Arc::new(guard)).resolve("localhost".parse().unwrap())
    };
    let refusal = lookup(strict()).await.err().unwrap();
    assert!(
        matches!(
            refusal.downcast_ref::<LookupRefusal>(),
            Some(LookupRefusal::Refused)
        ),
        "{refusal}"
    );
    assert!(
        lookup(open())
            .await
            .unwrap()
            .all(|address| address.ip().is_loopback())
    );
}

/// Fails when a lookup takes no place.
#[tokio::test]
async fn a_lookup_waits_for_its_place() {
    let resolver = GuardedResolver::new(Arc::new(open()));
    let lookups = Arc::clone(&resolver.lookups);
    let all = u32::try_from(LOOKUPS_MAX).unwrap();
    let taken = lookups.acquire_many(all).await.unwrap();
    let waiting = tokio::spawn(resolver.resolve("localhost".parse().unwrap()));
    // Another one, as long as it takes: time enough for the first.
    let other = GuardedResolver::new(Arc::new(open()));
    assert!(other.resolve("localhost".parse().unwrap()).await.is_ok());
    assert!(!waiting.is_finished());
    drop(taken);
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(resolver.lookups.available_permits(), LOOKUPS_MAX);
}
