# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes packets.txt: rules, frames that they get and frames that they must make of them, built by scapy from scratch.

    ./packets.py > packets.txt        after a change here
    ./packets.py --check              fails if packets.txt is not what this makes

scapy fills in every length and checksum of both frames, save in packets quoted by an ICMP error: those are cut off
after their own checksums were made, as a router does it.
"""
import logging, os, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, IPv6ExtHdrSegmentRouting)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "packets.txt")
ETH = dict(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
A4, B4, C4, R4 = "192.0.2.1", "198.51.100.1", "203.0.113.9", "192.0.2.254"
A6, B6, C6, R6 = "2001:db8::1", "2001:db8:ffff::1", "2001:db8:cccc::9", "2001:db8::fe"
C_MAC = "02:00:00:00:00:0c"
S1, S2, S3 = "fc00:1::1", "fc00:2::1", "fc00:3::1"
cases = []


def case(name, what, before, after, exit="pass", extra=(), tiers="all"):
    """'what' is an action, or a match, " then " and an action."""
    match, action = what.split(" then ") if " then " in what else ("", what)
    rule = "{" + (f"match: {{{match}}}, " if match else "") + f'action: "{action}"' + "}"
    cases.append((name, rule, bytes(before), bytes(after), exit, extra, tiers))


def entry_case(name, key, action, entries, before, after, exit="pass"):
    """A match table instead of a rule."""
    table = [f"key: {{{key}}}", "capacity: 64", f'action: "{action}"', "otherwise: pass", "absent: pass",
             "entries:"]
    table += [f"  - {{{entry}}}" for entry in entries]
    cases.append((name, table, bytes(before), bytes(after), exit, (), "all"))


def eth(*layers, **fields):
    p = Ether(**{**ETH, **fields})
    for layer in layers:
        p = p / layer
    return p


def quote(packet, size=None):
    """The packet as an error quotes it: with its own checksums, then cut."""
    return Raw(bytes(packet)[:size])


def unreachable(packet, size=None, code=1, src=R4, dst=A4):
    return eth(IP(src=src, dst=dst), ICMP(type=3, code=code), quote(packet, size))


def too_long(packet, size=None, src=R6, dst=A6):
    return eth(IPv6(src=src, dst=dst), ICMPv6PacketTooBig(mtu=1280), quote(packet, size))


# ---- fields ----
DATA = Raw(b"mealy")
case("mpls", "mpls.label: 5, mpls.tc: 3, mpls.bottom: 1 then mpls.label = 1048575; mpls.tc = 1; mpls.ttl -= 1",
     eth(MPLS(label=5, cos=3, s=1, ttl=64), IP(src=A4, dst=B4), UDP(sport=1, dport=2), DATA, type=0x8847),
     eth(MPLS(label=1048575, cos=1, s=1, ttl=63), IP(src=A4, dst=B4), UDP(sport=1, dport=2), DATA, type=0x8847))
case("arp", "arp.op: 1, arp.tpa: 192.0.2.2 then arp.op = 2; arp.tpa = arp.spa; arp.spa = arp.tpa;"
     " arp.tha = arp.sha; arp.sha = eth.dst",
     eth(ARP(op=1, hwsrc=ETH["src"], psrc=A4, hwdst="00:00:00:00:00:00", pdst="192.0.2.2")),
     eth(ARP(op=2, hwsrc=ETH["dst"], psrc="192.0.2.2", hwdst=ETH["src"], pdst=A4)))
case("nd", f"nd.target: \"{B6}\", icmpv6.type: 135 then icmpv6.type = 136; nd.flags = 3; "
     f"nd.target = {C6}; nd.link = eth.dst",
     eth(IPv6(src=A6, dst="ff02::1:ff00:1", hlim=255), ICMPv6ND_NS(tgt=B6), ICMPv6NDOptSrcLLAddr(lladdr=ETH["src"])),
     eth(IPv6(src=A6, dst="ff02::1:ff00:1", hlim=255), ICMPv6ND_NA(R=0, S=1, O=1, tgt=C6),
         ICMPv6NDOptSrcLLAddr(lladdr=ETH["dst"])))


def srh(left, *segments, nh=17, tag=0, flags=0):
    """Path order."""
    return IPv6ExtHdrSegmentRouting(addresses=list(reversed(segments)), segleft=left, lastentry=len(segments) - 1,
                                    tag=tag, nh=nh, len=2 * len(segments))


case("srv6", f"srv6.segments_left: 1, srv6.last_entry: 2, srv6.active: \"{S2}\""
     " then srv6.tag = 77; srv6.segments_left -= 1; ip.dst = " + S3,
     eth(IPv6(src=A6, dst=S2), srh(1, S1, S2, S3), UDP(sport=1, dport=2), DATA),
     eth(IPv6(src=A6, dst=S3), srh(0, S1, S2, S3, tag=77), UDP(sport=1, dport=2), DATA))

# ---- segment lists: whole, in order; wherever the header stands ----
PATH = [f"fc00:{i:x}::1" for i in range(1, 17)]


def listed(path, left, tag=0, before=(), tc=0xb8, nh=17, **vlan):
    layers = [Dot1Q(**vlan)] if vlan else []
    return eth(*layers, IPv6(src=A6, dst=path[-1 - left] if left < len(path) else S1, tc=tc), *before,
               srh(left, *path, tag=tag, nh=nh), UDP(sport=1, dport=2), DATA)


def list_case(name, path, hit, entry=None, key="srv6.segments: exact", more="", left=0, **packet):
    after = listed(path, left, **{**packet, "tc": 0xb9 if hit else 0xb8, "tag": 9 if hit else 0})
    other = [f'srv6.segments: "{",".join(PATH[i:i + 2])}"{more}' for i in range(4, 8)]
    entry_case(f"segments {name}", key, "ipv6.ecn = 1; srv6.tag = 9; pass",
               other + [f'srv6.segments: "{entry or ",".join(path)}"{more}'], listed(path, left, **packet), after)


for n in (1, 2, 3, 8, 15, 16):
    list_case(f"{n}", PATH[:n], True, left=n - 1)
list_case("of an entry as a list", PATH[:2], True, entry=f"{PATH[0]}, {PATH[1]}")
list_case("active last", PATH[:3], True, left=0)
list_case("reduced", PATH[:3], True, left=3)
list_case("behind options", PATH[:3], True, before=[IPv6ExtHdrHopByHop(nh=43)])
list_case("behind a tag", PATH[:3], True, vlan=7)
list_case("with a prefix", PATH[:3], True, key="srv6.segments: exact, ip.src: prefix", more=", ip.src: 2001:db8::/32")
list_case("with another prefix", PATH[:3], False, key="srv6.segments: exact, ip.src: prefix",
          more=", ip.src: 2001:db9::/32")
list_case("in wire order", PATH[:3], False, entry=",".join(reversed(PATH[:3])))
list_case("shorter", PATH[:2], False, entry=",".join(PATH[:3]))
list_case("longer", PATH[:4], False, entry=",".join(PATH[:3]))
list_case("first differs", PATH[:3], False, entry=",".join(["fc00:1::2"] + PATH[1:3]))
list_case("last differs", PATH[:16], False, entry=",".join(PATH[:15] + ["fd00:10::1"]))
entry_case("segments of no header", "srv6.segments: exact", "drop", [f'srv6.segments: "{S1}"'],
           eth(IPv6(src=A6, dst=S1), UDP(sport=1, dport=2), DATA), eth(IPv6(src=A6, dst=S1), UDP(sport=1, dport=2), DATA))
entry_case("segments of another routing header", "srv6.segments: exact", "drop", [f'srv6.segments: "{S1}"'],
           eth(IPv6(src=A6, dst=S1), IPv6ExtHdrRouting(type=3, addresses=[S1]), UDP(sport=1, dport=2), DATA),
           eth(IPv6(src=A6, dst=S1), IPv6ExtHdrRouting(type=3, addresses=[S1]), UDP(sport=1, dport=2), DATA))

# ---- NAT: addresses, ports, ids; each family, each protocol ----
for size in (0, 1, 5, 1000):
    load = Raw(bytes(i * 37 & 255 for i in range(size)))
    for proto, sport in ((TCP, "tcp"), (UDP, "udp")):
        case(f"nat {sport} {size}", f"ip.src = {C4}; l4.src = 4321; ip.dst = {A4}; l4.dst = 9",
             eth(IP(src=A4, dst=B4, options=[]), proto(sport=1234, dport=80), load),
             eth(IP(src=C4, dst=A4), proto(sport=4321, dport=9), load))
        case(f"nat6 {sport} {size}", f"ip.src = {C6}; l4.src = 4321; ip.dst = {A6}; l4.dst = 9",
             eth(IPv6(src=A6, dst=B6), proto(sport=1234, dport=80), load),
             eth(IPv6(src=C6, dst=A6), proto(sport=4321, dport=9), load))
    case(f"nat icmp {size}", f"ip.src = {C4}; icmp.id = 4321",
         eth(IP(src=A4, dst=B4), ICMP(id=99, seq=3), load), eth(IP(src=C4, dst=B4), ICMP(id=4321, seq=3), load))
    case(f"nat icmpv6 {size}", f"ip.src = {C6}; icmpv6.id = 4321",
         eth(IPv6(src=A6, dst=B6), ICMPv6EchoRequest(id=99, seq=3, data=bytes(load))),
         eth(IPv6(src=C6, dst=B6), ICMPv6EchoRequest(id=4321, seq=3, data=bytes(load))))
case("nat udp none", f"ip.src = {C4}; l4.src = 4321",
     eth(IP(src=A4, dst=B4), UDP(sport=1, dport=2, chksum=0), DATA),
     eth(IP(src=C4, dst=B4), UDP(sport=4321, dport=2, chksum=0), DATA))
case("nat fragment", f"ip.src = {C4}",
     eth(IP(src=A4, dst=B4, frag=100, proto=17), Raw(b"\x01\x02\x03\x04" * 5)),
     eth(IP(src=C4, dst=B4, frag=100, proto=17), Raw(b"\x01\x02\x03\x04" * 5)))
case("nat options", f"ip.src = {C4}; l4.dst = 81",
     eth(IP(src=A4, dst=B4, options=b"\x01\x01\x01\x00"), TCP(sport=1, dport=80, options=[("MSS", 1400)])),
     eth(IP(src=C4, dst=B4, options=b"\x01\x01\x01\x00"), TCP(sport=1, dport=81, options=[("MSS", 1400)])))

# ---- the packet quoted by an error: reversed, so what was written at its source is put back ----
for name, make in (("udp", lambda s, p: IP(src=s, dst=B4) / UDP(sport=p, dport=53) / DATA),
                   ("tcp", lambda s, p: IP(src=s, dst=B4) / TCP(sport=p, dport=80, seq=7) / DATA)):
    for size in (28, 40, None):
        case(f"quoted {name} {size}", f"inner.l4.src: 4321, inner.ip.src: {C4} then ip.dst = {A4};"
             f" inner.ip.src = {A4}; inner.l4.src = 1234",
             unreachable(make(C4, 4321), size, dst=C4), unreachable(make(A4, 1234), size))
case("quoted udp none", f"inner.ip.src = {A4}; inner.l4.src = 1234",
     unreachable(IP(src=C4, dst=B4) / UDP(sport=1, dport=2, chksum=0) / DATA),
     unreachable(IP(src=A4, dst=B4) / UDP(sport=1234, dport=2, chksum=0) / DATA))
case("quoted fragment", f"inner.ip.src = {A4}; inner.ip.ttl = 7",
     unreachable(IP(src=C4, dst=B4, frag=5, proto=17) / DATA, dst=C4),
     unreachable(IP(src=A4, dst=B4, frag=5, proto=17, ttl=7) / DATA, dst=C4))
case("quoted icmp", f"inner.icmp.id: 4321 then inner.ip.src = {A4}; inner.icmp.id = 99",
     unreachable(IP(src=C4, dst=B4) / ICMP(id=4321) / DATA), unreachable(IP(src=A4, dst=B4) / ICMP(id=99) / DATA))
for size in (48, 60, None):
    case(f"quoted tcp6 {size}", f"inner.tcp.seq: 7 then ip.dst = {A6}; inner.ip.src = {A6};"
         " inner.l4.src = 1234",
         too_long(IPv6(src=C6, dst=B6) / TCP(sport=4321, dport=80, seq=7) / DATA, size, dst=C6),
         too_long(IPv6(src=A6, dst=B6) / TCP(sport=1234, dport=80, seq=7) / DATA, size))
case("quoted udp6", f"inner.ip.dst = {A6}; inner.l4.dst = 1234",
     too_long(IPv6(src=B6, dst=C6) / UDP(sport=53, dport=4321) / DATA),
     too_long(IPv6(src=B6, dst=A6) / UDP(sport=53, dport=1234) / DATA))
case("quoted icmpv6", f"inner.ip.src = {A6}; inner.icmp.id = 99",
     too_long(IPv6(src=C6, dst=B6) / ICMPv6EchoRequest(id=4321, data=b"xyz")),
     too_long(IPv6(src=A6, dst=B6) / ICMPv6EchoRequest(id=99, data=b"xyz")))
# ---- inside IP ----
case("inside 4in4", f"inner.ip.proto: udp then inner.ip.dst = {C4}; inner.l4.dst = 9; ip.src = {R4}",
     eth(IP(src=A4, dst=B4), IP(src=A4, dst=B4), UDP(sport=1, dport=2), DATA),
     eth(IP(src=R4, dst=B4), IP(src=A4, dst=C4), UDP(sport=1, dport=9), DATA))
case("inside 6in4", f"inner.ip.dst = {C6}; inner.l4.dst = 9; inner.ip.ttl -= 1",
     eth(IP(src=A4, dst=B4), IPv6(src=A6, dst=B6), TCP(sport=1, dport=2), DATA),
     eth(IP(src=A4, dst=B4), IPv6(src=A6, dst=C6, hlim=63), TCP(sport=1, dport=9), DATA))
case("inside 4in6", f"inner.ip.dst = {C4}; inner.ip.ttl -= 1; inner.ip.dscp = 46",
     eth(IPv6(src=A6, dst=B6), IP(src=A4, dst=B4, ttl=9), TCP(sport=1, dport=2), DATA),
     eth(IPv6(src=A6, dst=B6), IP(src=A4, dst=C4, ttl=8, tos=46 << 2), TCP(sport=1, dport=2), DATA))

# ---- pushed and popped ----
U4, U6 = IP(src=A4, dst=B4, tos=0xb9) / UDP(sport=1, dport=2) / DATA, IPv6(src=A6, dst=B6, tc=0xb9) / UDP(sport=1, dport=2) / DATA
T6 = IPv6(src=A6, dst=B6) / TCP(sport=1, dport=2) / DATA


def outer4(proto, **fields):
    return IP(src=R4, dst=C4, ttl=64, id=0, flags="DF", proto=proto, **fields)


def outer6(nh, **fields):
    return IPv6(src=R6, dst=C6, hlim=64, nh=nh, **fields)


ADDRESS4, ADDRESS6 = f"ip.src = {R4}; ip.dst = {C4}", f"ip.src = {R6}; ip.dst = {C6}"
for name, inner, proto in (("4", U4, 4), ("6", U6, 41)):
    case(f"push mpls {name}", "push(mpls); mpls.label = 16; mpls.tc = 2", eth(inner),
         eth(MPLS(label=16, cos=2, s=1, ttl=64), inner, type=0x8847))
    # The kernel lets tc shorten IP packets only.
    case(f"pop mpls {name}", "pop(mpls)", eth(MPLS(label=16, cos=2, s=1, ttl=9), inner, type=0x8847), eth(inner),
         tiers="direct")
    case(f"pop mpls of two {name}", "pop(mpls)", eth(MPLS(label=7, s=0), MPLS(label=16, s=1, ttl=9), inner, type=0x8847),
         eth(MPLS(label=16, s=1, ttl=9), inner, type=0x8847), tiers="direct")
    case(f"push {name}in4", f"push(ipip); {ADDRESS4}", eth(inner), eth(outer4(proto, tos=0xb9), inner))
    case(f"push {name}in6", f"push(ipip, 6); {ADDRESS6}", eth(inner), eth(outer6(proto, tc=0xb9), inner))
    case(f"pop {name}in4", "pop(ipip)", eth(outer4(proto), inner), eth(inner))
    case(f"pop {name}in6", "pop(ipip)", eth(outer6(proto), inner), eth(inner))
    case(f"push vxlan {name}in4", f"push(vxlan); udp.src = 50000; vxlan.vni = 77; eth.dst = {C_MAC}; {ADDRESS4}",
         eth(inner), eth(outer4(17), UDP(sport=50000, dport=4789, chksum=0), VXLAN(vni=77, flags=8), eth(inner),
                         dst=C_MAC))
    case(f"push vxlan {name}in6", f"push(vxlan, 6); udp.src = 50000; vxlan.vni = 77; {ADDRESS6}",
         eth(inner), eth(outer6(17), UDP(sport=50000, dport=4789, chksum=0), VXLAN(vni=77, flags=8), eth(inner)))
    for outer in (outer4(17), outer6(17)):
        case(f"pop vxlan {name}in{outer.version}", "vxlan.vni: 77 then pop(vxlan)",
             eth(outer, UDP(sport=50000, dport=4789, chksum=0), VXLAN(vni=77, flags=8), eth(inner, dst=C_MAC)),
             eth(inner, dst=C_MAC))
    case(f"push srv6 {name}", f"push(srv6, {S1}, {S2}, {S3}); ip.src = {R6}; srv6.tag = 5", eth(inner),
         eth(IPv6(src=R6, dst=S1, hlim=64, tc=0xb9, nh=43), srh(2, S1, S2, S3, nh=proto, tag=5), inner))
    case(f"push srv6 one {name}", f"push(srv6, {S1}); ip.src = {R6}", eth(inner),
         eth(IPv6(src=R6, dst=S1, hlim=64, tc=0xb9, nh=43), srh(0, S1, nh=proto), inner))
    case(f"pop srv6 {name}", "srv6.segments_left: 0 then pop(srv6)",
         eth(IPv6(src=R6, dst=S3), srh(0, S1, S2, S3, nh=proto), inner), eth(inner))
case("push srh", f"push(srh, {S1}, {S2})", eth(T6),
     eth(IPv6(src=A6, dst=S1, nh=43), srh(2, S1, S2, B6, nh=6), T6[TCP]))
case("next segment", "next_segment", eth(IPv6(src=A6, dst=S1, nh=43), srh(2, S1, S2, B6, nh=6), T6[TCP]),
     eth(IPv6(src=A6, dst=S2, nh=43), srh(1, S1, S2, B6, nh=6), T6[TCP]))
case("last segment", "next_segment; pop(srh)", eth(IPv6(src=A6, dst=S2, nh=43), srh(1, S1, S2, B6, nh=6), T6[TCP]),
     eth(T6))

# ---- templates ----
REPLY = ["templates:", "  reply:",
         '    bytes: "000000000000 000000000000 0806 0001 0800 06 04 0002 000000000000 00000000 000000000000 00000000"',
         '    set: {eth.dst: eth.src, eth.src: "02:00:00:00:00:09", arp.sha: "02:00:00:00:00:09", arp.spa: arp.tpa,'
         ' arp.tha: arp.sha, arp.tpa: arp.spa}']
case("become arp", "arp.op: 1 then become(reply)",
     eth(ARP(op=1, hwsrc=ETH["src"], psrc=A4, pdst="192.0.2.9"), dst="ff:ff:ff:ff:ff:ff"),
     eth(ARP(op=2, hwsrc="02:00:00:00:00:09", psrc="192.0.2.9", hwdst=ETH["src"], pdst=A4), dst=ETH["src"],
         src="02:00:00:00:00:09"), extra=REPLY)
for size in (0, 1000):
    for make, fields in ((lambda s, d: IP(src=s, dst=d, id=0) / UDP(sport=7, dport=8) / b"answer", "4"),
                         (lambda s, d: IPv6(src=s, dst=d) / UDP(sport=7, dport=8) / b"answer", "6")):
        zero = bytes(Ether(dst="00:00:00:00:00:00", src="00:00:00:00:00:00")
                     / (make("0.0.0.0", "0.0.0.0") if fields == "4" else make("::", "::")))
        a, b, ip = (A4, B4, IP) if fields == "4" else (A6, B6, IPv6)
        case(f"become udp{fields} {size}", "become(answer)", eth(ip(src=a, dst=b), UDP(sport=5, dport=6), bytes(size)),
             eth(make(b, a).__class__(bytes(make(b, a)))),
             extra=["templates:", "  answer:", f'    bytes: "{zero.hex()}"',
                    "    set: {eth.dst: eth.dst, eth.src: eth.src, ip.src: ip.dst, ip.dst: ip.src}"])


def text():
    lines = ["# SPDX-License-Identifier: GPL-2.0-or-later", "# Written by packets.py."]
    for name, rule, before, after, exit, extra, tiers in cases:
        what = [f"rule {rule}"] if isinstance(rule, str) else [f"table {line}" for line in rule]
        lines += [f"case {name}", *(f"text {line}" for line in extra), f"tiers {tiers}", *what, f"exit {exit}",
                  f"in {before.hex()}", f"out {after.hex()}"]
    return "\n".join(lines) + "\n"


if sys.argv[1:] == ["--check"]:
    sys.exit("packets.txt is not what packets.py writes" if open(FILE).read() != text() else 0)
sys.stdout.write(text())
