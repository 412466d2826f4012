//! Where containers reach this machine: the address of Docker's bridge.

use std::net::Ipv4Addr;

/// The bridge that Docker puts containers on unless it is told otherwise (documented: Docker
/// Engine, "Bridge network driver").
const BRIDGE: &str = "docker0";
/// The network of an interface: name, destination and mask, as the kernel lists routes.
const ROUTES: &str = "/proc/net/route";
/// The addresses of this machine are among these.
const ADDRESSES: &str = "/proc/net/fib_trie";

/// The bridge's own address; nothing where there is no bridge, or no such list of routes (not on
/// Linux).
pub(crate) fn address() -> Option<Ipv4Addr> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    find(&read(ROUTES)?, &read(ADDRESSES)?)
}

fn find(routes: &str, addresses: &str) -> Option<Ipv4Addr> {
    let (network, mask) = routes.lines().find_map(|line| {
        let mut columns = line.split_whitespace();
        if columns.next() != Some(BRIDGE) {
            return None;
        }
        let mut number = |place| u32::from_str_radix(columns.nth(place)?, 16).ok();
        // Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask. The bytes of an address
        // stand in reverse.
        let (network, mask) = (number(0)?.swap_bytes(), number(5)?.swap_bytes());
        (mask != 0).then_some((network, mask))
    })?;
    let mut candidate = None;
    for line in addresses.lines() {
        if let Some(text) = line.trim().strip_prefix("|-- ") {
            candidate = text.parse::<Ipv4Addr>().ok();
        } else if line.contains("/32 host LOCAL")
            && let Some(found) = candidate
            && u32::from(found) & mask == network
        {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    const ADDRESSES: &str = "\
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 172.17.0.0
        /16 link UNICAST
     |-- 172.17.0.1
        /32 host LOCAL
     |-- 172.17.255.255
        /32 link BROADCAST
";

    #[test]
    fn the_bridge_is_found_among_routes_and_addresses() {
        let routes = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
            eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\n\
            docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\n";
        assert_eq!(find(routes, ADDRESSES), Some([172, 17, 0, 1].into()));
    }

    #[test]
    fn a_machine_without_a_bridge_has_none() {
        let routes = "Iface\tDestination\n eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n";
        assert_eq!(find(routes, ADDRESSES), None);
    }
}
