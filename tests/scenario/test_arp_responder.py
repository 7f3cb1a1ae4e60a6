# SPDX-License-Identifier: GPL-2.0-or-later
"""examples/arp-responder.yaml: arping and the kernel's own neighbour discovery get answers of the switch.

    c --- p1 [ s1 ] p2 --- s
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import checksums_ok
from scapy.layers.inet6 import ICMPv6ND_NA
from scapy.layers.l2 import ARP, Ether

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/arp-responder.yaml")
HW = "00:01:02:03:04:05"


class ArpResponder(unittest.TestCase):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("arp" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        switch = cls.lab.switch("s1", ["p1", "p2"], hooks=[cls.hook])
        switch.extra.update(controllers=None)
        cls.c = cls.lab.host("c", "s1", "p1", ip="172.16.0.1/24", ip6="2001:db8:16::1/64")
        cls.s = cls.lab.host("s", "s1", "p2")
        switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, "--hook", cls.hook, agent="s1")

    def answers(self, layer):
        return self.c.received(filter=lambda f: layer in Ether(f) and Ether(f).src == HW, want=1)

    def test_arping(self):
        text = self.c.run("arping", "-c", "3", "-I", "eth0", "172.16.0.2")
        self.assertEqual(text.lower().count(HW), 3)

    def test_the_kernel_learns_the_neighbour(self):
        for address, layer in (("172.16.0.2", ARP), ("2001:db8:16::2", ICMPv6ND_NA)):
            self.c.received(quiet_s=0.1)
            self.c.run("ping", "-c", "1", "-W", "1", address, check=False)
            wait_until(lambda: HW in self.c.run("ip", "neigh", "show", address))
            frame = self.answers(layer)[0]
            self.assertEqual(Ether(frame).dst, self.c.mac)
            self.assertTrue(checksums_ok(frame))

    def test_other_addresses_are_not_answered(self):
        self.c.run("ping", "-c", "1", "-W", "1", "172.16.0.3", check=False)
        self.assertNotIn(HW, self.c.run("ip", "neigh", "show", "172.16.0.3"))


class ArpResponderOnTc(ArpResponder):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
