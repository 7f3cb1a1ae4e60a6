# SPDX-License-Identifier: GPL-2.0-or-later
"""`route` before a kernel that has routes: what it may send, what it must leave, what it drops.

    c --- p1 [ s1 ] p2 --- s        s1's kernel: 10.1.0.0/24 and 2001:db8:1::/64 at p1, .2. at p2
"""
import json, os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, sh, wait_until
from frames import A, udp, checksums_ok, only_udp
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/router.yaml")


class Route(unittest.TestCase):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("route" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"], hooks=[cls.hook])
        cls.switch.extra.update(controllers=None)
        for n, name in ((1, "c"), (2, "s")):
            host = cls.lab.host(name, "s1", f"p{n}", ip=f"10.{n}.0.2/24", ip6=f"2001:db8:{n}::2/64")
            cls.switch.run("ip", "addr", "add", f"10.{n}.0.1/24", "dev", f"p{n}")
            cls.switch.run("ip", "addr", "add", f"2001:db8:{n}::1/64", "dev", f"p{n}", "nodad")
            # Without one the kernel cannot ask for neighbours on behalf of others.
            cls.switch.run("ip", "addr", "add", f"fe80::{n}/64", "dev", f"p{n}", "nodad")
            host.run("ip", "route", "add", "default", "via", f"10.{n}.0.1")
            host.run("ip", "-6", "route", "add", "default", "via", f"2001:db8:{n}::1")
            setattr(cls, name, host)
        cls.switch.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        cls.switch.run("ip", "route", "add", "blackhole", "10.9.0.0/16")
        cls.switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, "--hook", cls.hook, agent="s1")

    def counter(self, name):
        return sum(r["packets"] for r in self.lab.json("counter", "show", agent="s1") if r["name"] == name)

    def mac(self, port):
        return json.loads(self.switch.run("ip", "-j", "link", "show", port))[0]["address"]

    def frame(self, dst, **ip):
        return udp("10.1.0.2", dst, smac=self.c.mac, dmac=self.mac("p1"), **ip)

    def test_1_ping_resolves_by_the_kernel_and_then_goes_by_the_switch(self):
        for address in ("10.2.0.2", "2001:db8:2::2"):
            self.c.run("ping", "-c", "5", "-i", "0.2", "-W", "2", address)

    def test_2_a_packet_is_sent_with_its_ttl_and_checksum(self):
        self.c.run("ping", "-c", "1", "10.2.0.2")
        self.s.received(quiet_s=0.1)
        self.c.send([self.frame("10.2.0.2", dport=9, ttl=17)])
        frames = self.s.received(filter=only_udp(9), want=1)
        self.assertEqual(len(frames), 1)
        packet = Ether(frames[0])
        self.assertEqual((packet[IP].ttl, packet.src, packet.dst), (16, self.mac("p2"), self.s.mac))
        self.assertTrue(checksums_ok(frames[0]))

    def test_3_tcp_between_the_hosts(self):
        server = self.s.popen("nc", "-l", "-p", "7000")
        wait_until(lambda: "7000" in self.s.run("ss", "-ltn"))
        self.c.run("sh", "-c", "head -c 300000 /dev/zero | nc -N -w 5 10.2.0.2 7000 || "
                   "head -c 300000 /dev/zero | nc -q 1 -w 5 10.2.0.2 7000")
        server.wait(10)
        self.assertEqual(server.returncode, 0)

    def test_4_a_ttl_that_is_over_is_answered_by_the_kernel(self):
        self.c.received(quiet_s=0.1)
        self.c.send([self.frame("10.2.0.2", dport=9, ttl=1)])
        self.assertEqual(self.s.received(filter=only_udp(9), quiet_s=0.3), [])
        answers = [Ether(f) for f in self.c.received(filter=lambda f: ICMP in Ether(f), want=1)]
        self.assertEqual([(p[ICMP].type, p[IP].src) for p in answers], [(11, "10.1.0.1")])

    def test_5_a_way_that_leads_nowhere(self):
        self.s.received(quiet_s=0.1)
        self.c.send([self.frame("10.9.1.1", dport=9)] * 3)
        self.assertEqual(self.s.received(filter=only_udp(9), quiet_s=0.3), [])

    def test_6_trace_asks_the_kernel(self):
        self.c.run("ping", "-c", "1", "10.2.0.2")
        for dst, exit in (("10.2.0.2", "route"), ("10.9.1.1", "route:none"), ("10.1.0.1", "route:kernel")):
            answer = self.lab.json("trace", "--hook", self.hook, "--port", "p1", "udp", "ip.src=10.1.0.2", f"ip.dst={dst}",
                                   "l4.dst=9", agent="s1")
            self.assertEqual([f["exit"] for f in answer if "exit" in f], [exit])


class RouteOnTc(Route):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
