# SPDX-License-Identifier: GPL-2.0-or-later
"""Controller and agent are killed at random moments of changes under load, and ports taken away and put back.

    c --- p1 [ s1: packet-counter -> pair -> mac-learning ] p2 --- s        x --- p3

The seed is printed; MEALY_SEED=N repeats it.
"""
import os, random, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from apps import PAIR
from lab import Lab, Load, sh, wait_until
from frames import udp, only_udp

KILLS = 300 if os.environ.get("MEALY_LONG") else 30
UDP = 17


class Killed(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("killed")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2", "p3"], hooks=["xdp"])
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.x = self.lab.namespace("x")
        self.plug()
        self.lab.start()
        path = os.path.join(self.lab.dir, "pair.yaml")
        with open(path, "w") as f:
            f.write(PAIR)
        self.lab.mealy("app", "load", "examples/packet-counter.yaml", "--order", "10")
        self.lab.mealy("app", "load", path, "--order", "50", "--ports", "p1")
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        seed = int(os.environ.get("MEALY_SEED", time.time_ns() % 1000000))
        print(f"seed {seed}", flush=True)
        self.random = random.Random(seed)
        self.s.received(quiet_s=0.05)
        self.got, self.plugged = 0, True

    def plug(self):
        self.lab.veth(self.x, "eth0", self.switch.namespace, "p3")
        self.plugged = True

    def unplug(self):
        sh("ip", "-n", self.switch.namespace, "link", "del", "p3")
        self.plugged = False

    def drain(self, **kw):
        self.got += len(self.s.received(filter=only_udp(7), **kw))

    def kill_one(self, number):
        """A change begins; somewhere in it one of the two dies, or a port goes or comes, and then one dies."""
        change = subprocess.Popen(self.lab.command("app", "set", "pair", f"v={number}"), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        if self.random.random() < 0.3:
            (self.unplug if self.plugged else self.plug)()
        time.sleep(self.random.uniform(0, 0.15))
        agent = self.random.random() < 0.4
        if agent:
            self.switch.process.kill()
        else:
            self.lab.controller_process.kill()
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, 0.3))
        if agent:
            self.switch.start()
        else:
            self.lab.controller()
        change.wait(30)

    def value(self, **kw):
        """The parameter as the desired or the running deployment has it."""
        return next(r["settings"] for r in self.lab.json("app", "list", **kw) if r["name"] == "pair")

    def test_killed_at_random_loses_nothing_and_ends_as_desired(self):
        load = Load(self.c, udp("10.5.0.1", "10.5.0.2", dport=7), 0.002)
        load.start()
        for i in range(1, KILLS + 1):
            self.kill_one(i)
            self.drain(quiet_s=0)
            if i % 5 == 0:
                self.settled()
        self.settled()
        sent = load.stop()
        self.drain(want=sent - self.got, quiet_s=1)
        self.assertEqual(self.got, sent, "no frame was lost")
        rows = self.lab.flows("packet-counter", "sources")
        self.assertEqual(sum(r["packets"] for r in rows if r["ip.src"] == "10.5.0.1" and r["ip.proto"] == UDP), sent)
        rules = {r["name"].split("/")[-1]: r["packets"] for r in self.lab.json("counter", "show", "pair/two")}
        self.assertEqual(rules["mixed"], 0, "no packet met the tables of two versions")
        self.lab.mealy("app", "set", "pair", "v=100000")
        self.settled()
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["problem"], "")

    def settled(self):
        """The switch runs what the controller wants, on all ports that are there."""
        self.lab.connected("s1")
        wait_until(lambda: self.value() == self.value(agent="s1"), 20)
        present = {"p1", "p2"} | ({"p3"} if self.plugged else set())
        wait_until(lambda: {r["name"] for r in self.lab.json("port", "list", agent="s1") if r["mode"] != "-"} == present, 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
