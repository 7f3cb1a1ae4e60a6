# SPDX-License-Identifier: GPL-2.0-or-later
"""Bundles: changes of several match tables that packets see all at once, or not at all; opened, given up, refused.

    c --- p1 [ s1: pair ] p2 --- s

Two tables say which generation of entries a packet met; the third counts those that met two.
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, wait_until
from frames import udp

PAIR = """app: pair
parameters: {generation: 0}
variables: [a, b]
globals:
  limit: {initial: 5, range: 1-10}
tables:
  - name: one
    key: {ip.dst: prefix}
    capacity: 1000
    values: [gen]
    actions: {mark: a = gen}
    entries:
      - {ip.dst: 10.8.0.0/16, action: mark, gen: generation, name: eight}
  - name: two
    key: {udp.dst: range, ip.proto: exact}
    capacity: 1000
    values: [gen]
    actions: {mark: b = gen}
    entries:
      - {udp.dst: 1-1000, ip.proto: udp, action: mark, gen: generation}
  - name: judge
    rules:
      - {name: whole, when: a == b, action: drop}
      - {name: torn, action: drop}
"""
FRAME = udp("192.0.2.1", "10.8.0.1", dport=7)


class Bundles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("bundles")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"])
        cls.c = cls.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        cls.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        cls.lab.start()
        cls.app = os.path.join(cls.lab.dir, "pair.yaml")
        with open(cls.app, "w") as f:
            f.write(PAIR)

    def setUp(self):
        self.lab.mealy("app", "load", self.app)
        self.addCleanup(self.lab.mealy, "app", "remove", "pair")

    def open(self, *args):
        return str(self.lab.json("bundle", "open", *args)[0]["bundle"])

    def add(self, bundle, *command, status=0, agent=None):
        return self.lab.mealy("bundle", "add", bundle, *command, status=status, agent=agent)

    def commit(self, bundle, status=0):
        return self.lab.mealy("bundle", "commit", bundle, status=status)

    def entries(self, table, key):
        return {e[key]: e for e in self.lab.json("entry", "list", "pair", table)}

    def counted(self):
        rows = {r["name"]: r["packets"] for r in self.lab.json("counter", "show", "rule")}
        return rows["pair/judge/whole"], rows["pair/judge/torn"]

    def generation(self, n, bundle=None):
        """Both tables' entries, and others, to generation 'n'."""
        bundle = bundle or self.open()
        path = os.path.join(self.lab.dir, "many.csv")
        with open(path, "w") as f:
            f.write("ip.dst,action,gen\n")
            f.writelines(f"10.8.{i}.0/24,mark,{n}\n" for i in range(100))
        self.add(bundle, "entry", "set", "pair", "two", "udp.dst=1-1000", "ip.proto=udp", f"gen={n}")
        self.add(bundle, "entry", "import", "pair", "one", path)
        self.add(bundle, "entry", "set", "pair", "one", "name=eight", f"gen={n}")
        return bundle

    def test_packets_see_all_of_a_bundle_or_nothing(self):
        load = Load(self.c, FRAME, 0.0001)
        load.start()
        for n in range(1, 9):
            self.assertIn("entries changed", self.commit(self.generation(n)))
        sent = load.stop()
        wait_until(lambda: sum(self.counted()) == sent)
        whole, torn = self.counted()
        self.assertEqual(torn, 0)
        self.assertGreater(whole, 1000)
        # What packets counted goes along.
        met = [int(e["packets"]) for e in (self.entries("one", "ip.dst")["10.8.0.0/16"], self.entries("one", "ip.dst")["10.8.0.0/24"])]
        self.assertEqual(sum(met), sent)
        self.assertEqual(int(self.entries("two", "udp.dst")["1-1000"]["packets"]), sent)

    def test_a_new_text_and_a_range_come_at_once_too(self):
        load = Load(self.c, FRAME, 0.0001)
        load.start()
        for n in range(1, 6):
            self.lab.mealy("app", "set", "pair", f"generation={n}")
        sent = load.stop()
        wait_until(lambda: sum(self.counted()) == sent)
        self.assertEqual(self.counted()[1], 0)
        self.lab.mealy("entry", "set", "pair", "two", "udp.dst=2001-3003", "ip.proto=udp", "action=mark", "gen=3")
        self.assertIn("2001-3003", self.entries("two", "udp.dst"))
        self.lab.mealy("entry", "delete", "pair", "two", "udp.dst=2001-3003", "ip.proto=udp")
        self.assertEqual(set(self.entries("two", "udp.dst")), {"1-1000"})

    def test_what_is_refused_names_itself_and_leaves_nothing(self):
        one, other = self.open(), self.open("--timeout", "5min")
        self.add(one, "entry", "add", "pair", "one", "ip.dst=10.1.0.0/16", "action=mark", "gen=1", "name=first")
        self.add(other, "entry", "add", "pair", "one", "ip.dst=10.2.0.0/16", "action=mark", "gen=1", "name=second")
        self.add(one, "entry", "set", "pair", "two", "udp.dst=5000-5003", "ip.proto=udp", "action=away")
        open_ones = {str(b["bundle"]): b["members"] for b in self.lab.json("bundle", "list")}
        self.assertEqual((open_ones[one], open_ones[other]), (2, 1))
        said = self.commit(one, status=1)
        self.assertIn(f"bundle {one}: member 2: pair/two: row 1: ", said)
        self.assertIn("no action \"away\"", said)
        self.assertEqual(set(self.entries("one", "ip.dst")), {"10.8.0.0/16"})
        self.assertIn("no bundle", self.commit(one, status=1))
        self.commit(other)
        self.assertEqual(set(self.entries("one", "ip.dst")), {"10.8.0.0/16", "10.2.0.0/16"})
        bad = self.open()
        self.add(bad, "entry", "delete", "pair", "one", "name=second")
        self.add(bad, "global", "set", "pair", "limit=11")
        self.assertIn("member 2: 11 is outside", self.commit(bad, status=1))
        self.assertIn("10.2.0.0/16", self.entries("one", "ip.dst"))
        self.lab.mealy("entry", "delete", "pair", "one", "--all")

    def test_globals_and_what_the_controller_keeps(self):
        bundle = self.open()
        self.add(bundle, "global", "set", "pair", "limit=7")
        self.add(bundle, "entry", "add", "pair", "one", "ip.dst=10.3.0.0/16", "action=mark", "gen=1", "name=third")
        self.add(bundle, "entry", "set", "pair", "one", "name=third", "gen=2")
        self.commit(bundle)
        self.assertEqual(self.lab.json("global", "list", "pair")[0]["value"], 7)
        self.switch.process.stop()
        self.switch.unload()
        self.switch.start()
        self.lab.connected("s1")
        wait_until(lambda: "10.3.0.0/16" in self.entries("one", "ip.dst"))
        third = self.entries("one", "ip.dst")["10.3.0.0/16"]
        self.assertEqual((third["gen"], third["name"]), ("2", "third"))

    def test_one_that_nobody_goes_on_with_is_given_up(self):
        bundle = self.open("--timeout", "300ms")
        self.add(bundle, "entry", "add", "pair", "one", "ip.dst=10.4.0.0/16", "action=mark", "gen=1")
        wait_until(lambda: bundle not in {str(b["bundle"]) for b in self.lab.json("bundle", "list")})
        self.assertIn("its time was over", self.commit(bundle, status=1))
        self.assertIn("nothing came for 300 ms: discarded", self.switch.process.text())
        self.assertNotIn("10.4.0.0/16", self.entries("one", "ip.dst"))
        bundle = self.open()
        self.lab.mealy("bundle", "discard", bundle)
        self.assertIn("no bundle", self.add(bundle, "global", "set", "pair", "limit=7", status=1))

    def test_what_a_bundle_does_not_take(self):
        bundle = self.open()
        self.addCleanup(self.lab.mealy, "bundle", "discard", bundle)
        self.assertIn("a bundle takes changes", self.add(bundle, "flow", "flush", "pair", "one", status=2))
        self.assertIn("say --agent", self.add(bundle, "app", "remove", "pair", status=2))
        self.assertIn("number of a bundle", self.add("x", "global", "set", "pair", "limit=7", status=2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
