# SPDX-License-Identifier: GPL-2.0-or-later
"""The learning bridge of the examples with three hosts (use case 2)."""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import ethernet, only_test

BROADCAST = "ff:ff:ff:ff:ff:ff"


class MacLearning(unittest.TestCase):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("learn" + cls.hook.replace("-", ""))
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2", "p3"], hooks=[cls.hook])
        cls.h = [cls.lab.host(f"h{i}", "s1", f"p{i}", ip=f"10.3.0.{i}/24", mac=f"02:00:00:00:0{i}:01") for i in (1, 2, 3)]
        cls.lab.start()
        cls.lab.mealy("app", "load", "examples/mac-learning.yaml", "--hook", cls.hook)

    def setUp(self):
        self.lab.mealy("flow", "flush", "mac-learning", "stations")
        for h in self.h:
            h.received(quiet_s=0.02)

    def arrivals(self):
        return [len(h.received(filter=only_test, quiet_s=0.15)) for h in self.h]

    def send(self, source, smac, dmac):
        self.h[source - 1].send([ethernet(smac, dmac)])

    def test_an_unknown_destination_is_flooded_but_not_back(self):
        self.send(1, self.h[0].mac, self.h[1].mac)
        self.assertEqual(self.arrivals(), [0, 1, 1])

    def test_a_learned_destination_gets_it_alone(self):
        self.send(2, self.h[1].mac, BROADCAST)
        self.assertEqual(self.arrivals(), [1, 0, 1])
        self.send(1, self.h[0].mac, self.h[1].mac)
        self.assertEqual(self.arrivals(), [0, 1, 0])

    def test_a_station_that_moves_is_found_at_its_new_port(self):
        self.send(2, self.h[1].mac, BROADCAST)
        self.send(3, self.h[1].mac, BROADCAST)
        self.arrivals()
        self.send(1, self.h[0].mac, self.h[1].mac)
        self.assertEqual(self.arrivals(), [0, 0, 1])

    def test_a_frame_to_a_station_on_the_same_port_is_dropped(self):
        self.send(1, "02:00:00:00:aa:01", BROADCAST)
        self.arrivals()
        self.send(1, self.h[0].mac, "02:00:00:00:aa:01")
        self.assertEqual(self.arrivals(), [0, 0, 0])

    def test_a_group_source_is_dropped_and_not_learned(self):
        self.send(1, "03:00:00:00:00:01", BROADCAST)
        self.assertEqual(self.arrivals(), [0, 0, 0])
        self.assertEqual(self.lab.flows("mac-learning", "stations"), [])

    def test_ping_learns_both_ends(self):
        self.assertIn(" 0% packet loss", self.h[0].run("ping", "-c2", "-i0.1", "-W2", "10.3.0.2"))
        rows = self.lab.flows("mac-learning", "stations")
        ports = {r["eth.dst"]: r["port"] for r in rows}
        self.assertEqual(ports[self.h[0].mac], 1)
        self.assertEqual(ports[self.h[1].mac], 2)

    def test_tcp_of_the_kernel_crosses_the_switch_unharmed(self):
        server = self.h[1].popen("nc", "-l", "-p", "5001", stdout=-1)
        wait_until(lambda: "5001" in self.h[1].run("ss", "-ltn"))
        data = "x" * 200000 + "end\n"
        self.h[0].run("nc", "-N", "-w5", "10.3.0.2", "5001", input=data)
        out, _ = server.communicate(timeout=10)
        self.assertEqual(out, data)


class MacLearningOnTc(MacLearning):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
