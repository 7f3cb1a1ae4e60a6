# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that dies is taken out of the group and comes back: `group probe` beside curl through `load-balancer`.

    c (10.1.0.2) --- p1 [ s1, service 10.9.9.9:80 ] p2 --- h2 (10.2.0.2:8080)
                                                    p3 --- h3 (10.3.0.2:8080)
"""
import json, os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Process, wait_until, BUILD
from test_load_balancer import LoadBalancer


class Health(LoadBalancer):
    hook = "xdp"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        agent = cls.switch.socket
        cls.probe = Process(cls.lab, "probe", [
            f"{BUILD}/cli/mealy", "--agent", agent, "--json", "group", "probe", "load-balancer", "backends", "--http", "/name",
            "--interval", "100ms", "--timeout", "300ms", "--rise", "2", "--fall", "2"], cls.switch.namespace)
        cls.addClassCleanup(cls.probe.stop)

    def health(self):
        return {m["id"]: m["health"] for m in self.lab.json("group", "show", "load-balancer", "backends", agent="s1")}

    def test_5_one_that_dies_goes_and_comes_back(self):
        self.assertEqual(set(self.ask(16)), {"h2", "h3"})
        self.stop_server("h2")
        wait_until(lambda: self.health() == {1: "down", 2: "up"})
        self.assertEqual(self.ask(12), ["h3"] * 12)
        self.start_server("h2")
        wait_until(lambda: self.health() == {1: "up", 2: "up"})
        self.assertEqual(set(self.ask(16)), {"h2", "h3"})
        told = [json.loads(line) for line in self.probe.text().splitlines()]
        self.assertEqual([(t["id"], t["health"], t["why"]) for t in told],
                         [(1, "down", "Connection refused"), (1, "up", "")])


del LoadBalancer
if __name__ == "__main__":
    unittest.main(verbosity=2)
