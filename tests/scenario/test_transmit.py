# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames that are lost after the switch gave its verdict, because the kernel or the driver refuses them.

    c --- p1 [ s1 ] p2 --- s        d --- p1 [ s2 ] p2 --- t

Both switches have the same interface indices, each in its own network namespace.
"""
import glob, os, re, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, sh, wait_until
from frames import udp, only_udp

SEND = """app: send
parameters: {out: port}
tables:
  - name: all
    rules:
      - {name: out, match: {l4.dst: 7}, action: output(out)}
      - {name: back, match: {l4.dst: 8}, action: reflect}
      - {name: all, match: {l4.dst: 9}, action: flood}
"""

SENT = 200


def frames(dport, n=SENT, size=18):
    return [udp("10.0.0.1", "10.0.0.2", dport=dport, payload=b"x" * size)] * n


class Transmit(unittest.TestCase):
    def start(self, **extra):
        self.lab = Lab("transmit")
        self.addCleanup(self.lab.close)
        for name, hosts in (("s1", "cs"), ("s2", "dt")):
            switch = self.lab.switch(name, ["p1", "p2"], hooks=["xdp"])
            switch.extra.update(extra, controllers=None)
            for host, port in zip(hosts, switch.ports):
                setattr(self, host, self.lab.host(host, name, port))
            switch.start()
        path = os.path.join(self.lab.dir, "send.yaml")
        with open(path, "w") as f:
            f.write(SEND)
        for name in self.lab.switches:
            self.lab.mealy("app", "load", path, "--set", "out=p2", agent=name)
        self.switch = self.lab.switches["s1"]
        self.assertEqual(self.indices("s1"), self.indices("s2"))

    def indices(self, name):
        text = self.lab.switches[name].run("ip", "-o", "link", "show", "type", "veth")
        return [line.split(":")[0] for line in text.splitlines()]

    def counter(self, name, agent="s1"):
        return sum(r["packets"] for r in self.lab.json("counter", "show", agent=agent) if r["name"] == name)

    def failed(self, agent="s1"):
        return self.counter("transmit-failed", agent)

    def deaf(self, host):
        """No NAPI at the far end: the port's driver refuses frames of XDP."""
        host.run("ethtool", "-K", "eth0", "gro", "off")

    def lose(self, dport, rule, size=18, host=None):
        """Frames that get their verdict and then go nowhere: each is counted twice, as decided and as failed."""
        seen, failed, other = self.counter(f"send/all/{rule}"), self.failed(), self.failed("s2")
        (host or self.c).send(frames(dport, size=size), 0.0003)
        wait_until(lambda: self.counter(f"send/all/{rule}") == seen + SENT)
        self.assertEqual(self.failed() - failed, SENT)
        self.assertEqual(self.failed("s2"), other)
        self.assertEqual(self.s.received(filter=only_udp(dport), quiet_s=0.1), [])

    def arrive(self):
        failed = self.failed()
        self.s.received(quiet_s=0.05)
        self.c.send(frames(7), 0.0003)
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=SENT, quiet_s=1)), SENT)
        self.assertEqual(self.failed(), failed)

    def every_way(self):
        self.arrive()
        self.switch.run("ip", "link", "set", "p2", "down")
        self.lose(7, "out")
        self.switch.run("ip", "link", "set", "p2", "up")
        self.switch.run("ip", "link", "set", "p2", "mtu", "700")
        self.lose(7, "out", size=1000)
        self.switch.run("ip", "link", "set", "p2", "mtu", "1500")
        wait_until(lambda: all(r["state"] == "up" for r in self.lab.json("port", "list", agent="s1")))
        self.arrive()

    def test_native_xdp(self):
        self.start(xdp="native")
        self.every_way()
        exits = self.counter("xdp/p1/output")
        self.assertEqual(exits, 4 * SENT)

    def test_generic_xdp(self):
        self.start(xdp="generic")
        self.every_way()

    def test_a_far_end_that_does_not_listen(self):
        self.start(xdp="native")
        self.deaf(self.s)
        self.lose(7, "out")

    def test_reflected_frames_that_the_far_end_does_not_take(self):
        self.start(xdp="native")
        self.deaf(self.c)
        self.lose(8, "back")

    def test_flooded_frames_go_only_where_they_can(self):
        self.start(xdp="native")
        self.c.send(frames(9), 0.0003)
        self.assertEqual(len(self.s.received(filter=only_udp(9), want=SENT, quiet_s=1)), SENT)
        self.assertEqual(self.failed(), 0)

    def test_the_other_switch_counts_its_own(self):
        self.start(xdp="native")
        self.deaf(self.t)
        self.d.send(frames(7), 0.0003)
        wait_until(lambda: self.failed("s2") == SENT)
        self.assertEqual(self.failed(), 0)

    def test_a_takeover_counts_each_once(self):
        self.start(xdp="native")
        self.deaf(self.s)
        load = Load(self.c, frames(7, 1)[0])
        load.start()
        for _ in range(3):
            self.switch.process.kill()
            self.switch.start()
        sent = load.stop()
        wait_until(lambda: self.counter("send/all/out") == sent)
        self.assertEqual(self.failed(), sent)

    def test_unload_takes_the_programs_off_the_tracepoints(self):
        self.start()
        pins = glob.glob(f"/sys/fs/bpf/mealy/{self.switch.pin}/instance-*/watch-*")
        programs = [re.search(r"prog (\d+)", sh("bpftool", "link", "show", "pinned", pin)).group(1) for pin in pins]
        self.assertEqual(len(programs), 4)
        self.switch.process.stop()
        self.switch.unload()
        wait_until(lambda: not any("failed_" in sh("bpftool", "prog", "show", "id", p, check=False) for p in programs))


if __name__ == "__main__":
    unittest.main(verbosity=2)
