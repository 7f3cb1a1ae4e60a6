# SPDX-License-Identifier: GPL-2.0-or-later
"""The stateful UDP firewall of the examples (use case 5)."""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab
from frames import udp, only_test

IN, OUT = "10.4.0.1", "10.4.0.2"


class UdpFirewall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("udpfw")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["lan0", "wan0"], hooks=["xdp"])
        cls.i = cls.lab.host("in", "s1", "lan0", ip=IN + "/24", mac="02:00:00:00:01:01")
        cls.o = cls.lab.host("out", "s1", "wan0", ip=OUT + "/24", mac="02:00:00:00:02:01")
        cls.lab.start()
        cls.lab.mealy("app", "load", "examples/udp-firewall.yaml", "--order", "10", "--set", "inside=lan0", "--set", "outside=wan0")

    def setUp(self):
        self.lab.mealy("flow", "flush", "udp-firewall", "conversations")
        self.i.received(quiet_s=0.02), self.o.received(quiet_s=0.02)

    def ask(self, sport=1000, dport=53):
        self.i.send([udp(IN, OUT, sport, dport, smac=self.i.mac, dmac=self.o.mac)])
        return len(self.o.received(filter=only_test, quiet_s=0.15))

    def answer(self, sport=53, dport=1000):
        self.o.send([udp(OUT, IN, sport, dport, smac=self.o.mac, dmac=self.i.mac)])
        return len(self.i.received(filter=only_test, quiet_s=0.15))

    def test_the_outside_cannot_begin(self):
        self.assertEqual(self.answer(), 0)
        self.assertEqual(self.lab.flows("udp-firewall", "conversations"), [])

    def test_the_inside_asks_and_is_answered(self):
        self.assertEqual(self.ask(), 1)
        self.assertEqual(self.answer(), 1)
        rows = self.lab.flows("udp-firewall", "conversations")
        self.assertEqual([r["state"] for r in rows], ["BOTH"])

    def test_another_conversation_stays_closed(self):
        self.ask()
        self.assertEqual(self.answer(sport=54), 0)
        self.assertEqual(self.answer(dport=1001), 0)

    def test_swapped_ports_are_another_conversation(self):
        self.ask(sport=1000, dport=53)
        self.assertEqual(self.answer(sport=1000, dport=53), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
