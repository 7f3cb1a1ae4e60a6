# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing is lost when a process dies: agent and controller killed, host rebooted, agent replaced, under traffic.

    c --- p1 [ s1: packet-counter -> mac-learning ] p2 --- s
"""
import os, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from apps import PAIR
from lab import Lab, Load, wait_until
from frames import udp, only_udp

UDP = 17


class Restart(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("restart")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"])
        self.c = self.lab.host("c", "s1", "p1", ip="10.5.0.1/24", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", ip="10.5.0.2/24", mac="02:00:00:00:02:01")
        self.lab.start()
        self.lab.mealy("app", "load", "examples/packet-counter.yaml", "--order", "10")
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        self.c.run("ping", "-c1", "-W2", "10.5.0.2")
        self.s.received(quiet_s=0.05)
        self.frame = udp("10.5.0.1", "10.5.0.2", dport=7)

    def counted(self):
        rows = self.lab.flows("packet-counter", "sources")
        return sum(r["packets"] for r in rows if r["ip.src"] == "10.5.0.1" and r["ip.proto"] == UDP)

    def everything(self):
        """Packets of all records: the hosts' own neighbour discovery is among them."""
        return sum(r["packets"] for r in self.lab.flows("packet-counter", "sources"))

    def rule(self):
        rows = self.lab.json("counter", "show", "rule")
        return next(r["packets"] for r in rows if r["name"] == "packet-counter/sources/count")

    def test_an_agent_killed_under_load_loses_no_frame_and_its_successor_takes_over(self):
        sender = Load(self.c, self.frame)
        sender.start()
        time.sleep(0.3)
        self.switch.process.kill()
        time.sleep(0.5)
        self.switch.start()
        self.lab.connected("s1")
        time.sleep(0.3)
        sent = sender.stop()
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        self.assertEqual(self.counted(), sent, "the flow and its registers went on")
        low, rule, high = self.everything(), self.rule(), self.everything()
        self.assertTrue(low <= rule <= high, f"the rule's counter went on: {rule} of {low} to {high}")

    def test_a_controller_killed_leaves_the_datapath_alone_and_nothing_is_applied_twice(self):
        version = self.lab.json("switch", "show", "s1")[0]["version"]
        sender = Load(self.c, self.frame)
        sender.start()
        self.lab.controller_process.kill()
        time.sleep(0.3)
        self.lab.controller()
        self.lab.connected("s1")
        sent = sender.stop()
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        self.assertEqual(self.counted(), sent)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["version"], version, "an equal digest changes nothing")

    def test_what_a_local_user_changed_is_told_as_drift_and_undone_at_the_next_connection(self):
        self.lab.mealy("app", "load", "examples/token-bucket.yaml", agent="s1")
        self.lab.mealy("app", "remove", "packet-counter", agent="s1")
        self.assertRegex(self.lab.json("switch", "show", "s1")[0]["problem"], "drift")
        self.lab.controller_process.kill()
        self.lab.controller()
        self.lab.connected("s1")
        names = {"packet-counter", "mac-learning"}
        wait_until(lambda: {r["name"] for r in self.lab.json("app", "list", agent="s1")} == names)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["problem"], "")

    def test_after_a_reboot_without_a_controller_the_same_tables_and_ports_come_back_empty(self):
        self.c.send([self.frame] * 10, 0.001)
        wait_until(lambda: self.counted() == 10)
        ports = {r["name"]: r["number"] for r in self.lab.json("port", "list")}
        self.switch.process.stop()
        self.lab.controller_process.kill()
        self.switch.unload()
        self.assertNotIn("xdp", self.switch.run("ip", "link", "show", "p1"))
        self.switch.start()
        self.assertEqual({r["name"]: r["number"] for r in self.lab.json("port", "list", agent="s1")}, ports)
        self.assertEqual(self.lab.flows("packet-counter", "sources", agent="s1"), [])
        self.s.received(quiet_s=0.05)
        self.c.send([self.frame] * 5, 0.001)
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=5, quiet_s=1)), 5)

    def test_unload_leaves_nothing_behind(self):
        self.switch.process.stop()
        self.switch.unload()
        for port in ("p1", "p2"):
            self.assertNotIn("xdp", self.switch.run("ip", "link", "show", port))
            self.assertEqual(self.switch.run("tc", "filter", "show", "dev", port, "ingress", check=False).strip(), "")
        self.assertFalse(os.path.exists(f"/sys/fs/bpf/mealy/{self.switch.pin}"))
        self.assertTrue(os.path.isdir(self.switch.state_dir))
        self.switch.unload("--forget")
        self.assertFalse(os.path.exists(self.switch.state_dir))

    def test_a_hundred_versions_under_load_lose_mix_and_forget_nothing(self):
        path = os.path.join(self.lab.dir, "pair.yaml")
        with open(path, "w") as f:
            f.write(PAIR)
        self.lab.mealy("app", "load", path, "--order", "50", "--ports", "p1")
        load = Load(self.c, self.frame)
        load.start()
        for i in range(1, 101):
            self.lab.mealy("app", "set", "pair", f"v={i}")
        sent = load.stop()
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        self.assertEqual(self.counted(), sent)
        rules = {r["name"].split("/")[-1]: r["packets"] for r in self.lab.json("counter", "show", "pair/two")}
        self.assertEqual(rules["mixed"], 0, "no packet met the tables of two versions")
        self.assertGreaterEqual(rules["same"], sent)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["problem"], "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
