# SPDX-License-Identifier: GPL-2.0-or-later
"""frames - frames for the scenario tests, made and checked by scapy."""
import logging
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, ICMPv6EchoRequest
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

A, B = "02:00:00:00:01:01", "02:00:00:00:02:01"


def udp(src, dst, sport=40000, dport=9, smac=A, dmac=B, payload=b"x" * 18, **ip):
    l3 = IPv6(src=src, dst=dst, **ip) if ":" in src else IP(src=src, dst=dst, **ip)
    return bytes(Ether(src=smac, dst=dmac) / l3 / UDP(sport=sport, dport=dport) / Raw(payload))


def tcp(src, dst, sport=40000, dport=80, flags="S", smac=A, dmac=B, payload=b"", **fields):
    l3 = IPv6(src=src, dst=dst) if ":" in src else IP(src=src, dst=dst)
    return bytes(Ether(src=smac, dst=dmac) / l3 / TCP(sport=sport, dport=dport, flags=flags, **fields) / Raw(payload))


def icmp(src, dst, smac=A, dmac=B, seq=1):
    return bytes(Ether(src=smac, dst=dmac) / IP(src=src, dst=dst) / ICMP(id=1, seq=seq) / Raw(b"y" * 18))


def ethernet(smac, dmac, type=0x88b5, payload=b"z" * 46):
    return bytes(Ether(src=smac, dst=dmac, type=type) / Raw(payload))


def checksums_ok(frame):
    """True if every checksum of the frame is what scapy computes from scratch."""
    p = Ether(frame)
    q = p.copy()
    for layer in (IP, UDP, TCP, ICMP):
        if layer in q and not (layer is UDP and q[layer].chksum == 0):
            del q[layer].chksum
    return bytes(q) == bytes(p)


def only_udp(dport=None):
    def keep(frame):
        p = Ether(frame)
        return UDP in p and (dport is None or p[UDP].dport == dport)
    return keep


def only_test(frame):
    """IP and test frames; not the kernel's own neighbour and router chatter."""
    p = Ether(frame)
    return UDP in p or TCP in p or ICMP in p or p.type == 0x88b5
