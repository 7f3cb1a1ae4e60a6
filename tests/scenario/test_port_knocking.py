# SPDX-License-Identifier: GPL-2.0-or-later
"""The port-knocking door of the examples: the sequences of the reference system, TCP and UDP.

    c 10.2.0.1, d 10.2.0.3 --- [ s1: port-knocking on p1, p3 -> mac-learning ] --- s 10.2.0.2
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import icmp, tcp, udp, only_test
from scapy.layers.l2 import Ether
from scapy.layers.inet import IP, TCP, UDP, ICMP


class PortKnocking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("knock")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2", "p3"], hooks=["xdp"])
        cls.c = cls.lab.host("c", "s1", "p1", ip="10.2.0.1/24", mac="02:00:00:00:01:01")
        cls.s = cls.lab.host("s", "s1", "p2", ip="10.2.0.2/24", mac="02:00:00:00:02:01")
        cls.d = cls.lab.host("d", "s1", "p3", ip="10.2.0.3/24", mac="02:00:00:00:03:01")
        cls.lab.start()
        cls.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        cls.c.run("ping", "-c1", "-W2", "10.2.0.2")
        cls.d.run("ping", "-c1", "-W2", "10.2.0.2")
        cls.lab.mealy("app", "load", "examples/port-knocking.yaml", "--ports", "p1,p3", "--order", "10")

    def setUp(self):
        self.lab.mealy("flow", "flush", "port-knocking", "knocks")
        self.s.received(quiet_s=0.05)

    def knock(self, *ports, host=None, make=udp, src=None):
        host = host or self.c
        host.send([make(src or host.ip, "10.2.0.2", dport=p, smac=host.mac) for p in ports], 0.0005)

    def arrived(self):
        return [f for f in self.s.received(filter=only_test, quiet_s=0.15)]

    def state(self, ip):
        rows = self.lab.flows("port-knocking", "knocks")
        return next((r["state"] for r in rows if r["ip.src"] == ip), "CLOSED")

    def test_before_any_knock_the_door_is_closed(self):
        self.knock(9922)
        self.assertEqual(self.arrived(), [])
        self.assertEqual(self.lab.flows("port-knocking", "knocks"), [], "a stranger costs no memory")

    def test_the_right_sequence_opens_for_udp(self):
        self.knock(1111, 2222, 3333, 9922)
        self.assertEqual(len(self.arrived()), 1)
        self.assertEqual(self.state("10.2.0.1"), "OPEN")

    def test_the_right_sequence_opens_for_tcp(self):
        self.knock(1111, 2222, 3333, 9922, make=tcp)
        self.assertEqual(len(self.arrived()), 1)

    def test_sequences_that_do_not_open(self):
        for ports in ((1111, 2222, 9922), (1111, 3333, 2222, 9922), (1111, 1111, 2222, 3333, 9922), (2222, 3333, 9922),
                      (1111, 2222, 3333, 9999, 9922)):
            with self.subTest(ports=ports):
                self.lab.mealy("flow", "flush", "port-knocking", "knocks")
                self.knock(*ports)
                self.assertEqual(self.arrived(), [])

    def test_two_sources_that_interleave_do_not_disturb_each_other(self):
        for port in (1111, 2222, 3333):
            self.knock(port)
            self.knock(port, host=self.d)
        self.knock(9922)
        self.knock(9922, host=self.d)
        sources = sorted(Ether(f)[IP].src for f in self.arrived())
        self.assertEqual(sources, ["10.2.0.1", "10.2.0.3"])

    def test_icmp_during_the_sequence_passes_and_changes_nothing(self):
        self.knock(1111, 2222)
        self.c.send([icmp("10.2.0.1", "10.2.0.2")])
        self.knock(3333, 9922)
        arrived = [Ether(f) for f in self.arrived()]
        self.assertEqual([ICMP in p for p in arrived], [True, False])

    def test_five_thousand_frames_pass_an_open_door(self):
        self.knock(1111, 2222, 3333)
        self.knock(*([9922] * 5000))
        self.assertEqual(len(self.s.received(filter=only_test, want=5000, quiet_s=1)), 5000)

    def test_a_state_set_by_hand_opens_the_door_and_a_deleted_flow_closes_it(self):
        self.lab.mealy("flow", "set", "port-knocking", "knocks", "ip.src=10.2.0.1", "state=OPEN")
        self.knock(9922)
        self.assertEqual(len(self.arrived()), 1)
        self.lab.mealy("flow", "delete", "port-knocking", "knocks", "ip.src=10.2.0.1")
        self.knock(9922)
        self.assertEqual(self.arrived(), [])

    def test_steps_expire(self):
        self.lab.mealy("app", "load", "examples/port-knocking.yaml", "--ports", "p1,p3", "--order", "10", "--switch", "s1")
        self.knock(1111)
        self.assertEqual(self.state("10.2.0.1"), "ONE")
        wait_until(lambda: self.state("10.2.0.1") == "CLOSED", 8, 0.2)
        self.knock(2222, 3333, 9922)
        self.assertEqual(self.arrived(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
