# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables become programs of their own while frames of both ports run, and everything that may go wrong leaves the
interpreter.

    c --- p1 [ s1: change ] p2 --- s
"""
import glob, os, re, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, TOP, wait_until
from frames import udp, only_udp

C, S = "10.6.0.1", "10.6.0.2"
BEGIN = "{name: begin, state: NEW, do: n += 1, next: ON, action: flood}"
OTHER = "{name: other, match: {l4.dst: %d}, action: drop}"
REST = "{name: rest, do: n += 1, action: flood}"


def app(port, name="change"):
    return (f"app: {name}\nparameters: {{step: 1}}\ntables:\n  - name: t\n"
            "    state: {lookup: [ip.src], capacity: 1024, states: [NEW, ON], registers: [n]}\n    rules:\n"
            + "".join(f"      - {r}\n" for r in [OTHER % port, BEGIN, REST]))


class Specialise(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("specialise")
        self.addCleanup(self.lab.close)
        self.s1 = self.lab.switch("s1", ["p1", "p2"])
        self.s1.extra = {"hooks": "[xdp]", "specialise": "yes", "sources": f"{TOP}/datapath"}
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")

    def start(self):
        self.lab.start()

    def change(self, port):
        path = os.path.join(self.lab.dir, "change.yaml")
        with open(path, "w") as f:
            f.write(app(port))
        self.lab.mealy("app", "load", path, "--order", "10")

    def show(self):
        return self.lab.mealy("switch", "show", "s1")

    def sums(self):
        found = re.search(r"(\d+) objects compiled, (\d+) from the cache, (\d+) failures, (\d+) hooks swapped", self.show())
        return [int(n) for n in found.groups()] if found else [0, 0, 0, 0]

    def wait_for(self, text, seconds=60):
        wait_until(lambda: text in self.show(), seconds, 0.1)

    def begin_load(self):
        for host in (self.c, self.s):
            host.received(quiet_s=0.05)
        self.loads = [Load(self.c, udp(C, S, dport=7), 0.005), Load(self.s, udp(S, C, dport=7), 0.005)]
        for load in self.loads:
            load.start()

    def end_load(self):
        """Every frame arrived, and its flow and a rule counted it; returns how many there were."""
        sent = [load.stop() for load in self.loads]
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent[0], quiet_s=1)), sent[0])
        self.assertEqual(len(self.c.received(filter=only_udp(7), want=sent[1], quiet_s=1)), sent[1])
        flows = {r["ip.src"]: r for r in self.lab.flows("change", "t")}
        self.assertEqual([flows[C]["n"], flows[S]["n"]], sent)
        rows = self.lab.json("counter", "show", "change")
        counted = sum(r["packets"] for r in rows if r["scope"] == "rule" and r["packets"])
        self.assertEqual(counted, sum(sent))

    def test_both_tiers_under_load_and_what_goes_wrong(self):
        self.s1.extra["clang"] = "/nonexistent/clang"
        self.start()
        self.change(9999)
        self.wait_for("there is no compiler: /nonexistent/clang not found")
        self.begin_load()
        self.again({}, "specialised since .*1 of 1 table; \\d+ instructions, \\d+ bytes of machine code; compiled in \\d+ ms .*"
                       "verified and loaded in \\d+ ms .*swapped in \\d+ us")
        for i in range(2):
            swaps = self.sums()[3]
            self.change(9000 + i)
            self.assertIn("tier xdp: interpreter", self.show())
            wait_until(lambda: self.sums()[3] > swaps, 60, 0.1)
        compiled = self.sums()[0]
        for i in range(10):
            self.change(9010 + i)
            time.sleep(0.05)
        self.wait_for("specialised since")
        self.assertLessEqual(self.sums()[0], compiled + 2, "ten changes in a second are not ten compilers")
        for path in glob.glob(f"{self.s1.state_dir}/objects/*.o"):
            self.tamper(path)
        self.again({}, "1 objects compiled, 0 from the cache, 1 failures, 1 hooks swapped")
        self.again({}, "0 objects compiled, 1 from the cache, 0 failures, 1 hooks swapped")
        self.end_load()

    def again(self, keys, said):
        """The agent starts with other keys, and 'switch show' comes to say so."""
        self.s1.process.kill()
        self.s1.extra = {"hooks": "[xdp]", "specialise": "yes", "sources": f"{TOP}/datapath", **keys}
        self.s1.start()
        self.lab.connected("s1")
        wait_until(lambda: re.search(said, self.show(), re.S), 60, 0.1)

    def tamper(self, path):
        """The object says that it is made from something else."""
        name = os.path.basename(path)[:-2].encode()
        with open(path, "rb") as f:
            data = f.read()
        self.assertIn(name, data)
        with open(path, "wb") as f:
            f.write(data.replace(name, name[::-1]))


if __name__ == "__main__":
    unittest.main()
